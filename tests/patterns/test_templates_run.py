"""The scripts of `pipelines/`, run in Bash as an agent runs them, against the local Azure."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from local.cloud import SUBSCRIPTION, WORKSPACE
from tests.patterns.pipelines import Pipeline
from tests.relay.waiting.waiter import PATIENCE, Training, until
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from local.cloud import Cloud
    from tests.relay.waiting.waiter import JobsCli

EXTENSION = "extension add --name ml --version 2.44.1 --only-show-errors --output none"
WHERE = f"--subscription {SUBSCRIPTION} --resource-group rg-ml --workspace-name ml-prod"
SENT = {"model_name": "defects", "model_version": "3", "accuracy": "0.95", "run_id": "plum_pot_1"}
BUILD = {"jobName": "pr-7-a"}


class Agent:
    """A folder in which scripts run, with an `az` that writes down what it was asked."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = dict(environ)

    def install(self) -> None:
        """Have Run Relay where the step before has installed it."""
        python = self.folder / "temp/relay/bin/python"
        python.parent.mkdir(parents=True)
        text = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"\n'
        python.write_text(text, "utf-8")
        python.chmod(0o755)

    def start(self, pipeline: Pipeline, step: str, **parameters: Any) -> subprocess.Popen[str]:
        """Start a step with these parameters and the others' defaults."""
        given = {"workspace": WORKSPACE, **parameters}
        script = pipeline.script(step)
        return script.run(self.folder, pipeline.values(**given), BUILD, self.environ)

    def run(self, pipeline: Pipeline, step: str, **parameters: Any) -> tuple[int, str]:
        """Exit code and output of a step."""
        process = self.start(pipeline, step, **parameters)
        out, _ = process.communicate(timeout=2 * PATIENCE)
        return process.returncode, out


@pytest.fixture
def agent(cloud: Cloud, az: JobsCli, tmp_path: Path) -> Agent:
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "job.yml").write_text("command: python train.py\n", "utf-8")
    return Agent(folder, {**cloud.settings(), **az.environ()})


class Asked:
    """An `az` that does nothing but write down its arguments, one call a line.

    It knows the deployments that an endpoint's traffic goes to.
    """

    def __init__(self, agent: Agent, folder: Path) -> None:
        folder.mkdir()
        self._log = folder / "log"
        self._served = folder / "served"
        self.serves()
        script = folder / "az"
        text = f'#!/bin/sh\necho "$*" >> "{self._log}"\n[ "$3" != show ] || cat "{self._served}"\n'
        script.write_text(text, "utf-8")
        script.chmod(0o755)
        agent.environ["PATH"] = f"{folder}:{agent.environ['PATH']}"

    def serves(self, *deployments: str) -> None:
        self._served.write_text("\n".join(deployments) + "\n", "utf-8")

    def calls(self) -> list[str]:
        return self._log.read_text("utf-8").splitlines() if self._log.exists() else []


@pytest.fixture
def asked(agent: Agent, tmp_path: Path) -> Asked:
    return Asked(agent, tmp_path / "asked")


VALIDATE = Pipeline("validate.yml")


def test_a_pull_request_passes_when_its_training_completed_well_enough(
    cloud: Cloud, agent: Agent, az: JobsCli
) -> None:
    agent.install()
    Training(cloud, "pr-7-a", "Completed", metrics={"accuracy": 0.9})
    az.answers("pr-7-a\n")
    overrides = ["inputs.epochs=1", "display_name=a 'quoted' $HOME \"name\""]
    code, out = agent.run(
        VALIDATE,
        "Submit and wait",
        jobFile="job.yml",
        overrides=overrides,
        require=["metrics.accuracy >= 0.5", 'run.status == "Completed"'],
    )
    assert (code, out.count("holds: ")) == (0, 2), out
    (call,) = az.calls()
    assert call[call.index("--set") + 1 :] == overrides
    assert call[call.index("--name") + 1] == "pr-7-a"


