"""AML answers with something odd: it is told as what it is, and no fact is made of it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from functions.adapters.aml import runs
from functions.adapters.aml.answers import parse
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, asked, parked, route, starts_once_cured
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.mark.parametrize(
    "properties",
    [[1], {}, *({"mlFlowTrackingUri": u} for u in (5, "azureml://", "https://a b/", "ftp://x"))],
)
def test_a_workspace_without_a_usable_address_parks(stage: Stage, properties: object) -> None:
    arm = stage.cloud.arm.server
    body = json.dumps({"id": WORKSPACE, "properties": properties})
    arm.faults.add(Fault(times=9, status=200, body=body))
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert "ml-prod names no MLflow tracking URI" in stage.only("r1").detail
    assert starts_once_cured(stage, arm)


@pytest.mark.parametrize("host", ["[::1", "%zz", "exa\u0000mple"])
def test_an_address_that_leads_nowhere_parks(stage: Stage, host: str) -> None:
    body = json.dumps({"id": WORKSPACE, "properties": {"mlFlowTrackingUri": f"https://{host}/x"}})
    stage.cloud.arm.server.faults.add(Fault(status=200, body=body))
    assert parked(stage) is Reason.RUN_UNREADABLE


INFO = {"run_id": "r1", "status": "FINISHED"}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"runs": 5},
        {"run": 5},
        {"run": {"info": {"run_id": "r1"}}},
        {"run": {"info": {"status": "FINISHED"}}},
        {"run": {"info": INFO, "data": [1]}},
        {"run": {"info": INFO, "data": {"tags": 5}}},
        {"run": {"info": INFO, "data": {"metrics": 5}}},
        {"run": {"info": {**INFO, "run_id": "two words"}}},
        {"run": {"info": {**INFO, "run_id": "r\ud800"}}},
        {"run": {"info": {**INFO, "run_id": 10**400}}},
    ],
)
def test_an_answer_that_is_no_run_parks(stage: Stage, answer: object) -> None:
    aml = stage.aml.server
    aml.faults.add(Fault(path="*/runs/get", times=9, status=200, body=json.dumps(answer)))
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert starts_once_cured(stage, aml)


ODD_METRICS = {
    "text": '"low"',
    "null": "null",
    "a list": "[1]",
    "nan": "NaN",
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5_000,
    "deep": "[" * 90 + "]" * 90,
}


def answers(stage: Stage, metric: str, tag: str = '"x"') -> None:
    """AML tells of r1 with this loss, an accuracy of 0.9, and this tag."""
    body = (
        f'{{"run": {{"info": {json.dumps(INFO)}, "data": {{"metrics": [{{"key": "loss", "value": '
        f'{metric}}}, {{"key": "accuracy", "value": 0.9}}], "tags": [{{"key": "t", "value": {tag}'
        "}]}}}"
    )
    stage.aml.server.faults.add(Fault(path="*/runs/get", times=9, status=200, body=body))


@pytest.mark.parametrize("odd", ODD_METRICS.values(), ids=ODD_METRICS)
def test_a_metric_that_is_no_number_costs_only_itself(stage: Stage, odd: str) -> None:
    route(stage, "when: run.metrics.accuracy >= 0.9", accuracy="{{ run.metrics.accuracy }}")
    answers(stage, odd)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.9"}


SAID = {
    "nan": "is NaN: the training diverged",
    "400 digits": "is infinite: the training diverged",
    "5,000 digits": "is NaN: the training diverged",  # which is what jsontext makes of it
}


def held(stage: Stage) -> tuple[State, Reason, str]:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    return row.state, row.reason, row.detail


@pytest.mark.parametrize("odd", ODD_METRICS)
def test_who_needs_a_metric_that_is_no_number_is_told_so(
    stage: Stage, caplog: pytest.LogCaptureFixture, odd: str
) -> None:
    caplog.set_level(0)
    route(stage, loss="{{ run.metrics.loss }}")
    answers(stage, ODD_METRICS[odd])
    state, reason, detail = held(stage)
    assert (state, reason, stage.posts()) == (State.HELD, Reason.NOT_A_NUMBER, 0)
    said = f"run.metrics.loss {SAID.get(odd, 'is no number: ')}"
    assert detail.startswith(said)
    assert said in caplog.text


def test_so_is_whose_gate_needs_one(stage: Stage) -> None:
    route(stage, "when: run.metrics.loss < 0.5")
    answers(stage, "null")
    said = "run.metrics.loss is no number: None"
    assert held(stage) == (State.HELD, Reason.NOT_A_NUMBER, said)


def test_so_is_who_needs_one_of_a_step(stage: Stage) -> None:
    route(stage, loss="{{ run.metrics.loss }}")
    tags = [{"key": "mlflow.parentRunId", "value": "r1"}]
    data = {"metrics": [{"key": "loss"}], "tags": tags}
    child = {"info": {**INFO, "run_id": "s1"}, "data": data}
    body = json.dumps({"runs": [child]})
    stage.aml.server.faults.add(Fault(path="*/runs/search", times=9, status=200, body=body))
    said = "run.metrics.loss is no number: None"
    assert held(stage) == (State.HELD, Reason.NOT_A_NUMBER, said)


@pytest.mark.parametrize(
    "tag", ["9" * 5_000, "[" * 90 + "]" * 90, '"\\ud800"', "NaN", "1e400"], ids=lambda t: t[:5]
)
def test_a_tag_that_makes_no_sense_costs_only_itself(stage: Stage, tag: str) -> None:
    answers(stage, "1", tag)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("depth", [101, 100_000])
def test_an_answer_that_is_nested_too_deep_is_no_run(stage: Stage, depth: int) -> None:
    answers(stage, "1", "[" * depth + "]" * depth)
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert starts_once_cured(stage, stage.aml.server)


@pytest.mark.parametrize("end_time", [{}, "soon", 10**30, -(10**30)])
def test_a_time_that_is_none_is_left_out(stage: Stage, end_time: object) -> None:
    answer = {"run": {"info": {**INFO, "end_time": end_time}}}
    body = json.dumps(answer)
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=200, body=body))
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (5, Reason.FACTS_MISSING),
        ({"a": 1}, Reason.FACTS_MISSING),
        ([5], Reason.RUN_UNREADABLE),
        ([{"info": {}}], Reason.RUN_UNREADABLE),
    ],
)
def test_children_that_make_no_sense_park(stage: Stage, runs: object, reason: Reason) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    body = json.dumps({"runs": runs})
    stage.aml.server.faults.add(Fault(path="*/runs/search", times=9, status=200, body=body))
    assert parked(stage) is reason


@pytest.mark.parametrize(
    "models",
    [
        5,
        [5],
        [{"latest_versions": 5}],
        [{"latest_versions": [5]}],
        [{"latest_versions": [{"run_id": "r1", "name": ["m"], "version": {}}]}],
    ],
)
def test_models_that_make_no_sense_are_none(stage: Stage, models: object) -> None:
    route(stage, name="{{ model.name }}")
    body = json.dumps({"registered_models": models})
    search = Fault(path="*/registered-models/search", times=9, status=200, body=body)
    stage.aml.server.faults.add(search)
    assert parked(stage) is Reason.FACTS_MISSING


def test_a_version_without_a_usable_time_is_older_than_all_others(stage: Stage) -> None:
    route(stage, version="{{ model.version }}")
    odd = {"run_id": "r1", "name": "m", "version": "2", "creation_timestamp": "yesterday"}
    known = {"run_id": "r1", "name": "m", "version": "1", "creation_timestamp": 1}
    body = json.dumps({"registered_models": [{"latest_versions": [odd, known]}]})
    search = Fault(path="*/registered-models/search", status=200, body=body)
    stage.aml.server.faults.add(search)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"version": "1"}


@pytest.mark.parametrize(
    "outputs",
    [5, [1], {"model": 5}, {"model": {}}, {"model": {"jobOutputType": 7, "assetName": "m"}}],
)
def test_job_outputs_that_make_no_sense_are_no_model(stage: Stage, outputs: object) -> None:
    route(stage, name="{{ model.name }}")
    body = json.dumps({"name": "r1", "properties": {"outputs": outputs}})
    stage.cloud.arm.server.faults.add(Fault(path="*/jobs/*", status=200, body=body))
    assert parked(stage) is Reason.FACTS_MISSING


def test_a_job_output_may_give_its_version_as_a_number(stage: Stage) -> None:
    route(stage, name="{{ model.name }}", version="{{ model.version }}")
    output = {"jobOutputType": "mlflow_model", "assetName": "defects", "assetVersion": 3}
    body = json.dumps({"name": "r1", "properties": {"outputs": {"model": output, "log": 5}}})
    stage.cloud.arm.server.faults.add(Fault(path="*/jobs/*", status=200, body=body))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}


@pytest.mark.parametrize(
    "history",
    ["model", "5", "null", '{"artifact_path": "model"}', "[5]", '["model"]', "[" * 100_000]
    + [f'[{{"artifact_path": {path}}}]' for path in ("null", '["model"]', '{"a": 1}', '""')],
    ids=lambda history: history[:30],
)
def test_a_model_history_that_makes_no_sense_is_none(stage: Stage, history: str) -> None:
    route(stage, path="{{ model.path }}")
    tags = {"mlflow.log-model.history": history}
    stage.aml.add_run("r1", tags=tags, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
    is_json = not history.startswith(("model", "[[["))
    assert ("the tag mlflow.log-model.history is no JSON" in row.detail) is not is_json


def test_a_model_history_that_cannot_be_read_hides_no_model_of_a_step(stage: Stage) -> None:
    route(stage, path="{{ model.path }}")
    tag = "mlflow.log-model.history"
    stage.aml.add_run("r1", tags={tag: "["}, experiment=EXPERIMENT)
    stage.aml.add_run(
        "s1", parent="r1", tags={tag: '[{"artifact_path": "model"}]'}, experiment=EXPERIMENT
    )
    stage.deliver(completed("r1"))
    assert asked(stage) == {"path": "model"}


def test_an_entry_of_the_model_history_that_makes_no_sense_is_passed_over(stage: Stage) -> None:
    route(stage, path="{{ model.path }}")
    history = json.dumps(["x", {"artifact_path": ["y"]}, {"artifact_path": "model", "flavors": 5}])
    tags = {"mlflow.log-model.history": history}
    stage.aml.add_run("r1", tags=tags, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"path": "model"}


@pytest.mark.parametrize("value", [None, "low", True, [], {"a": 1}, 10**400, "NaN"])
def test_an_odd_metric_is_no_number_and_costs_the_others_nothing(
    stage: Stage, value: object
) -> None:
    metrics = [{"key": "loss", "value": value}, 5, {"value": 1}, {"key": "accuracy", "value": 0.9}]
    run = parse({"info": INFO, "data": {"metrics": metrics}})
    assert not math.isfinite(run.metrics.pop("loss"))
    assert run.metrics == {"accuracy": 0.9}
    body = json.dumps({"run": {"info": INFO, "data": {"metrics": metrics}}})
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.server.faults.add(Fault(path="*/runs/get", times=9, status=200, body=body))
    stage.deliver(completed("r1"))
    assert stage.posts() == 1


def test_an_odd_tag_or_parameter_is_none_and_costs_the_others_nothing() -> None:
    pairs = [5, {"value": "x"}, {"key": "null", "value": None}, {"key": "a", "value": "b"}]
    run = parse({"info": INFO, "data": {"tags": pairs, "params": [*pairs, {"key": "e"}]}})
    assert (run.tags, run.params) == ({"a": "b"}, {"a": "b", "e": ""})


PAGES = 200


def endless(stage: Stage, call: str, page: dict[str, object], tokens: str = "again") -> None:
    """Each page of this search names one more."""
    for n in range(PAGES):
        body = json.dumps({**page, "next_page_token": tokens.format(n)})
        stage.aml.server.faults.add(Fault(path=f"*/{call}", status=200, body=body))


def pages(stage: Stage) -> int:
    """How many of these were asked for."""
    return PAGES - stage.aml.server.faults.waiting


def test_a_search_for_children_that_repeats_a_page_is_asked_twice(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    endless(stage, "runs/search", {"runs": []})
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert "repeats a page" in stage.only("r1").detail
    assert pages(stage) == 2


def test_a_search_for_children_without_end_is_given_up(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    endless(stage, "runs/search", {"runs": []}, "{}")
    assert parked(stage) is Reason.RUN_UNREADABLE
    assert pages(stage) == runs.MOST_PAGES


@pytest.mark.parametrize(
    ("call", "page", "most"),
    [
        ("experiments/search", {"experiments": [{"experiment_id": "1", "name": "x"}]}, 2),
        ("runs/search", {"runs": []}, 4),  # two by end, and two by start
    ],
)
def test_a_sweep_whose_search_repeats_a_page_is_not_whole(
    stage: Stage, caplog: pytest.LogCaptureFixture, call: str, page: dict[str, object], most: int
) -> None:
    caplog.set_level("INFO")
    stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    endless(stage, call, page)
    stage.app.sweep.sweep()
    assert pages(stage) == most
    assert any("complete=no" in line for line in caplog.messages)
