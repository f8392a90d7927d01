"""What an operator means by more than a KEY, in a ledger where many wait and each answer takes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions import connections
from functions.adapters.tables import rows
from functions.adapters.tables.rows import TableLedger
from functions.configuration import settings
from functions.core.ledger import lists
from functions.core.operators.replaying import Wanted, wanted
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from relay.deployment.signin import SignedIn
from tests.ledger.samples import NOON, opened, started
from tests.ledger.stores import Far
from tests.stage.azurite import connection_string

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import Store, TableStore

MANY = 30
HOUR = timedelta(hours=1)


def outage(ledger: Ledger) -> None:
    """All wait for a credential, and one has failed."""
    for run in range(MANY):
        ledger.claim(opened(f"r{run}", reason=Reason.CREDENTIAL_REFUSED))
    c = opened("wrong", at=NOON + HOUR)
    entry = ledger.claim(c).entry
    failed: dict[str, Any] = {"state": State.FAILED, "reason": Reason.REJECTED}
    ledger.write(entry, opened("wrong", at=NOON + HOUR, **failed))
    ledger.retire(c.key)


@pytest.mark.parametrize(("state", "many"), [(State.OPEN, MANY), (State.FAILED, 1)])
def test_however_many_wait_they_are_found_in_a_ledger_that_is_far_away(
    table_store: TableStore, state: State, many: int
) -> None:
    outage(table_store.ledger())
    far = Far(each=0.5)
    ledger = TableLedger(table_store.table(transport=far), monotonic=lambda: far.seconds)
    found = wanted(ledger, Wanted(frozenset({state}), NOON))
    assert (len(found.those), found.whole) == (many, True)


def test_what_failed_while_it_was_shown_as_open_is_not_meant_by_that(store: Store) -> None:
    ledger, c = store.ledger(), opened(reason=Reason.CREDENTIAL_REFUSED)
    entry = ledger.claim(c).entry
    ledger.write(entry, opened(state=State.FAILED, reason=Reason.REJECTED))
    meant = {
        state: [one.key for one in wanted(ledger, Wanted(frozenset({state}), NOON)).those]
        for state in (State.OPEN, State.FAILED)
    }
    assert meant == {State.OPEN: [], State.FAILED: [c.key]}


def test_not_all_is_looked_at_where_the_schedule_has_more_whatever_that_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_SORTED", 3)
    ledger, found = store.ledger(), list[bool]()
    for run in ("r1", "r2", "r3", "r4"):
        c = opened(run, reason=Reason.CREDENTIAL_REFUSED)
        entry = ledger.claim(c).entry
        if run in {"r1", "r2"}:
            ledger.schedule(ledger.write(entry, started(c)).continuation)
        found.append(wanted(ledger, Wanted(frozenset({State.OPEN}), NOON)).whole)
    assert found == [True, True, False, False]


def test_a_person_waits_longer_for_a_list_than_an_event_may(
    azurite: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "USUAL", None)  # whoever takes that fails
    named = settings.read({"AzureWebJobsStorage": connection_string(azurite)})
    ledger = connections.connect(named, identity=SignedIn(only_cli=False)).ledger
    assert ledger.shared("of nobody").version is None
