"""The main path over a real MLflow server, logged to by MLflow's own client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.events import parsing
from functions.core.terms.deadline import Deadline
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.asking import route
from tests.stage.azure import completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.real.mlflow import MLflow
    from tests.stage.azure import Stage

TRAINING = """
import sys, json
import mlflow

class Twice(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input

mlflow.set_experiment("defect-detection")
with mlflow.start_run(run_name="root") as root:
    mlflow.log_param("rate", 0.1)
    with mlflow.start_run(run_name="train", nested=True) as step:
        mlflow.log_metric("accuracy", 0.91)
        mlflow.pyfunc.log_model(name="classifier", python_model=Twice(),
                                registered_model_name="defects")
print(json.dumps({"root": root.info.run_id, "step": step.info.run_id}))
"""


def logged_by(script: str, server: MLflow, folder: Path) -> Any:
    """What a script prints that logs to the server in a process of its own."""
    file = folder / "train.py"
    file.write_text(script, "utf-8")
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    done = subprocess.run(
        [sys.executable, str(file)],
        env={**os.environ, **quiet, "MLFLOW_TRACKING_URI": server.url},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def trained(mlflow_server: MLflow, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A real training: the ids of its root and its step."""
    ids: dict[str, str] = logged_by(TRAINING, mlflow_server, tmp_path_factory.mktemp("training"))
    return ids


def test_metrics_and_model_of_a_real_training_reach_the_pipeline(
    stage: Stage, mlflow_server: MLflow, trained: dict[str, str], tmp_path: Path
) -> None:
    del tmp_path
    stage.cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    names = {
        "run_id": "run.id",
        "accuracy": "run.metrics.accuracy",
        "rate": "run.params.rate",
        "name": "model.name",
        "version": "model.version",
        "trained_by": "model.run_id",
        "path": "model.path",
        "flavors": "model.flavors",
    }
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=dict.fromkeys(names))
    asked = {name: f"{{{{ {fact} }}}}" for name, fact in names.items()}
    stage.routes(
        "version: 1\nroutes:\n- name: next\n  when: run.metrics.accuracy > 0.9\n  start:"
        f" {{organization: contoso, project: mlops, pipeline: 42, parameters: {json.dumps(asked)}}}"
    )
    stage.deliver(completed(trained["root"]))
    assert stage.only(trained["root"]).state is State.STARTED, stage.only(trained["root"])
    assert stage.devops.runs[0].template_parameters == {
        "run_id": trained["root"],
        "accuracy": "0.91",
        "rate": "0.1",
        "name": "defects",
        "version": "1",
        "trained_by": trained["step"],
        "path": "classifier",
        "flavors": '["python_function"]',
    }


def test_a_real_training_is_among_those_that_ended_and_its_step_is_not(
    stage: Stage, mlflow_server: MLflow, trained: dict[str, str]
) -> None:
    stage.cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    since = stage.clock.now() - timedelta(hours=1)
    workspace = parsing.workspace(WORKSPACE)
    ended = stage.ports.runs.ended(workspace, since, Deadline(stage.clock, 60))
    mine = [run for run in ended.runs if run.id in trained.values()]  # others train there too
    assert [run.id for run in mine] == [trained["root"]]
    assert ended.experiments[mine[0].experiment_id] == "defect-detection"
    assert ended.whole


DIVERGED = """
import json, math
import mlflow

mlflow.set_experiment("defect-detection")
ids = {}
for name, loss in (("nan", math.nan), ("inf", math.inf), ("minus", -math.inf)):
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_metric("loss", loss)
        mlflow.log_param("config", "x" * 7_000)
        mlflow.set_tag("note", "y" * 9_000)
        ids[name] = run.info.run_id
print(json.dumps(ids))
"""


