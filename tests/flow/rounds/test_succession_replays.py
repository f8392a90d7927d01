"""Two route files on one ledger: what an operator opens again goes by the newer one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.dead_letters import DeadLetters, Fate
from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.rounds.test_succession import (
    NEW,
    ONLY_ANSWERS,
    Fleet,
    announced,
    claims,
    rounds,
)
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.flow.rounds.test_succession_resumes import MOVED, ends
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

GATED = ROUTES.replace("name: register", "name: register\n    when: run.metrics.accuracy >= 0.9")
SHADOW = GATED.replace("name: register", "name: register\n    mode: shadow")
GROUP = ROUTES.replace("name: register", "name: register\n    concurrency: {group: gpu}")


def rejected(fleet: Fleet, older: str, newer: str) -> tuple[Stage, Stage]:
    """What the older file started failed; the newer one has just been met."""
    old = fleet.start(older)
    old.reconcile()
    old.devops.server.faults.add(says(400, WRONG))
    ends(old)
    old.deliver(completed("r1"))
    assert old.only("r1").state is State.FAILED
    new = fleet.start(newer)
    new.reconcile(minutes=1)
    return old, new


def replay(stage: Stage, *, ignore_gate: bool = False) -> None:
    """An operator has mended the route, and deployed it."""
    operator = Replaying(stage.ledger, stage.clock, "ada@desk")
    assert operator.replay(stage.only("r1").key, ignore_gate=ignore_gate).done


def only_answers_by_now(fleet: Fleet) -> Stage:
    """What a route started failed, which only answers tasks in the file that came next."""
    first = fleet.start(f"# the first\n{NEW}")
    first.reconcile()
    first.devops.server.faults.add(says(400, WRONG, path="*/_apis/pipelines/43/runs"))
    ends(first)
    first.deliver(completed("r1"))
    old = fleet.start(ONLY_ANSWERS)
    old.reconcile(minutes=20)
    return old


def parked(fleet: Fleet, seconds: int = 0) -> tuple[Stage, Stage]:
    """What the older file has claimed is not final yet; the newer one has just been met."""
    old = fleet.start(ROUTES)
    old.reconcile()
    claims(old)
    new = fleet.start(MOVED)
    new.reconcile(minutes=1, seconds=seconds)
    return old, new


def goes_by_the_newer(old: Stage, new: Stage) -> None:
    """What was replayed, once the run has ended."""
    rounds_of(old)
    assert old.started() == []
    new.reconcile(minutes=2)
    assert new.started() == [(43, "r1")]


def rounds_of(old: Stage) -> None:
    """Those of an instance of the version before, which ends within these minutes."""
    for _ in range(3):
        old.reconcile(minutes=2)


def test_an_old_instance_starts_it_at_no_pipeline_of_before(fleet: Fleet) -> None:
    old, new = rejected(fleet, ROUTES, MOVED)
    replay(new)
    goes_by_the_newer(old, new)


def test_nor_does_it_match_what_an_operator_takes_up_of_what_was_given_up(fleet: Fleet) -> None:
    """What the older file has no route for would be gone with its letter."""
    old = fleet.start(ROUTES)
    old.reconcile()
    new = fleet.start(NEW)
    new.deliver({"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}})
    ends(new)
    event = {**completed("r1"), "eventTime": new.clock.now().isoformat()}
    (letter,) = DeadLetters(new.ledger, new.clock, timedelta(days=400)).take(event)
    assert letter.fate is Fate.KEPT
    rounds_of(old)
    assert old.started() == []
    new.reconcile(minutes=1)
    assert sorted(new.started()) == [(42, "r1"), (43, "r1")]


def test_what_was_given_up_waits_for_no_file_that_was_taken_back(fleet: Fleet) -> None:
    old = fleet.start(ROUTES)
    old.reconcile()
    fleet.start(NEW).reconcile(minutes=1)  # and is taken back
    ends(old)
    event = {**completed("r1"), "eventTime": old.clock.now().isoformat()}
    assert list(DeadLetters(old.ledger, old.clock, timedelta(days=400)).take(event))
    old.reconcile(minutes=10)
    assert old.started() == [(42, "r1")]


def test_nor_where_the_new_one_came_since_it_looked_who_is_the_newest(fleet: Fleet) -> None:
    """What it knows of that for seconds is not asked of what was replayed since."""
    old = fleet.start(ROUTES)
    old.devops.server.faults.add(says(400, WRONG))
    ends(old, "r1")
    old.deliver(completed("r1"))
    ends(old, "r2")
    old.devops.server.faults.add(says(400, WRONG))
    old.deliver(completed("r2"))
    operator = Replaying(old.ledger, old.clock, "ada@desk")
    operator.replay(old.only("r2").key)
    old.reconcile()  # which looks
    new = fleet.start(MOVED)
    new.deliver({"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}})
    replay(new)
    old.reconcile(seconds=5)
    assert old.started() == [(42, "r2")]
    new.reconcile(minutes=2)
    assert new.started() == [(42, "r2"), (43, "r1")]


def test_a_file_that_was_taken_back_long_ago_keeps_nothing_waiting_for_a_day(
    fleet: Fleet,
) -> None:
    """It was met last, and nobody works with it any more."""
    old = only_answers_by_now(fleet)
    taken_back = fleet.start(NEW)
    taken_back.reconcile(minutes=1)
    old.clock.forward(days=1)
    operator = Replaying(old.ledger, old.clock, "ada@desk")
    assert operator.replay(announced(old).key).done
    old.reconcile(minutes=2)
    assert announced(old).state is State.HELD


def test_nor_beside_another_of_the_group_that_it_is_in_by_now(fleet: Fleet) -> None:
    old, new = rejected(fleet, ROUTES, GROUP)
    ends(new, "r2")
    new.deliver(completed("r2"))
    replay(new)
    rounds_of(old)
    assert old.started() == [(42, "r2")]
    new.reconcile(minutes=2)
    assert new.only("r1").reason is Reason.CONCURRENCY


def test_nor_does_it_skip_for_good_what_is_in_the_shadow_no_more(fleet: Fleet) -> None:
    """What is skipped is not replayed: the operator's word would be lost."""
    old = fleet.start(SHADOW)
    old.reconcile()
    ends(old, metrics={"accuracy": 0.5})
    old.deliver(completed("r1"))
    assert old.only("r1").reason is Reason.GATE
    new = fleet.start(GATED)
    new.reconcile(minutes=1)
    replay(new, ignore_gate=True)
    rounds_of(old)
    assert new.only("r1").state is State.OPEN
    new.reconcile(minutes=2)
    assert new.started() == [(42, "r1")]


