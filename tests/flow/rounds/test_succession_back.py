"""A route file that was met before is deployed again: what is left of the other one stands back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.rounds.test_succession import Fleet, claims, rounds
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.flow.rounds.test_succession_resumes import MOVED, ends
from tests.flow.rounds.test_succession_skips import SHADOW
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from tests.stage.azure import Stage

YEARS = timedelta(days=900)


def rolled_back(fleet: Fleet, bad: str) -> tuple[Stage, Stage]:
    """An instance of the file of before, which has claimed a run, and one that is left over."""
    fleet.start(ROUTES).reconcile()
    left = fleet.start(bad)
    left.reconcile(days=9)
    left.reconcile(minutes=20)
    back = fleet.start(ROUTES)
    back.reconcile(minutes=20)
    claims(back)
    ends(back)
    return back, left


@pytest.mark.parametrize("bad", [MOVED, SHADOW], ids=["moved", "shadow"])
def test_who_is_left_of_a_file_that_was_rolled_back_does_nothing_by_it(
    fleet: Fleet, bad: str
) -> None:
    back, left = rolled_back(fleet, bad)
    for _ in range(3):
        left.reconcile(minutes=2)
    assert (left.started(), left.only("r1").state) == ([], State.OPEN)
    back.reconcile(minutes=2)
    assert back.started() == [(42, "r1")]


def test_who_is_left_of_the_older_file_stands_back_where_one_is_rolled_out_once_more(
    fleet: Fleet,
) -> None:
    old, again = rolled_back(fleet, MOVED)
    claims(again, "r2")
    ends(again, "r2")
    for _ in range(3):
        old.reconcile(minutes=2)
    assert old.started() == [(42, "r1")]
    again.reconcile(minutes=2)
    assert again.started() == [(42, "r1"), (43, "r2")]


def test_after_these_minutes_whoever_is_there_goes_on(fleet: Fleet) -> None:
    _, left = rolled_back(fleet, MOVED)
    rounds(left, hours=1)
    assert left.started() == [(43, "r1")]


def test_what_a_clock_that_was_wrong_claimed_by_a_file_that_nobody_met_does_not_wait_for_it(
    fleet: Fleet,
) -> None:
    fleet.start(ROUTES).reconcile()
    brief = fleet.start(MOVED)
    brief.clock.moved += YEARS
    claims(brief)
    brief.clock.moved -= YEARS
    ends(brief)
    newest = fleet.start(f"# with a word more\n{ROUTES}")
    for _ in range(5):
        newest.reconcile(minutes=2)
    assert newest.only("r1").reason is not Reason.NOT_FINAL
    assert newest.started() == [(42, "r1")]
