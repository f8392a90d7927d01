"""A run that reads otherwise than its event says, and otherwise again: MLflow may lag behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT, calls
from tests.flow.rounds.sweeps import end, settled, sweep
from tests.saying.refusals import says
from tests.stage.azure import ONLY, changed, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage


def read_as(stage: Stage, status: str) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT, status=status)


def test_the_second_event_of_an_end_looks_once_more(stage: Stage) -> None:
    stage.routes(ONLY)
    read_as(stage, "Failed")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    assert stage.only("r1").reason is Reason.OUTCOME_CHANGED
    read_as(stage, "Completed")
    stage.deliver(changed("r1", "Completed"))
    assert stage.started() == [(42, "r1")]
    listed = stage.ledger.recent(stage.clock.now() - timedelta(days=1), 9)
    assert [c.state for c in listed] == [State.STARTED]


def test_a_run_that_did_end_otherwise_is_read_twice_and_no_more(stage: Stage) -> None:
    stage.routes(ONLY)
    read_as(stage, "Failed")
    for _ in range(5):
        stage.deliver(completed("r1"))
    assert calls(stage) == ["runs/get"] * 2
    assert stage.only("r1").state is State.SKIPPED


def test_a_run_that_reads_as_told_after_all_is_started_by_who_finds_out(stage: Stage) -> None:
    """Both outcomes were claimed by now, and each was to leave the run to the other."""
    read_as(stage, "Failed")
    stage.devops.server.faults.add(says(429, path="*/43/runs"))
    stage.deliver(completed("r1"))
    assert stage.of_run("r1")["report"].reason is Reason.THROTTLED
    read_as(stage, "Completed")
    stage.reconcile(hours=2)
    assert stage.started() == [(42, "r1")]
    assert stage.of_run("r1")["report"].reason is Reason.OUTCOME_CHANGED


def test_the_sweep_looks_once_more_too(cloud: Cloud, tmp_path: Path) -> None:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.routes(ONLY)
    end(stage, "r1", timedelta(minutes=-1), status="Failed")
    stage.clock.forward(minutes=2)
    stage.deliver(completed("r1"))
    stage.deliver(changed("r1", "Failed"))
    end(stage, "r1", timedelta(minutes=1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_both_events_of_an_end_that_came_while_it_read_otherwise_leave_it_to_the_sweep(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.routes(ONLY)
    end(stage, "r1", timedelta(minutes=-1), status="Failed")
    stage.clock.forward(minutes=2)
    stage.deliver(completed("r1"))
    stage.deliver(changed("r1", "Completed"))
    assert stage.only("r1").reason is Reason.OUTCOME_CHANGED
    end(stage, "r1", timedelta(minutes=1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_who_finds_out_takes_it_up_though_both_events_came_while_it_read_otherwise(
    stage: Stage,
) -> None:
    read_as(stage, "Failed")
    stage.devops.server.faults.add(says(429, path="*/43/runs"))
    stage.deliver(completed("r1"))
    stage.deliver(changed("r1", "Completed"))
    read_as(stage, "Completed")
    stage.reconcile(hours=2)
    assert stage.started() == [(42, "r1")]


def test_one_that_reads_in_turns_is_not_taken_up_for_ever(stage: Stage) -> None:
    stage.devops.server.faults.add(says(429, path="*/runs", times=99))
    for turn in range(12):
        read_as(stage, ("Failed", "Completed")[turn % 2])
        stage.deliver(completed("r1"))
        stage.reconcile(hours=2)
    found = stage.of_run("r1").values()
    assert [c.state for c in found] == [State.SKIPPED] * 2
    assert {c.claims(swept=False) for c in found} == {4}
