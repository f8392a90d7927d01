"""A route file that was met before is deployed again: what is left of the other one stands back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.core.memory.file_order import FILES
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.asking import EXPERIMENT
from tests.flow.rounds.test_succession import NEW, Fleet, announced, claims, rounds
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.flow.rounds.test_succession_replays import replay, rounds_of
from tests.flow.rounds.test_succession_resumes import MOVED, ends
from tests.flow.rounds.test_succession_skips import SHADOW
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

YEARS = timedelta(days=900)
PROBE = {"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}}


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


def taken_back(fleet: Fleet) -> Stage:
    """An instance of a file that was rolled out days ago, whose pipeline refused a run."""
    fleet.start(ROUTES).reconcile()
    left = fleet.start(MOVED)
    left.reconcile(days=9)
    left.devops.server.faults.add(says(400, WRONG, path="*/_apis/pipelines/43/runs"))
    ends(left)
    left.deliver(completed("r1"))
    left.reconcile(minutes=20)
    assert left.only("r1").state is State.FAILED
    return left


def deployed_again(fleet: Fleet) -> Stage:
    """The file of before, by a deployment that ends with a probe."""
    back = fleet.start(ROUTES)
    back.deliver(PROBE)
    return back


def test_what_is_replayed_after_a_roll_back_goes_by_the_file_that_is_deployed_again(
    fleet: Fleet,
) -> None:
    left = taken_back(fleet)
    back = deployed_again(fleet)
    replay(back)
    rounds_of(left)
    assert left.started() == []
    back.reconcile(minutes=2)
    assert back.started() == [(42, "r1")]


def test_what_the_other_file_claimed_before_the_roll_back_waits_for_nobody(fleet: Fleet) -> None:
    left = taken_back(fleet)
    claims(left, "r2")
    ends(left, "r2")
    back = deployed_again(fleet)
    back.reconcile(minutes=3)
    assert back.started() == [(42, "r2")]


def test_what_only_the_other_file_has_is_left_to_it_for_a_day_as_before(fleet: Fleet) -> None:
    fleet.start(ROUTES).reconcile()
    left = fleet.start(NEW)
    left.reconcile(minutes=20)
    claims(left)
    back = deployed_again(fleet)
    rounds(back, hours=23)
    assert announced(back).state is State.OPEN
    rounds(back, hours=2)
    assert announced(back).state is State.FAILED


def test_an_old_instance_that_takes_the_probe_of_a_roll_out_is_not_the_newer_one(
    fleet: Fleet,
) -> None:
    old = fleet.start(ROUTES)
    old.reconcile()
    new = fleet.start(MOVED)
    new.reconcile(minutes=1)
    claims(new)
    ends(new)
    old.deliver(PROBE)
    rounds_of(old)
    assert old.started() == []
    new.reconcile(minutes=2)
    assert new.started() == [(43, "r1")]


def test_nor_is_one_whose_first_event_is_that_probe(fleet: Fleet) -> None:
    old, new = fleet.start(ROUTES), fleet.start(MOVED)
    old.reconcile()
    new.devops.server.faults.add(says(400, WRONG, path="*/_apis/pipelines/43/runs"))
    new.aml.add_run("r1", experiment=EXPERIMENT)
    new.deliver(completed("r1"))
    new.reconcile()
    bootstrap.built(old.environ).relay.deliver(PROBE)  # its process is there since before
    replay(new)
    new.reconcile()
    assert new.started() == [(43, "r1")]


def test_it_is_met_once_more_and_not_with_each_probe_whoever_takes_it(fleet: Fleet) -> None:
    left = taken_back(fleet)
    back = deployed_again(fleet)
    met = back.ledger.shared(FILES)
    for _ in range(3):
        back.deliver(PROBE)
        left.deliver(PROBE)
    assert back.ledger.shared(FILES) == met


def test_nor_does_it_go_by_an_order_that_it_looked_at_before_that_deployment(fleet: Fleet) -> None:
    """Rolled back within the minutes of the roll-out, of which a round has just asked."""
    old = fleet.start(ROUTES)
    old.reconcile()
    claims(old, "r0")
    bad = fleet.start(MOVED)
    bad.deliver(PROBE)
    bad.reconcile(minutes=3)
    bad.clock.forward(seconds=20)
    back = deployed_again(fleet)
    claims(back)
    ends(back)
    bad.reconcile(seconds=35)
    assert bad.started() == []
    back.reconcile(minutes=2)
    assert back.started() == [(42, "r1")]
