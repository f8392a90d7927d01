"""A run that was deleted is read with its old status; nothing follows it until it is restored."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.explaining import explained
from functions.core.operators.replaying import Replaying
from functions.core.terms.deadline import Deadline
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, route
from tests.saying.refusals import says
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage


def held_as_deleted(c: Continuation) -> bool:
    return (c.state, c.reason) == (State.HELD, Reason.DELETED)


def replay(stage: Stage, run: str = "r1") -> None:
    answer = Replaying(stage.ledger, stage.clock, "operator").replay(stage.only(run).key)
    assert answer.done
    stage.reconcile(minutes=1)


def test_a_run_that_was_deleted_before_its_event_is_held(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="run_relay")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.delete_run("r1")
    stage.deliver(completed("r1"))
    stage.deliver(changed("r1", "Completed"))
    stage.reconcile(hours=1)
    assert held_as_deleted(stage.only("r1"))
    assert stage.posts() == 0
    (told,) = [m for m in caplog.messages if m.startswith("continuation=held")]
    assert "reason=deleted" in told
    words = explained(stage.only("r1"), stage.clock.now(), Policy())
    assert "the run was deleted in Azure Machine Learning" in words.means
    assert "restore the run, then bin/relay replay register/r1/Completed" in words.do


@pytest.mark.parametrize("status", ["Failed", "Canceled", "Running"])
def test_so_is_one_that_ended_otherwise_or_never(stage: Stage, status: str) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT, status=status)
    stage.aml.delete_run("r1")
    stage.deliver(completed("r1") if status == "Running" else changed("r1", status))
    assert held_as_deleted(stage.only("r1"))
    assert stage.posts() == 0


def test_a_run_that_is_deleted_while_the_app_is_paused_is_held(stage: Stage) -> None:
    stage.deploy(PAUSED="1")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.PAUSED
    stage.aml.delete_run("r1")
    stage.deploy(PAUSED="0")
    stage.reconcile(hours=1)
    assert held_as_deleted(stage.only("r1"))
    assert stage.posts() == 0


@pytest.mark.parametrize("path", ["*/runs/get", "*/secrets/*", "*/_apis/pipelines/*"])
def test_a_run_that_is_deleted_while_it_is_parked_is_held(stage: Stage, path: str) -> None:
    """Whether it could not be read, the secret not be got, or Azure DevOps was busy."""
    for service in (stage.aml, stage.cloud.vault, stage.devops):
        service.server.faults.add(says(429, path=path, method="*", times=99))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert row.is_open
    assert not row.is_asked
    stage.aml.delete_run("r1")
    for service in (stage.aml, stage.cloud.vault, stage.devops):
        service.server.faults.clear()
    stage.reconcile(hours=2)
    assert held_as_deleted(stage.only("r1"))
    assert stage.started() == []


def test_a_run_that_is_deleted_while_a_fact_is_waited_for_is_held_as_that(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.FACTS_MISSING
    stage.aml.delete_run("r1")
    stage.reconcile(minutes=2)
    assert held_as_deleted(stage.only("r1"))


def test_a_replay_holds_it_again_until_the_run_is_restored(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.delete_run("r1")
    stage.deliver(completed("r1"))
    replay(stage)
    assert held_as_deleted(stage.only("r1"))
    assert stage.posts() == 0
    stage.aml.restore_run("r1")
    stage.deliver(completed("r1"))
    stage.reconcile(hours=1)
    assert held_as_deleted(stage.only("r1"))  # nothing goes on by itself
    replay(stage)
    assert stage.only("r1").state is State.STARTED
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_an_operator_who_ignores_the_gate_does_not_ignore_that(stage: Stage) -> None:
    route(stage, "when: run.metrics.accuracy > 0.9")
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.GATE
    stage.aml.delete_run("r1")
    asks = Replaying(stage.ledger, stage.clock, "operator")
    assert asks.replay(stage.only("r1").key, ignore_gate=True).done
    stage.reconcile(minutes=1)
    assert held_as_deleted(stage.only("r1"))


def test_what_was_started_stays_so(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.aml.delete_run("r1")
    stage.deliver(changed("r1", "Completed"))
    stage.reconcile(hours=2)
    assert stage.only("r1").state is State.STARTED
    assert stage.started() == [(42, "r1")]


def test_a_lost_answer_is_looked_for_all_the_same(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    fault = Fault("POST", "*/runs", drop="after")
    stage.devops.server.faults.add(fault)
    stage.deliver(completed("r1"))
    assert stage.only("r1").is_asked
    stage.aml.delete_run("r1")
    stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.FOUND)
    assert stage.started() == [(42, "r1")]


def test_a_deleted_part_of_another_run_is_no_business_of_a_route_for_whole_ones(
    stage: Stage,
) -> None:
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT)
    stage.aml.delete_run("s1")
    stage.deliver(completed("s1"))
    row = stage.only("s1")
    assert (row.state, row.reason) == (State.SKIPPED, Reason.NOT_ROOT)


def test_a_deleted_step_has_nothing_that_is_looked_for(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT, tags={"automl_best_child_run_id": "s1"})
    for step, accuracy in (("s1", 0.1), ("s2", 0.95)):
        metrics = {"accuracy": accuracy}
        stage.aml.add_run(step, parent="r1", experiment=EXPERIMENT, metrics=metrics)
    stage.aml.delete_run("s1")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.95"}


def test_a_search_that_shows_deleted_steps_changes_nothing(stage: Stage) -> None:
    """What AML's search shows of them is not documented."""
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for step, accuracy in (("s1", 0.1), ("s2", 0.95)):
        metrics = {"accuracy": accuracy}
        stage.aml.add_run(step, parent="r1", experiment=EXPERIMENT, metrics=metrics)
    stage.aml.delete_run("s1")
    search = {"experiment_ids": [stage.aml.add_experiment(EXPERIMENT)], "run_view_type": "ALL"}
    status, found = stage.aml.answer("POST", "runs/search", search)
    assert (status, len(found["runs"])) == (200, 3)
    body = stage.aml.app.json.dumps(
        {"runs": [r for r in found["runs"] if "s" in r["info"]["run_id"]]}
    )
    stage.aml.server.faults.add(Fault(path="*/runs/search", status=200, body=body))
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.95"}


def test_the_sweep_takes_up_none_that_was_deleted_and_one_that_was_restored(stage: Stage) -> None:
    stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
    stage.reconcile()
    stage.clock.forward(minutes=10)
    at = int(stage.clock.now().timestamp() * 1000)
    stage.aml.add_run("r1", experiment=EXPERIMENT, start_time=at - 60_000, end_time=at)
    stage.aml.delete_run("r1")
    stage.clock.forward(minutes=10)
    stage.app.sweep.sweep()
    assert stage.of_run("r1") == {}
    stage.aml.restore_run("r1")
    stage.app.sweep.sweep()
    assert stage.only("r1").state is State.STARTED


def test_the_run_read_back_says_so(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    workspace = stage.only("r1").event.workspace
    for deleted in (True, False):
        (stage.aml.delete_run if deleted else stage.aml.restore_run)("r1")
        read = stage.ports.runs.read(workspace, "r1", Deadline(stage.clock, 60))
        assert (read.deleted, read.status) == (deleted, "FINISHED")
