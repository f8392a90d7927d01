"""Several runs are joined: what they are followed by is started once, when all have ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.joins.several import (
    ANNOUNCE,
    ROUTES,
    A,
    B,
    C,
    event,
    joining,
    joint,
    key,
    sent,
    set_up,
    stands,
    told,
    trained,
)
from tests.flow.rounds.sweeps import end, sweep

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.fixture(name="stage")
def with_a_join(stage: Stage) -> Stage:
    return set_up(stage)


def all_three(stage: Stage, batch: str = "b7") -> None:
    for run, experiment in (("r1", A), ("r2", B), ("r3", C)):
        trained(stage, run, experiment, batch=batch)


def test_once_all_have_ended_one_start_knows_them_all(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    all_three(stage)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r2", "r3"))]
    assert stands(stage, "r1", "r2", "r3") == ["skipped: joined"] * 3
    assert stage.only("r2").detail == "compare/b7/Joined: 2 of 3"
    assert joint(stage).state is State.STARTED
    assert [step.what for step in joint(stage).history][:4] == ["claimed", *["joined"] * 3]
    (line,) = [m for m in caplog.messages if m.startswith("join=")]
    assert line.startswith("join=begun route=compare by=b7 run=r1 until=")


def test_until_then_it_waits_and_says_for_whom(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r3", C)
    for _ in range(3):
        stage.reconcile(hours=1)
    assert sent(stage) == []
    waits = joint(stage)
    assert (waits.state, waits.reason, waits.detail) == (
        State.OPEN,
        Reason.INCOMPLETE,
        "2 of 3; waits for train-b",
    )
    backlog = stage.ledger.backlog(stage.clock.now())
    assert backlog.open == 0  # so that nobody is called for what has its time


def test_a_number_of_runs_may_be_of_any_experiments(stage: Stage) -> None:
    stage.routes(joining(all_of=2))
    trained(stage, "r1", A)
    trained(stage, "r2", A)
    trained(stage, "r3", A)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r2"))]
    assert stands(stage, "r3") == ["skipped: not_joined"]


def test_each_value_is_a_join_of_its_own(stage: Stage) -> None:
    all_three(stage)
    for run, experiment in (("s1", A), ("s2", B), ("s3", C)):
        trained(stage, run, experiment, batch="B7")
    trained(stage, "t1", A, batch="another")
    stage.reconcile(seconds=1)
    assert sorted(one["run_id"] for one in sent(stage)) == ["B7", "b7"]
    assert joint(stage, "another").detail == "1 of 3; waits for train-b, train-c"


def test_no_event_starts_it_again(stage: Stage) -> None:
    all_three(stage)
    stage.reconcile(seconds=1)
    stage.deliver(event("r3", C))
    trained(stage, "r4", A)
    for _ in range(3):
        stage.reconcile(minutes=5)
    assert len(sent(stage)) == 1
    assert stands(stage, "r4") == ["skipped: not_joined"]
    assert stage.only("r4").detail == "compare/b7/Joined comes after that was asked for"


def test_a_failed_run_whose_event_was_lost_is_found_by_the_sweep(stage: Stage) -> None:
    stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
    stage.reconcile()
    stage.clock.forward(days=2)
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    end(stage, "r3", experiment=C, status="Failed", tags={"batch": "b7"})
    sweep(stage)
    stage.reconcile(seconds=1)
    assert joint(stage).detail == "3 of 3; failed: r3 Failed"


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_one_that_failed_has_ended_and_holds_the_start_back(stage: Stage, status: str) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B, status)
    assert joint(stage).state is State.OPEN
    trained(stage, "r3", C)
    stage.reconcile(seconds=1)
    held = joint(stage)
    assert (held.state, held.reason) == (State.HELD, Reason.INCOMPLETE)
    assert held.detail == f"3 of 3; failed: r2 {status}"
    assert stands(stage, "r2") == ["skipped: joined"]


def test_a_training_that_is_tried_again_repairs_its_join(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C)
    stage.reconcile(seconds=1)
    trained(stage, "r4", B, "Failed")
    assert (stands(stage, "r4"), joint(stage).state) == (["skipped: not_joined"], State.HELD)
    trained(stage, "r5", B)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r3", "r5"))]
    assert stands(stage, "r5") == ["skipped: joined"]


def test_it_may_start_all_the_same_and_say_who_failed(stage: Stage) -> None:
    stage.routes(joining(if_one_fails="start"))
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r3"), failed=("r2",))]


def test_it_may_fail_for_good(stage: Stage) -> None:
    stage.routes(joining(if_one_fails="fail"))
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C)
    stage.reconcile(seconds=1)
    failed = joint(stage)
    assert (failed.state, failed.reason) == (State.FAILED, Reason.INCOMPLETE)
    trained(stage, "r4", B)
    stage.reconcile(minutes=1)
    assert (sent(stage), stands(stage, "r4")) == ([], ["skipped: not_joined"])


@pytest.mark.parametrize(
    ("if_one_fails", "comes"),
    [("hold", State.HELD), ("fail", State.FAILED), ("start", State.STARTED)],
)
def test_who_is_missing_when_the_time_is_over_counts_as_failed(
    stage: Stage, if_one_fails: str, comes: State
) -> None:
    stage.routes(joining(if_one_fails=if_one_fails))
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.reconcile(hours=11, minutes=59)
    assert joint(stage).state is State.OPEN
    stage.reconcile(minutes=2)
    assert joint(stage).state is comes
    assert sent(stage) == [told(runs=("r1", "r2"), missing=1)] * (comes is State.STARTED)


def test_the_last_may_come_while_it_is_held(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.reconcile(hours=13)
    assert joint(stage).detail == "2 of 3; waits for train-c"
    trained(stage, "r3", C)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r2", "r3"))]


def test_another_run_of_the_same_experiment_is_none_of_them(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", A)
    trained(stage, "r3", A, "Failed")
    assert stands(stage, "r2", "r3") == ["skipped: not_joined"] * 2
    assert stage.only("r2").detail == "compare/b7/Joined has run r1 already, which is Completed"
    assert joint(stage).detail == "1 of 3; waits for train-b, train-c"


def test_a_run_without_the_fact_or_of_another_experiment_is_none_of_them(stage: Stage) -> None:
    trained(stage, "r1", "train-z")
    trained(stage, "r2", A, batch=None)
    assert stands(stage, "r1", "r2") == ["skipped: not_joined", "open: facts_missing"]
    for _ in range(4):
        stage.reconcile(minutes=5)
    assert stands(stage, "r2") == ["skipped: not_joined"]
    assert stage.ledger.read(key()) is None


def test_the_gate_asks_of_all_of_them(stage: Stage) -> None:
    gated = joining(if_one_fails="start").replace(
        "    start:", "    when: size(join.runs) >= 2 && join.missing == 0\n    start:"
    )
    stage.routes(gated)
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C, "Failed")
    all_of_them = (("s1", A), ("s2", B))
    for run, experiment in all_of_them:
        trained(stage, run, experiment, batch="b8")
    trained(stage, "s3", C, "Failed", batch="b8")
    stage.reconcile(seconds=1)
    held = joint(stage)
    assert (held.state, held.reason) == (State.HELD, Reason.GATE)
    assert sent(stage) == [told("b8", runs=("s1", "s2"), failed=("s3",))]


def test_something_may_go_on_by_its_end(stage: Stage) -> None:
    behind = f"""
    then:
      succeeded:
        start: {{pipeline: {ANNOUNCE}, parameters: {{run_id: "{{{{ join.by }}}}",
                 after: "{{{{ pipeline.run }}}}"}}}}
