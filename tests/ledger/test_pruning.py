"""What is old is listed once for all that is removed, and what cannot go holds up nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from functions.core.ledger import pruning
from functions.core.ledger.places import ENDED, PASSED, SHARED
from functions.core.ports.ledger import Shared
from functions.core.starts import steps
from tests.ledger import samples
from tests.ledger.counted import Counted, counted
from tests.ledger.samples import NOON, key, opened, started

if TYPE_CHECKING:
    from functions.core.ports.ledger import Ledger
    from tests.ledger.stores import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, MANY = NOON - 9 * DAY, 40


@pytest.fixture
def rows(store: Store) -> Counted:
    return counted(store.ledger())


def ended(ledger: Ledger, run: str) -> None:
    c = opened(run, at=OLD)
    ledger.write(ledger.claim(c).entry, started(c))
    ledger.retire(c.key)


def test_what_is_old_is_listed_once_for_all_that_is_removed(rows: Counted) -> None:
    ledger = rows.ledger
    for n in range(MANY):
        ended(ledger, f"r{n}")
        ledger.record(
            steps.passed_over(key(f"p{n}"), samples.event(run=f"p{n}", time=OLD), OLD, "no tag")
        )
    rows.spent()
    removed = [ledger.prune(NOON, 15) for _ in range(7)]
    assert removed == [15, 15, 15, 15, 15, 5, 0]
    assert rows.rows[ENDED] == MANY
    assert rows.rows[PASSED] == MANY
    assert rows.calls["find"] <= 9
    assert rows.calls["get"] == 2 * MANY


def test_what_cannot_go_is_looked_at_once_and_holds_up_nothing(rows: Counted) -> None:
    ledger = rows.ledger
    for n in range(MANY):
        ended(ledger, f"r{n}")
    for n in range(0, MANY, 2):
        entry = ledger.read(key(f"r{n}"))
        assert entry
        ledger.write(entry, msgspec.structs.replace(entry.continuation, updated_at=NOON))
    rows.spent()
    removed = 0
    while got := ledger.prune(NOON - DAY, 10):
        removed += got
    assert removed == MANY / 2
    assert rows.calls["get"] <= 2 * MANY
    assert ledger.read(key("r0"))


def test_what_was_written_since_hides_nothing_that_is_older(
    rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipelines that ran for long: more than are listed at once were claimed just before then."""
    ledger, before = rows.ledger, NOON - DAY
    monkeypatch.setattr(pruning, "MOST_SORTED", 5)
    for n in range(1, 9):
        c = opened(f"long-{n}", at=before - n * HOUR)
        done = msgspec.structs.replace(started(c), updated_at=before + HOUR)
        ledger.write(ledger.claim(c).entry, done)
        ledger.retire(c.key)
    ended(ledger, "old")
    rows.spent()
    assert [ledger.prune(before, 9) for _ in range(2)] == [1, 0]
    assert ledger.read(key("old")) is None
    assert rows.calls["get"] == 2  # what its list says was written since is not read for that
    assert sum(ledger.prune(before + DAY, 9) for _ in range(2)) == 8


def test_shared_rows_that_are_over_are_not_listed_again_for_each_few(rows: Counted) -> None:
    ledger = rows.ledger
    for n in range(MANY):
        until = (NOON - HOUR).isoformat()
        ledger.share(Shared(f"limit/{n}", {}, None), {"until": until})
    rows.spent()
    while ledger.forget(NOON, 9):
        pass
    assert rows.rows[SHARED] == MANY


def test_what_a_clock_that_was_behind_has_written_is_as_old_as_the_end_of_its_run(
    rows: Counted,
) -> None:
    """A sweep would start it once more: its run ended just now."""
    ledger = rows.ledger
    c = msgspec.structs.replace(opened(at=OLD), event=samples.event(time=NOON))
    ledger.write(ledger.claim(c).entry, started(c))
    ledger.retire(c.key)
    assert (ledger.prune(NOON - DAY, 9), ledger.read(c.key) is None) == (0, False)
    assert (ledger.prune(NOON + DAY, 9), ledger.read(c.key) is None) == (1, True)
