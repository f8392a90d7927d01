"""Where metrics and models are found, and that no more is read than the routes use."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask, request

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job, JobOutput
from local.cloud import TEXT, WORKSPACE
from local.serving.faults import Fault
from local.serving.web import Server
from tests.flow.asking import EXPERIMENT, asked, calls, route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

HISTORY = json.dumps(
    [
        {"run_id": "r1", "artifact_path": "old", "utc_time_created": "2026-01-01 10:00:00"},
        {
            "run_id": "r1",
            "artifact_path": "model",
            "utc_time_created": "2026-01-01 11:00:00",
            "flavors": {"sklearn": {}, "python_function": {}},
        },
    ]
)


def test_a_route_that_names_the_run_alone_reads_the_run_alone(stage: Stage) -> None:
    route(stage)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert calls(stage) == ["runs/get"]


def test_the_workspace_is_asked_once_per_process(stage: Stage) -> None:
    route(stage)
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    assert len(stage.cloud.arm.server.requests) == 1


def test_the_gate_sees_the_root_metric(stage: Stage) -> None:
    route(stage, "when: run.metrics.accuracy >= 0.9", accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", metrics={"accuracy": 0.95}, experiment=EXPERIMENT)
    stage.aml.add_run("step", parent="r1", metrics={"accuracy": 0.1}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.95"}
    assert calls(stage) == ["runs/get"]


def test_a_gate_that_says_no_holds_and_tells_what_it_saw(stage: Stage) -> None:
    route(stage, "when: run.metrics.accuracy >= 0.9")
    stage.aml.add_run("r1", metrics={"accuracy": 0.5}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.GATE, 0)
    assert "run.metrics.accuracy = 0.5" in row.detail


def test_a_metric_that_comes_late_is_waited_for(stage: Stage) -> None:
    route(stage, "when: run.metrics.accuracy >= 0.9")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.FACTS_MISSING
    stage.aml.add_run("r1", metrics={"accuracy": 0.95}, experiment=EXPERIMENT)
    stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED


def test_a_metric_that_never_comes_holds_after_the_wait(stage: Stage) -> None:
    route(stage, "wait_for_facts: 3m", accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    for _ in range(4):
        stage.reconcile(minutes=1)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.FACTS_MISSING)
    assert "run.metrics.accuracy" in row.detail


def test_the_only_child_that_has_the_metric_is_taken(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("prepare", parent="r1", metrics={"rows": 10}, experiment=EXPERIMENT)
    stage.aml.add_run("train", parent="r1", metrics={"accuracy": 0.93}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.93"}


def test_several_children_with_the_metric_are_ambiguous(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for name in ("fold-1", "fold-2"):
        stage.aml.add_run(name, parent="r1", metrics={"accuracy": 0.9}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.AMBIGUOUS)
    assert "fold-1" in row.detail
    assert "fold-2" in row.detail


def test_step_names_the_child(stage: Stage) -> None:
    route(stage, "step: Fold-2", accuracy="{{ run.metrics.accuracy }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for name, accuracy in (("fold-1", 0.1), ("fold-2", 0.9)):
        stage.aml.add_run(name, parent="r1", metrics={"accuracy": accuracy}, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.9"}


def test_automl_names_its_best_child(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}", path="{{ model.path }}")
    stage.aml.add_run("r1", tags={"automl_best_child_run_id": "r1_7"}, experiment=EXPERIMENT)
    for name in ("r1_6", "r1_7"):
        history = HISTORY.replace("model", f"model-{name}").replace('"r1"', f'"{name}"')
        tags = {"mlflow.log-model.history": history}
        metrics = {"accuracy": float(name[-1])}
        stage.aml.add_run(name, parent="r1", metrics=metrics, tags=tags, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "7.0", "path": "model-r1_7"}


def test_the_model_history_of_the_run_needs_no_further_call(stage: Stage) -> None:
    route(stage, path="{{ model.path }}", flavors="{{ model.flavors }}", uri="{{ model.uri }}")
    tags = {"mlflow.log-model.history": HISTORY}
    stage.aml.add_run("r1", tags=tags, experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert asked(stage) == {
        "path": "model",
        "flavors": '["python_function","sklearn"]',
        "uri": "runs:/r1/model",
    }
    assert calls(stage) == ["runs/get"]


def test_a_job_output_names_the_registered_model(stage: Stage) -> None:
    route(stage, name="{{ model.name }}", version="{{ model.version }}")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    output = JobOutput("mlflow_model", "azureml://x", "defects", "3")
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs={"model": output}))
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "defects", "version": "3"}


def test_a_registered_model_is_found_although_aml_refuses_to_search_by_run(stage: Stage) -> None:
    route(stage, name="{{ model.name }}", version="{{ model.version }}")
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.aml.add_model_version(f"model-{run}", 4, run)
    stage.deliver(completed("r1"))
    assert asked(stage) == {"name": "model-r1", "version": "4"}
    stage.aml.server.requests.clear()
    stage.deliver(completed("r2"))
    assert sorted(calls(stage)) == ["registered-models/search", "runs/get"]


def pipeline_job(stage: Stage) -> None:
    """A job whose metric and model are those of its step."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("prepare", parent="r1", experiment=EXPERIMENT)
    tags = {"mlflow.log-model.history": HISTORY.replace("r1", "train")}
    stage.aml.add_run(
        "train", parent="r1", metrics={"accuracy": 0.9}, tags=tags, experiment=EXPERIMENT
    )


