"""`--require` and what `wait` shows of a run that ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.gates.gate import GateRefused
from local.aml.jobs import Jobs
from local.arm.jobs import Job
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from relay.waiting.required import Requirement
from tests.relay.waiting.waiter import Training, until

if TYPE_CHECKING:
    from local.cloud import Cloud
    from tests.relay.waiting.conftest import Wait

HOSTILE = "[bold]loss[/]\x1b[31m##vso[task.complete result=Succeeded;]"


def ended(cloud: Cloud, **facts: Any) -> Training:
    return Training(cloud, "r1", "Completed", **{"metrics": {"accuracy": 0.75}, **facts})


def test_a_threshold_that_holds_is_a_success_and_is_said(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    waiting = wait("r1", "--require", "metrics.accuracy >= 0.7")
    assert waiting.code() == 0
    assert "holds: metrics.accuracy >= 0.7 (run.metrics.accuracy = 0.75)\n" in waiting.out


def test_a_threshold_that_does_not_hold_tells_the_values_it_saw(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    waiting = wait("r1", "--require", "run.metrics.accuracy >= 0.8")
    assert waiting.code() == 1
    seen = "does not hold: run.metrics.accuracy >= 0.8 (run.metrics.accuracy = 0.75)\n"
    assert seen in waiting.out


def test_every_requirement_must_hold_and_each_is_told(cloud: Cloud, wait: Wait) -> None:
    ended(cloud, params={"epochs": "2"}, tags={"stage": "test"})
    required = ["metrics.accuracy > 0.5", 'params.epochs == "3"', 'tags["stage"] == "test"']
    waiting = wait("r1", *(word for text in required for word in ("--require", text)))
    assert waiting.code() == 1
    told = [line.partition(":")[0] for line in waiting.out.splitlines() if "hold" in line]
    assert told == ["holds", "does not hold", "holds"]


def test_facts_are_those_that_a_route_sees(cloud: Cloud, wait: Wait) -> None:
    ended(cloud, experiment="defect-1")
    cloud.aml.add_run("train", parent="r1", name="train", experiment="defect-1", metrics={"f1": 1})
    cloud.aml.add_model_version("defects", 3, "r1")
    expression = (
        'run.metrics.f1 > 0.9 && model.name == "defects" && run.experiment.startsWith("defect-")'
        ' && run.status == "Completed" && workspace.name == "ml-prod"'
    )
    assert wait("r1", "--require", expression).code() == 0


def test_a_metric_on_several_steps_asks_for_the_step(cloud: Cloud, wait: Wait) -> None:
    ended(cloud, metrics={})
    for step in ("train", "test"):
        cloud.aml.add_run(step, parent="r1", name=step, metrics={"f1": float(step == "test")})
    unnamed = wait("r1", "--require", "metrics.f1 > 0.9")
    assert (unnamed.code(), "name one with --step" in unnamed.out) == (1, True)
    assert wait("r1", "--step", "test", "--require", "metrics.f1 > 0.9").code() == 0


def test_a_sweep_is_judged_by_its_best_trial(cloud: Cloud, wait: Wait) -> None:
    trials = ({"Accuracy": 0.7}, {"Accuracy": 0.9}, {"Accuracy": 0.6})
    Jobs(cloud.aml, cloud.arm, "Default").sweep("HD_1", trials, best=1)
    waiting = wait("HD_1", "--require", "metrics.Accuracy >= 0.8")
    assert waiting.code() == 0
    assert "run.metrics.Accuracy = 0.9" in waiting.out


def test_a_step_that_is_not_there_is_told_with_those_that_are(cloud: Cloud, wait: Wait) -> None:
    Jobs(cloud.aml, cloud.arm, "Default").pipeline("r1", {"prep": {}, "train": {"f1": 1.0}})
    waiting = wait(
        *("r1", "--step", "training", "--wait-for-facts", "1s", "--require", "metrics.f1 > 0.5")
    )
    assert waiting.code() == 1
    assert "no child of r1 is named training: there are prep, train" in waiting.out


def test_of_several_registered_models_one_is_named(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    for name in ("defects", "scalers"):
        cloud.aml.add_model_version(name, 3, "r1")
    unnamed = wait("r1", "--require", 'model.version == "3"')
    assert (unnamed.code(), "name one with --model" in unnamed.out) == (1, True)
    required = ("--model", "defects", "--require", 'model.name == "defects"')
    assert wait("r1", *required).code() == 0


def test_a_metric_that_comes_late_is_waited_for(cloud: Cloud, wait: Wait) -> None:
    training = ended(cloud, metrics={})
    waiting = wait("r1", "--require", "metrics.accuracy > 0.5")
    until(lambda: bool(cloud.aml.server.received("POST", "/runs/search")))  # the steps', in vain
    training.becomes("Completed", metrics={"accuracy": 0.6})
    assert waiting.code() == 0


def test_a_metric_that_never_comes_is_not_waited_for_for_ever(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    waiting = wait("r1", "--wait-for-facts", "1s", "--require", "metrics.f1 > 0.5")
    assert waiting.code() == 1
    assert "does not hold: metrics.f1 > 0.5 (run.metrics.f1 is not known" in waiting.out


def test_facts_that_cannot_be_read_are_no_answer(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    cloud.aml.server.faults.add(Fault("GET", "*/runs/get", status=503, times=999))
    waiting = wait("r1", "--wait-for-facts", "1s", "--require", "metrics.accuracy > 0.5")
    assert waiting.code() == 12
    assert waiting.err.startswith("what is required cannot be judged: run r1: answered 503")


def test_metrics_of_what_is_no_step_are_not_shown(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1", "Completed")
    cloud.aml.add_run("s1", parent="r1", name="train", metrics={"loss": 0.25})
    search = {"experiment_ids": [cloud.aml.add_experiment("Default")], "run_view_type": "ALL"}
    cloud.aml.add_run("x", parent="another", name="foreign", metrics={"loss": 0.5})
    cloud.aml.add_run("s2", parent="r1", name="gone", metrics={"loss": 0.75})
    cloud.aml.delete_run("s2")
    found = cloud.aml.answer("POST", "runs/search", search)[1]
    fault = Fault("POST", "*/runs/search", status=200, body=json.dumps(found), times=9)
    cloud.aml.server.faults.add(fault)
    waiting = wait("r1")
    assert waiting.code() == 0
    assert "train" in waiting.out
    assert not any(name in waiting.out for name in ("foreign", "gone"))


def test_nothing_holds_of_a_run_that_was_deleted(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    cloud.aml.delete_run("r1")
    waiting = wait("r1", "--require", "metrics.accuracy > 0.5")
    assert (waiting.code(), "the run was deleted" in waiting.out) == (1, True)


def test_nothing_is_required_of_a_run_that_failed(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1", "Failed")
    waiting = wait("r1", "--require", "metrics.accuracy > 0.5")
    assert (waiting.code(), "hold" in waiting.out) == (10, False)


def test_metrics_are_shown_at_the_end(cloud: Cloud, wait: Wait) -> None:
    Training(cloud, "r1", "Failed", metrics={"loss": 0.25, "accuracy": 0.5})
    waiting = wait("r1")
    assert waiting.code() == 10
    rows = [line.split() for line in waiting.out.splitlines()]
    assert rows[-3:] == [["METRIC", "VALUE"], ["accuracy", "0.5"], ["loss", "0.25"]]


def test_metrics_of_the_steps_are_shown_with_their_names(cloud: Cloud, wait: Wait) -> None:
    ended(cloud, metrics={})
    cloud.aml.add_run("c1", parent="r1", name="train", metrics={"f1": 0.5})
    waiting = wait("r1")
    assert waiting.code() == 0
    rows = [line.split() for line in waiting.out.splitlines()]
    assert rows[-2:] == [["STEP", "METRIC", "VALUE"], ["train", "f1", "0.5"]]


def test_hostile_names_are_shown_as_text(cloud: Cloud, wait: Wait) -> None:
    ended(cloud, metrics={HOSTILE: 1.0})
    cloud.arm.add_job(WORKSPACE, Job("r1", status="##vso[task.complete]\x1b[2J"))
    waiting = wait("r1", "--patience", "5s")
    assert waiting.tells("task.complete")
    cloud.arm.add_job(WORKSPACE, Job("r1", status="Completed"))
    assert waiting.code() == 0
    assert "[bold]loss[/]" in waiting.out
    assert [bad in waiting.out for bad in ("\x1b[31m", "\x1b[2J", "##vso[")] == [False] * 3


def test_metrics_that_cannot_be_read_are_no_failure_of_the_run(cloud: Cloud, wait: Wait) -> None:
    ended(cloud)
    cloud.aml.server.faults.add(Fault("GET", "*/runs/get", status=403, times=9))
    waiting = wait("r1")
    assert waiting.code() == 0
    assert waiting.err.startswith("the metrics cannot be read: run r1: answered 403")


def test_json_is_one_line_on_its_own_and_safe_in_a_pipelines_log(cloud: Cloud, wait: Wait) -> None:
    ended(cloud, metrics={HOSTILE: 1.0, "huge": float("inf"), "accuracy": 0.75})
    waiting = wait("r1", "--json", "--require", "metrics.accuracy >= 0.8")
    told = waiting.json()
    assert "##vso[" not in waiting.out
    assert "Completed" in waiting.err
    assert told.pop("elapsed_seconds") >= 0
    (required,) = told.pop("required")
    assert (required["holds"], required["saw"]) == (False, "run.metrics.accuracy = 0.75")
    assert told == {
        "run": "r1",
        "workspace": WORKSPACE,
        "url": f"https://ml.azure.com/runs/r1?wsid={WORKSPACE}",
        "status": "Completed",
        "metrics": {HOSTILE: 1.0, "huge": "inf", "accuracy": 0.75},
        "exit_code": 1,
    }


def test_json_tells_of_a_wait_that_failed_too(wait: Wait) -> None:
    told = wait("nobody", "--json").json()
    assert (told["exit_code"], told["run"], "404" in told["detail"]) == (3, "nobody", True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("metrics.f1 > 0.9", "run.metrics.f1 > 0.9"),
        ('params["a b"] == "1"', 'run.params["a b"] == "1"'),
        ("run.metrics.f1 > 0.9", "run.metrics.f1 > 0.9"),
        ('"metrics.f1" == run.tags.metrics', '"metrics.f1" == run.tags.metrics'),
        ("has(metrics.f1) || size(tags) == 0", "has(run.metrics.f1) || size(run.tags) == 0"),
        (r'run.name == "a\"metrics.b" // metrics', r'run.name == "a\"metrics.b" // metrics'),
    ],
)
def test_short_names_mean_the_runs_own(text: str, meant: str) -> None:
    assert Requirement(text).gate.text == meant


@pytest.mark.parametrize("text", ["", "accuracy > 1", "metrics.f1 + 1", "1 +", "x" * 5000])
def test_an_expression_that_cannot_be_asked_is_refused(text: str) -> None:
    with pytest.raises(GateRefused):
        Requirement(text)
