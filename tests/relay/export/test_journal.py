"""Many lines, in their order, out of a ledger that others write to meanwhile, in few requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from functions.core.ledger.places import SHELVES
from functions.core.operators import decisions
from functions.core.starts import steps
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from relay.export.journal import Journal, Stretch
from tests.ledger.counted import Counted, counted
from tests.ledger.samples import LEASE, NOON, opened
from tests.ledger.stores import SqliteStore, claimed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from relay.export.lines import Line

MANY = 2_000
LATEST = timedelta(hours=10)
EVERYTHING = Stretch(NOON, NOON + LATEST)


def second(n: float) -> datetime:
    return NOON + timedelta(seconds=n)


def held(n: int) -> Continuation:
    """Claimed, parked and held, at times that many others have as well."""
    first, then, last = sorted(prime * n % 3_000 for prime in (7_919, 104_729, 1_299_709))
    c = opened(f"r-{n}", at=second(first))
    parked = steps.parked(c, second(then), Reason.NOT_FINAL, "", second(3_000))
    return steps.ended(parked, second(last), State.HELD, Reason.GATE, "auc = 0.4")


@pytest.fixture
def sqlite_store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "ledger.db")


@pytest.fixture
def rows(sqlite_store: SqliteStore) -> Counted:
    """Two thousand continuations."""
    claimed(sqlite_store.path, map(held, range(MANY)))
    return counted(sqlite_store.ledger())


def cursors(lines: list[Line]) -> list[str]:
    return [line.place.cursor for line in lines]


def test_two_thousand_rows_cost_one_request_for_each_shelf(rows: Counted) -> None:
    told = list(Journal(rows.ledger).lines(EVERYTHING))
    assert len(told) == 3 * MANY
    assert 0.9 * SHELVES < rows.spent() <= SHELVES  # threads may forget to count one
    assert [line.step.at for line in told] == sorted(line.step.at for line in told)
    assert len(set(cursors(told))) == 3 * MANY


def test_no_more_lines_are_held_than_were_asked_for(rows: Counted) -> None:
    few = Journal(rows.ledger, at_once=2_500)
    told = list(few.lines(EVERYTHING))
    assert rows.spent() <= 3 * SHELVES  # of 6,000 lines
    assert cursors(told) == cursors(list(Journal(rows.ledger).lines(EVERYTHING)))


def test_going_on_reads_only_what_was_written_since(rows: Counted) -> None:
    told = list(Journal(rows.ledger).lines(EVERYTHING))
    rows.spent()
    last = told[-100].place
    assert len(list(Journal(rows.ledger).lines(EVERYTHING.beyond(last)))) == 99
    since = last.at - 2 * CLOCK_SKEW
    assert sum(rows.rows.values()) == sum(held(n).updated_at >= since for n in range(MANY)) < MANY


def test_what_another_process_writes_while_lines_are_written_is_told_once(rows: Counted) -> None:
    lines = Journal(rows.ledger, at_once=1_000).lines(EVERYTHING)
    told = list(islice(lines, 1_500))
    busy(rows.ledger, at=second(3_100))
    told += lines
    assert cursors(told) == cursors(list(Journal(rows.ledger).lines(EVERYTHING)))
    assert len(set(cursors(told))) == len(told) == 3 * MANY + 2
    assert [line.step.what for line in told[-2:]] == ["claimed", "replayed"]


def busy(ledger: Ledger, at: datetime) -> None:
    """Another run is claimed, and one that was told already is replayed."""
    ledger.claim(opened("r-late", at=at))
    entry = ledger.read(held(0).key)
    assert entry
    replayed = decisions.again(entry.continuation, at + LEASE, who="ada", ignore_gate=False)
    assert not isinstance(replayed, decisions.Answer)
    ledger.write(entry, replayed)


def test_a_step_whose_clock_was_behind_is_told_at_its_time(sqlite_store: SqliteStore) -> None:
    ledger = sqlite_store.ledger()
    c = opened("r-1", at=second(200))
    behind = steps.parked(c, second(100), Reason.LIMIT, "", second(500))
    ledger.write(ledger.claim(c).entry, behind)
    late = list(Journal(ledger).lines(Stretch(second(150), NOON + LATEST)))
    assert [line.step.what for line in late] == ["claimed"]
    both = list(Journal(ledger).lines(EVERYTHING))
    assert [line.step.what for line in both] == ["parked", "claimed"]


def test_one_clock_may_be_ahead_while_the_next_is_behind(sqlite_store: SqliteStore) -> None:
    ledger, apart = sqlite_store.ledger(), 2 * CLOCK_SKEW.total_seconds()
    c = opened("r-1", at=second(apart))
    ledger.write(ledger.claim(c).entry, steps.parked(c, second(1), Reason.LIMIT, "", second(5)))
    late = list(Journal(ledger).lines(Stretch(second(apart), NOON + LATEST)))
    assert [line.step.what for line in late] == ["claimed"]