def test_nor_hold_what_it_starts_nothing_for(fleet: Fleet) -> None:
    """The old file has a route of that name, which only answers tasks."""
    old = only_answers_by_now(fleet)
    new = fleet.start(NEW)
    new.reconcile(minutes=1)
    assert announced(new).state is State.FAILED
    operator = Replaying(new.ledger, new.clock, "ada@desk")
    assert operator.replay(announced(new).key).done
    rounds_of(old)
    assert announced(new).state is State.OPEN
    rounds(new, hours=1)
    assert (43, "r1") in new.started()


def test_nor_try_at_once_by_its_own_file_what_it_has_claimed_itself(fleet: Fleet) -> None:
    old, new = parked(fleet, seconds=30)
    assert new.only("r1").reason is Reason.NOT_FINAL
    ends(new)
    replay(new)
    goes_by_the_newer(old, new)


def test_nor_where_it_is_due_already_when_an_operator_wants_it_tried(fleet: Fleet) -> None:
    old, new = parked(fleet, seconds=30)
    assert new.only("r1").reason is Reason.NOT_FINAL
    new.clock.forward(minutes=2)
    assert new.only("r1").due_at < new.clock.now()
    ends(new)
    replay(new)
    goes_by_the_newer(old, new)


def test_nor_once_the_new_one_has_tried_it_in_vain(fleet: Fleet) -> None:
    """The rounds of both come in turns, as where it is worked in parts."""
    old, new = parked(fleet)
    replay(new)
    new.reconcile(seconds=30)
    assert new.only("r1").reason is Reason.NOT_FINAL
    ends(new)
    goes_by_the_newer(old, new)


@pytest.mark.parametrize("ignore_gate", [False, True])
def test_after_the_minutes_of_a_roll_out_whoever_is_left_goes_on(
    fleet: Fleet, *, ignore_gate: bool
) -> None:
    old, new = rejected(fleet, ROUTES, MOVED)
    replay(new, ignore_gate=ignore_gate)
    rounds(old, hours=1)
    assert old.started() == [(42, "r1")]


def test_where_no_newer_file_was_met_it_goes_on_at_once(fleet: Fleet) -> None:
    """Also where its own was met long after the claim."""
    old, new = rejected(fleet, ROUTES, MOVED)
    rounds(new, hours=1)
    replay(new)
    new.reconcile(minutes=1)
    assert new.started() == [(43, "r1")]
    assert old.only("r1").state is State.STARTED


def test_so_it_is_from_the_probe_on_with_which_a_deployment_ends(fleet: Fleet) -> None:
    """No round of the new version has come yet."""
    old = fleet.start(ROUTES)
    old.reconcile()
    old.devops.server.faults.add(says(400, WRONG))
    ends(old)
    old.deliver(completed("r1"))
    new = fleet.start(MOVED)
    new.deliver({"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}})
    replay(new)
    goes_by_the_newer(old, new)


def test_a_probe_finds_an_app_ready_whose_routes_cannot_be_read(fleet: Fleet) -> None:
    """It is the doctor that says so; the deployment has looked at the file before."""
    new = fleet.start("no routes")
    new.deliver({"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}})
    assert new.ledger.shared("probe").value["id"] == "p1"