def test_a_pull_request_fails_when_its_training_is_not_good_enough(
    cloud: Cloud, agent: Agent, az: JobsCli
) -> None:
    agent.install()
    Training(cloud, "pr-7-a", "Completed", metrics={"accuracy": 0.4})
    az.answers("pr-7-a\n")
    required = ["metrics.accuracy >= 0.5"]
    code, out = agent.run(VALIDATE, "Submit and wait", jobFile="job.yml", require=required)
    assert (code, "run.metrics.accuracy = 0.4" in out) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_pipeline_run_cancels_its_training(
    cloud: Cloud, agent: Agent, az: JobsCli, number: signal.Signals
) -> None:
    agent.install()
    training = Training(cloud, "pr-7-a")
    az.answers("pr-7-a\n")
    process = agent.start(VALIDATE, "Submit and wait", jobFile="job.yml")
    until(lambda: bool(cloud.arm.server.received("GET", "/jobs/pr-7-a")))
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, training.cancels) == (130, 1), out


def test_the_last_step_cancels_by_the_name_that_was_submitted(agent: Agent, asked: Asked) -> None:
    assert agent.run(VALIDATE, "Cancel the training")[0] == 0
    assert asked.calls() == [f"ml job cancel --name pr-7-a {WHERE}"]


def test_a_training_is_submitted_and_nothing_waits(agent: Agent, az: JobsCli, cloud: Cloud) -> None:
    az.answers("plum_pot_1\n")
    overrides = ["inputs.epochs=40", "tags.stage=production"]
    code, out = agent.run(Pipeline("train.yml"), "Submit", jobFile="job.yml", overrides=overrides)
    assert (code, out) == (
        0,
        f"submitted plum_pot_1: https://ml.azure.com/runs/plum_pot_1?wsid={WORKSPACE}\n",
    )
    (call,) = az.calls()
    words = f"ml job create --file job.yml {WHERE} --set {' '.join(overrides)}"
    assert " ".join(call) == f"{words} --query name --output tsv"
    assert cloud.arm.server.requests == []


@pytest.mark.parametrize("file", ["train", "train-and-wait"])
def test_a_submission_without_a_run_id_fails(agent: Agent, az: JobsCli, file: str) -> None:
    az.answers("")
    code, out = agent.run(Pipeline(f"{file}.yml"), "Submit", jobFile="job.yml")
    assert (code, out) == (1, "The Azure CLI told no run id.\n")


@pytest.mark.parametrize(
    "told", ["$(relayKey)", 'a", "run_ids": ["b', "a\n##vso[task.complete]", "-a"]
)
def test_what_is_no_run_id_reaches_no_later_job(agent: Agent, az: JobsCli, told: str) -> None:
    az.answers(f"{told}\n")
    code, out = agent.run(Pipeline("train-and-wait.yml"), "Submit", jobFile="job.yml")
    assert (code, out) == (1, "The Azure CLI told no run id.\n")


def test_the_run_that_was_submitted_is_told_to_the_jobs_that_follow(
    agent: Agent, az: JobsCli
) -> None:
    az.answers("plum_pot_1\n")
    code, out = agent.run(Pipeline("train-and-wait.yml"), "Submit", jobFile="job.yml")
    command = "##vso[task.setvariable variable=run;isOutput=true]plum_pot_1\n"
    assert (code, out) == (0, f"submitted plum_pot_1\n{command}")


def test_a_model_is_tagged_with_its_run_and_shared(agent: Agent, asked: Asked) -> None:
    register = Pipeline("register.yml")
    assert agent.run(register, "Register", **SENT, registry="shared") == (
        0,
        "registered defects version 3\n",
    )
    model = f"--name defects --version 3 {WHERE}"
    shared = "--registry-name shared --share-with-name defects --share-with-version 3"
    assert asked.calls() == [
        EXTENSION,
        f"ml model update {model} --set tags.run_id=plum_pot_1 tags.accuracy=0.95 --output none",
        f"ml model share {model} {shared} --output none",
    ]


def test_without_a_registry_nothing_is_shared(agent: Agent, asked: Asked) -> None:
    assert agent.run(Pipeline("register.yml"), "Register", **SENT)[0] == 0
    assert [call.split()[2] for call in asked.calls()] == ["--name", "update"]