"""
    stage.routes(ROUTES + behind.removeprefix("\n"))
    all_three(stage)
    stage.reconcile(seconds=1)
    build = stage.devops.runs[0].id
    stage.reconcile(seconds=121)
    stage.devops.finish(build, "succeeded")
    for _ in range(6):
        stage.reconcile(minutes=1)
    announced = stage.devops.runs[1]
    assert announced.pipeline_id == ANNOUNCE
    assert announced.template_parameters["run_id"] == "b7"
    assert announced.template_parameters["after"] == str(build)


def test_shadow_joins_and_starts_nothing(stage: Stage) -> None:
    stage.routes(ROUTES.replace("    start:", "    mode: shadow\n    start:"))
    all_three(stage)
    stage.reconcile(seconds=1)
    assert sent(stage) == []
    assert (joint(stage).state, joint(stage).reason) == (State.SKIPPED, Reason.SHADOW)


def test_a_value_of_any_length_has_a_join_of_its_own(stage: Stage) -> None:
    first, second = "b" * 300 + "1", "b" * 300 + "2"
    for n, (run, experiment) in enumerate((("r1", A), ("r2", B), ("r3", C))):
        trained(stage, run, experiment, batch=first)
        if n:
            trained(stage, f"s{n}", experiment, batch=second)
    stage.reconcile(seconds=1)
    assert [one["run_id"] for one in sent(stage)] == [first]


def test_an_operator_may_go_on_with_those_that_are_there(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    stage.reconcile(hours=13)
    operator = Replaying(stage.ledger, stage.clock, "ada")
    assert operator.replay(key()).done
    stage.reconcile(seconds=1)
    assert (joint(stage).state, sent(stage)) == (State.HELD, [])
    assert operator.replay(key(), ignore_gate=True).done
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1",), failed=("r2",), missing=1)]


def test_of_two_that_wait_for_a_place_the_one_whose_last_run_ended_last_is_the_latest(
    stage: Stage,
) -> None:
    queue = "    concurrency: {group: deploy, queue: latest}\n    start:"
    stage.routes(ROUTES.replace("    start:", queue))
    all_three(stage, "b0")
    stage.reconcile(seconds=1)
    trained(stage, "s1", A, batch="b1")
    stage.reconcile(hours=1)
    for run, experiment in (("t1", A), ("t2", B), ("t3", C)):
        trained(stage, run, experiment, batch="b2")
    stage.reconcile(hours=1)
    trained(stage, "s2", B, batch="b1")
    trained(stage, "s3", C, batch="b1")
    for _ in range(3):
        stage.reconcile(minutes=1)
    assert (joint(stage, "b1").state, joint(stage, "b2").reason) == (
        State.OPEN,
        Reason.SUPERSEDED,
    )
    assert joint(stage, "b2").detail.startswith("compare/b1/Joined")