@pytest.fixture(scope="module")
def diverged(mlflow_server: MLflow, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Trainings that diverged, logged by MLflow's own client: ids by what their loss is."""
    folder = tmp_path_factory.mktemp("diverged")
    ids: dict[str, str] = logged_by(DIVERGED, mlflow_server, folder)
    return ids


@pytest.mark.parametrize(
    ("when", "parameter", "reasons"),
    [
        ("!(run.metrics.loss > 0.5)", "run.id", {"nan", "inf", "minus"}),
        ("run.metrics.exists(k, run.metrics[k] > 0.5)", "run.id", {"nan", "inf", "minus"}),
        ("true", "run.metrics.loss", {"nan", "inf", "minus"}),
        ("!is_finite(run.metrics.loss)", "run.id", set()),
        ("is_nan(run.metrics.loss) || run.metrics.loss != 0.0", "run.id", {"inf", "minus"}),
    ],
)
def test_what_a_real_mlflow_makes_of_a_training_that_diverged_starts_only_who_asks_for_it(
    stage: Stage,
    mlflow_server: MLflow,
    diverged: dict[str, str],
    when: str,
    parameter: str,
    reasons: set[str],
) -> None:
    stage.cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    route(stage, f'when: "{when}"', of=f"{{{{ {parameter} }}}}")
    for run in diverged.values():
        stage.deliver(completed(run))
    rows = {name: stage.only(run) for name, run in diverged.items()}
    assert {n for n, row in rows.items() if row.reason is Reason.NOT_A_NUMBER} == reasons
    assert {n for n, row in rows.items() if row.state is State.STARTED} == rows.keys() - reasons
    for name in reasons:
        said = "NaN" if name == "nan" else "infinite"
        assert rows[name].detail == f"run.metrics.loss is {said}: the training diverged"


@pytest.mark.parametrize("fact", ["run.params.config", "run.tags.note"])
def test_what_a_real_mlflow_cut_is_not_passed_on_as_whole(
    stage: Stage, mlflow_server: MLflow, diverged: dict[str, str], fact: str
) -> None:
    stage.cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    route(stage, text=f"{{{{ {fact} }}}}")
    stage.deliver(completed(diverged["inf"]))
    row = stage.only(diverged["inf"])
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.CUT, 0)


CONTEST = """
import sys, json
import mlflow

client = mlflow.MlflowClient()
client.create_registered_model("contested")
mlflow.set_experiment("contest")
ids = []
for auc in (0.90, 0.95, 0.92):
    with mlflow.start_run() as run:
        mlflow.log_metric("auc", auc)
    source = f"{run.info.artifact_uri}/model"
    client.create_model_version("contested", source, run.info.run_id)
    ids.append(run.info.run_id)
client.set_registered_model_alias("contested", "champion", "1")
client.set_model_version_tag("contested", "2", "stage", "production")
print(json.dumps(ids))
"""


def test_a_real_registry_tells_the_champion_by_alias_and_by_tag(
    stage: Stage, mlflow_server: MLflow, tmp_path: Path
) -> None:
    _first, _second, third = logged_by(CONTEST, mlflow_server, tmp_path)
    stage.cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters={"run_id": ""})
    better = "'!champion.exists || run.metrics.auc > champion.metrics.auc'"
    chosen = {
        "alias": "{alias: champion}",
        "tag": "{tag: {stage: production}}",
        "newest": "newest",
        "unset": "{alias: nobody}",
    }
    stage.routes(
        "version: 1\ndefaults: {organization: contoso, project: mlops}\nroutes:\n"
        + "\n".join(
            f"- {{name: {name}, model: contested, when: {better}, champion: {form},"
            " start: {pipeline: 42, parameters: {run_id: '{{ run.id }}'}}}"
            for name, form in chosen.items()
        )
    )
    stage.deliver(completed(third))
    became = {name: (row.state, row.detail) for name, row in stage.of_run(third).items()}
    started = {name for name, (state, _) in became.items() if state is State.STARTED}
    assert started == {"alias", "unset"}, became
    for name in ("tag", "newest"):
        assert "champion.metrics.auc = 0.95" in became[name][1]