def test_the_root_s_own_model_is_the_one_wherever_the_metric_is_found(stage: Stage) -> None:
    model = 'parameters: {run_id: "{{ run.id }}", name: "{{ model.name }}"}'
    stage.routes(f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - {{name: above, when: run.metrics.accuracy >= 0.8, start: {{pipeline: 42, {model}}}}}
  - {{name: below, start: {{pipeline: 43, {model}}}}}
""")
    for number in (42, 43):
        stage.devops.add_pipeline(
            "contoso", "mlops", number, "next", parameters={"run_id": TEXT, "name": TEXT}
        )
    pipeline_job(stage)
    stage.aml.add_model_version("of-the-step", 4, "train")
    stage.aml.add_model_version("of-the-root", 4, "r1")
    stage.deliver(completed("r1"))
    found = {run.pipeline_id: run.template_parameters["name"] for run in stage.devops.runs}
    assert found == {42: "of-the-root", 43: "of-the-root"}


def test_an_output_of_the_job_comes_before_the_model_of_its_step(stage: Stage) -> None:
    route(stage, accuracy="{{ run.metrics.accuracy }}", version="{{ model.version }}")
    pipeline_job(stage)
    stage.aml.add_model_version("defects", 7, "train")
    output = JobOutput("mlflow_model", "azureml://x", "defects", "3")
    stage.cloud.arm.add_job(WORKSPACE, Job("r1", outputs={"model": output}))
    stage.deliver(completed("r1"))
    assert asked(stage) == {"accuracy": "0.9", "version": "3"}


@pytest.mark.parametrize("refusal", [500, 503, 401, 403, 404])
def test_a_run_that_cannot_be_read_parks_and_starts_later(stage: Stage, refusal: int) -> None:
    route(stage)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=refusal, times=2))
    stage.deliver(completed("r1"))
    expected = Reason.RUN_NOT_FOUND if refusal == 404 else Reason.RUN_UNREADABLE
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.OPEN, expected)
    stage.aml.server.faults.clear()
    stage.reconcile(minutes=31)
    assert stage.only("r1").state is State.STARTED


def test_a_workspace_that_never_answers_costs_no_acknowledgement(stage: Stage) -> None:
    route(stage)
    stage.deploy(DELIVERY_DEADLINE_SECONDS="1")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.server.faults.add(Fault(hang=True, times=9))
    stage.deliver(completed("r1"))
    stage.aml.server.faults.clear()
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.RUN_UNREADABLE)
    assert row.updated_at - row.created_at < timedelta(seconds=15)
    stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED


def test_a_plain_mlflow_2_server_serves_the_mlmodel_file(stage: Stage) -> None:
    route(stage, trained_by="{{ model.run_id }}", flavors="{{ model.flavors }}")
    app = Flask("mlflow2")
    info = {"run_id": "r1", "status": "FINISHED", "experiment_id": "7"}
    app.add_url_rule("/api/2.0/mlflow/runs/get", "run", lambda: {"run": {"info": info}})
    app.add_url_rule("/api/2.0/mlflow/model-versions/search", "versions", dict)
    app.add_url_rule(
        "/get-artifact",
        "artifact",
        lambda: f"run_id: {request.args['run_uuid']}\nflavors: {{sklearn: {{}}, onnx: {{}}}}\n",
    )
    with Server(app) as server:
        stage.cloud.arm.add_workspace(WORKSPACE, server.url)
        stage.deliver(completed("r1"))
    assert asked(stage) == {"trained_by": "r1", "flavors": '["onnx","sklearn"]'}
    assert server.received("GET", "/get-artifact")[0].query["path"] == "model/MLmodel"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("metadata: " + "[" * 99 + "]" * 99, ""),
        ("metadata: " + "[" * 100 + "]" * 100, "is nested more than 100 deep"),
        ("metadata: [", "is no YAML"),
        ("x: " + "9" * 101, "has a number of more than 100 characters"),
        ("x: !!python/name:os.system x", "has a tag or a key that is not supported"),
        ("# " + "x" * 4_000_000, "is longer than 4000000 bytes"),
        ("x: \udcff", "is no YAML"),
    ],
    ids=["as deep as allowed", "deeper", "open", "long number", "tag", "long", "no text"],
)
def test_an_mlmodel_that_cannot_be_read_is_told_and_waited_for_no_longer_than_other_facts(
    stage: Stage, text: str, why: str
) -> None:
    route(stage, flavors="{{ model.flavors }}")
    app = Flask("mlflow2")
    info = {"run_id": "r1", "status": "FINISHED", "experiment_id": "7"}
    body = f"flavors: {{sklearn: {{}}}}\n{text}\n".encode(errors="surrogateescape")
    app.add_url_rule("/api/2.0/mlflow/runs/get", "run", lambda: {"run": {"info": info}})
    app.add_url_rule("/api/2.0/mlflow/runs/search", "runs", dict, methods=["POST"])
    app.add_url_rule("/api/2.0/mlflow/model-versions/search", "versions", dict)
    app.add_url_rule("/get-artifact", "artifact", lambda: body)
    with Server(app) as server:
        stage.cloud.arm.add_workspace(WORKSPACE, server.url)
        stage.deliver(completed("r1"))
        if not why:
            assert asked(stage) == {"flavors": '["sklearn"]'}
            return
        row = stage.only("r1")
        assert (row.state, row.reason) == (State.OPEN, Reason.FACTS_MISSING)
        assert row.detail.startswith(f"model.flavors is not known: the file MLmodel {why}")
        stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.FACTS_MISSING)
    assert why in row.detail
