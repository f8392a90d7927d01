"""Each answer of Azure Machine Learning says what it is about, and is compared with that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, calls, parked, route, starts_once_cured
from tests.saying.refusals import says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

VERSIONS = "*/model-versions/search"


def told(run: str, name: str, at: int, version: str = "7") -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "run_id": run,
        "creation_timestamp": at,
        "source": f"runs:/{run}/model",
    }


def answers(stage: Stage, path: str, body: object) -> None:
    stage.aml.server.faults.add(Fault(path=path, status=200, body=json.dumps(body), times=99))


def child(run: str, parent: str | None, accuracy: float = 0.99) -> dict[str, Any]:
    tags = [{"key": "mlflow.parentRunId", "value": parent}] if parent else []
    return {
        "info": {"run_id": run, "run_name": "train", "status": "FINISHED", "experiment_id": "1"},
        "data": {"metrics": [{"key": "accuracy", "value": accuracy}], "tags": tags},
    }


def test_an_answer_about_another_run_is_not_this_run_s(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    answers(stage, "*/runs/get", {"run": child("another", None)})
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert "the answer is about another" in stage.only("r1").detail
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    assert starts_once_cured(stage, stage.aml.server)
    assert asked(stage) == {"accuracy": "0.5"}


def test_the_workspace_that_is_told_of_is_the_one_asked_for(stage: Stage) -> None:
    arm = stage.cloud.arm.server
    uri = {"mlFlowTrackingUri": stage.aml.tracking_uri}
    body = {"id": WORKSPACE.replace("ml-prod", "ml-test"), "properties": uri}
    arm.faults.add(Fault(times=9, status=200, body=json.dumps(body)))
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert "workspaces/ml-test" in stage.only("r1").detail
    assert starts_once_cured(stage, arm)


def test_a_workspace_is_known_whatever_the_case_of_its_id(stage: Stage) -> None:
    body = {"id": WORKSPACE.upper(), "properties": {"mlFlowTrackingUri": stage.aml.tracking_uri}}
    stage.cloud.arm.server.faults.add(Fault(times=9, status=200, body=json.dumps(body)))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_a_search_that_ignores_its_filter_is_not_believed(stage: Stage) -> None:
    """The run's own version is found all the same, among the latest."""
    route(stage, name="{{ model.name }}", version="{{ model.version }}")
    answers(stage, VERSIONS, {"model_versions": [told("another", "somebody-else-s", 2)]})
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_model_version("defects", 3, "r1")
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}
    before = calls(stage).count("model-versions/search")
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.aml.add_model_version("other", 1, "r2")
    stage.deliver(completed("r2"))
    assert stage.only("r2").state is State.STARTED
    assert calls(stage).count("model-versions/search") == before  # it was asked in vain once


def test_of_versions_of_many_runs_only_the_run_s_own_counts(stage: Stage) -> None:
    route(stage, name="{{ model.name }}", version="{{ model.version }}")
    mixed = [told("r1", "defects", 1, "4"), told("another", "defects", 2, "5"), {"name": "x"}]
    answers(stage, VERSIONS, {"model_versions": mixed})
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "4"}


def test_the_job_that_is_told_of_is_the_run_s(stage: Stage) -> None:
    route(stage, name="{{ model.name }}")
    output = {"jobOutputType": "mlflow_model", "assetName": "somebody-else-s"}
    body = json.dumps({"name": "another", "properties": {"outputs": {"m": output}}})
    stage.cloud.arm.server.faults.add(Fault(path="*/jobs/*", status=200, body=body, times=9))
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert stage.only("r1").detail == "job r1: the answer is about another"


@pytest.mark.parametrize("parent", ["another", None], ids=["another's", "nobody's"])
def test_a_child_of_somebody_else_is_no_child(stage: Stage, parent: str | None) -> None:
    route(stage, "step: train", accuracy="{{ run.metrics.accuracy }}")
    answers(stage, "*/runs/search", {"runs": [child("x", parent), child("s1", "r1", 0.5)]})
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.5"}


@pytest.mark.parametrize("parent", ["another", None], ids=["another's", "nobody's"])
def test_a_best_child_of_somebody_else_is_none(stage: Stage, parent: str | None) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    tags = {"automl_best_child_run_id": "x"}
    stage.aml.add_run("r1", tags=tags, experiment=EXPERIMENT)
    stage.aml.add_run("x", parent=parent, experiment=EXPERIMENT, metrics={"accuracy": 0.99})
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.5"}


def test_a_best_child_below_a_child_is_one(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    tags = {"automl_best_child_run_id": "x"}
    stage.aml.add_run("r1", tags=tags, experiment=EXPERIMENT)
    below = {"mlflow.rootRunId": "r1", "mlflow.parentRunId": "s1"}
    stage.aml.add_run("x", tags=below, experiment=EXPERIMENT, metrics={"accuracy": 0.99})
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.99"}


GATED = "when: run.metrics.accuracy > 0.9"


def gate_shown(stage: Stage) -> str:
    one = stage.app.overview.one("next/r1/Completed")
    return "; ".join(filter(None, (one.saw, one.gate and f"when: {one.gate}")))


def refuse(stage: Stage, message: str) -> None:
    stage.devops.server.faults.add(says(400, message, path="*/runs", times=99))


@pytest.mark.parametrize("message", ["The expression a = b is not valid.", "gate a = b"])
def test_a_refusal_is_not_what_the_gate_saw(stage: Stage, message: str) -> None:
    route(stage)
    refuse(stage, message)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert message in stage.only("r1").detail
    assert gate_shown(stage) == ""
    for _ in range(5):
        stage.reconcile(days=1)
    assert stage.only("r1").state is State.FAILED
    assert gate_shown(stage) == ""


def test_what_the_gate_saw_is_shown_whatever_was_said_after_it(stage: Stage) -> None:
    route(stage, GATED)
    refuse(stage, "The expression a = b is not valid.")
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.95})
    stage.deliver(completed("r1"))
    assert gate_shown(stage) == f"run.metrics.accuracy = 0.95; {GATED}"


def test_what_a_gate_saw_that_said_no_is_shown(stage: Stage) -> None:
    route(stage, GATED)
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.GATE
    assert gate_shown(stage) == f"run.metrics.accuracy = 0.5; {GATED}"


def test_a_gate_that_gave_no_answer_saw_nothing(stage: Stage) -> None:
    route(stage, "when: run.params.rate > 1")
    stage.aml.add_run("r1", experiment=EXPERIMENT, params={"rate": "a = b"})
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.GATE_ERROR
    assert gate_shown(stage) == ""


ERRORS = [
    {"message": "The service is being maintained."},
    {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"},
    {"error": {"code": "ServerBusy"}},
    {"Error": {"Message": "later"}},
    {"statusCode": 503},
]


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_an_error_that_is_called_200_is_no_empty_registry(
    stage: Stage, body: dict[str, object]
) -> None:
    gate = "when: '!champion.exists || run.metrics.auc > champion.metrics.auc'"
    route(stage, gate, "champion: newest", "model: defects")
    stage.aml.add_run("b1", experiment=EXPERIMENT, metrics={"auc": 0.9})
    stage.aml.add_model_version("defects", 3, "b1")
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"auc": 0.5})
    answers(stage, VERSIONS, body)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.RUN_UNREADABLE, 0)


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_nor_does_it_say_that_a_run_has_no_children(stage: Stage, body: dict[str, object]) -> None:
    route(stage, "when: run.children.failed == 0")
    answers(stage, "*/runs/search", body)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("s1", parent="r1", experiment=EXPERIMENT, status="Failed")
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.RUN_UNREADABLE, 0)
