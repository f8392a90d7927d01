"""What was written since a time, as an export reads it: whole, as it stands, in few requests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.adapters.tables.rows import TableLedger
from functions.core.ledger.places import SHELVES
from functions.core.ports.ledger import PAGE
from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.ledger.counted import counted
from tests.ledger.samples import NOON, event, key, opened
from tests.ledger.stores import Wire

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import SqliteStore, Store, TableStore

HOUR = timedelta(hours=1)
SHELF = int(key().run_hash[:2], 16)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger()


def told(ledger: Ledger, since: datetime, shelf: int = SHELF) -> list[Continuation]:
    return sorted(ledger.written(since, shelf), key=lambda c: c.key)


def test_it_is_told_by_when_it_was_written_last_and_not_by_when_it_was_claimed(
    ledger: Ledger,
) -> None:
    entry = ledger.claim(opened()).entry
    assert told(ledger, NOON + HOUR) == []
    changed = steps.ended(entry.continuation, NOON + HOUR, State.HELD, Reason.GATE, "no")
    ledger.write(entry, changed)
    assert told(ledger, NOON + HOUR) == [changed]
    assert told(ledger, NOON + HOUR + timedelta(microseconds=1)) == []


def test_what_no_list_shows_is_told_as_well(ledger: Ledger) -> None:
    trace = steps.passed_over(key(route="nearly"), event(), NOON, "tags.stage")
    ledger.record(trace)
    held = steps.ended(opened(route="held"), NOON, State.HELD, Reason.GATE)
    ledger.write(ledger.claim(opened(route="held")).entry, held)  # and died before it was listed
    ledger.claim(opened())
    found = {c.key.route: c.state for c in told(ledger, NOON)}
    assert found == {"nearly": State.SKIPPED, "held": State.HELD, "register": State.OPEN}


def test_every_run_lies_on_one_shelf(sqlite_store: SqliteStore) -> None:
    ledger = sqlite_store.ledger()
    runs = {f"r-{n}" for n in range(40)}
    for run in runs:
        ledger.claim(opened(run))
    found = [c.key.run for shelf in range(SHELVES) for c in told(ledger, NOON, shelf)]
    assert sorted(found) == sorted(runs)


def test_what_cannot_be_read_is_named_and_hides_no_other(store: Store) -> None:
    ledger = store.ledger()
    for route in ("broken", "whole"):
        ledger.claim(opened(route=route))
    store.change(key(route="broken"), "created_at", "no time")
    ledger = store.ledger()
    assert [c.key.route for c in told(ledger, NOON)] == ["whole"]
    assert "broken/run-1/Completed" in str(ledger.unreadable)


def test_a_shelf_costs_a_request_for_each_thousand(sqlite_store: SqliteStore) -> None:
    rows = counted(sqlite_store.ledger())
    for n in range(PAGE + 1):
        rows.ledger.record(_passed_over(n))
    rows.spent()
    assert len(rows.ledger.written(NOON, SHELF)) == PAGE + 1
    assert rows.spent() == 2


def test_an_empty_shelf_costs_one_request_to_table_storage(table_store: TableStore) -> None:
    table_store.ledger().claim(opened())
    wire = Wire()
    ledger = TableLedger(table_store.table(transport=wire))
    found = [c for shelf in range(SHELVES) for c in ledger.written(NOON, shelf)]
    assert found == [opened()]
    assert len(wire.sent) == SHELVES


def _passed_over(n: int) -> Continuation:
    """One of many routes that the same run did not fit."""
    return steps.passed_over(key(route=f"route-{n}"), event(), NOON, "tags.stage")