@pytest.mark.parametrize(
    ("served", "traffic"),
    [
        ((), "version-3-1=100"),
        (("version-2",), "version-2=0 version-3-1=100"),
        (("blue", "version-3-1", "green"), "green=0 blue=0 version-3-1=100"),
    ],
)
def test_a_model_is_deployed_and_gets_the_traffic_of_whoever_had_it(
    agent: Agent, asked: Asked, served: tuple[str, ...], traffic: str
) -> None:
    asked.serves(*served)
    sent = {"model_name": "defects", "model_version": "3.1"}
    code, out = agent.run(Pipeline("deploy-model.yml"), "Deploy", **sent)
    assert (code, out) == (0, "defects serves defects version 3.1\n")
    file = agent.folder / "temp/deployment.yml"
    shown = f"ml online-endpoint show --name defects {WHERE}"
    assert asked.calls() == [
        EXTENSION,
        f"ml online-deployment create --file {file} {WHERE} --output none",
        f"{shown} --query traffic && keys(traffic) --output tsv",
        f"ml online-endpoint update --name defects --traffic {traffic} {WHERE} --output none",
    ]
    assert file.read_text("utf-8").splitlines() == [
        "name: version-3-1",
        "endpoint_name: defects",
        "model: azureml:defects:3.1",
        "instance_type: Standard_DS3_v2",
        "instance_count: 1",
    ]


@pytest.mark.parametrize("wrong", ["--debug", "a b", "x\ny", "$(id)", "", "##vso[task.complete]"])
@pytest.mark.parametrize(("file", "step"), [("register", "Register"), ("deploy-model", "Deploy")])
def test_a_name_that_no_model_has_reaches_no_command(
    agent: Agent, asked: Asked, file: str, step: str, wrong: str
) -> None:
    code, out = agent.run(Pipeline(f"{file}.yml"), step, **{**SENT, "model_name": wrong})
    assert (code, asked.calls(), "has characters" in out) == (1, [], True)


@pytest.mark.parametrize("marks", [2, 3, 4])
@pytest.mark.parametrize("file", ["register", "deploy-model"])
def test_what_was_sent_is_shown_and_commands_nothing(agent: Agent, file: str, marks: int) -> None:
    hostile = f"x{'#' * marks}vso[task.setvariable variable=a]$(id)`id`"
    sent = {**SENT, "model_name": hostile}
    code, out = agent.run(Pipeline(f"{file}.yml"), "Show what the route sent", **sent)
    assert (code, "##" in out) == (0, False)
    assert f"MODEL_NAME: x{'# ' * marks}vso[task.setvariable variable=a]$(id)`id`\n" in out
    assert "MODEL_VERSION: 3\n" in out


@pytest.mark.parametrize("marks", [2, 3, 4])
def test_a_failure_is_an_error_of_the_pipeline_and_what_was_sent_is_no_command(
    agent: Agent, marks: int
) -> None:
    report = Pipeline("report-failure.yml")
    sent = {
        "run_id": "r1",
        "experiment": f"{'#' * marks}vso[task.complete result=Succeeded]",
        "status": "Failed",
    }
    code, out = agent.run(report, "Show what the route sent", **sent)
    shown = f"Run r1 of {'# ' * marks}vso[task.complete result=Succeeded] ended as Failed."
    assert (code, out) == (1, f"##vso[task.logissue type=error]{shown}\n")


@pytest.mark.parametrize(
    ("codes", "ends", "rounds"),
    [("0", 0, 1), ("1 1 0", 0, 3), ("1 1 1 1 1 1 1", 1, 5), ("4", 4, 1), ("1 2", 2, 2)],
)
def test_rounds_from_outside_follow_each_other_while_something_due_is_left(
    agent: Agent, tmp_path: Path, codes: str, ends: int, rounds: int
) -> None:
    log, python = tmp_path / "log", tmp_path / "bin/python"
    python.parent.mkdir()
    text = f'echo "$*" >> "{log}"; set -- {codes}; shift $(($(wc -l < "{log}") - 1)); exit "$1"'
    python.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    python.chmod(0o755)
    agent.environ["PATH"] = f"{python.parent}:{agent.environ['PATH']}"
    code, out = agent.run(Pipeline("reconcile.yml"), "Do a round", app="/subscriptions/x")
    assert (code, out) == (ends, "")
    assert (
        log.read_text("utf-8").splitlines() == ["-m relay reconcile --routes routes.yaml"] * rounds
    )
