"""One training in three ways of running: the run that ends leads to the same continuation."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.running import forked
from tests.running.shipping import ROOT
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from local.real.mlflow import MLflow
    from tests.stage.azure import Stage

    Train = Callable[..., forked.Running]
    Trained = Callable[..., "Ended"]

PATIENCE = 60.0
ENDED = {"FINISHED", "FAILED", "KILLED"}
WAYS = ("sync", "async", "thread")
EPOCHS = ("--epochs", "12")


class Ended(NamedTuple):
    """A training that ended: its run, and what became of the process that was typed.

    `meanwhile` is the run's status when a process that does not wait had ended.
    """

    run: Run
    code: int
    said: str
    meanwhile: str


@pytest.fixture(scope="module")
def train(mlflow_server: MLflow) -> Iterator[Train]:
    """Starts a training in one of the ways; what is left of it is ended afterwards."""
    started: list[forked.Running] = []
    environ = os.environ | {"MLFLOW_TRACKING_URI": mlflow_server.url}

    def start(way: str, *options: str) -> forked.Running:
        process = forked.start(
            "examples.training.ways", way, *options, environ=environ, session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def tracking(mlflow_server: MLflow) -> MlflowClient:
    from mlflow import MlflowClient  # noqa: PLC0415 - seconds, on every collection

    return MlflowClient(mlflow_server.url)


@pytest.fixture(scope="module")
def trained(train: Train, tracking: MlflowClient) -> Trained:
    """A training in one of the ways that has ended; asked for again, it is the same one."""

    @cache
    def once(way: str, *options: str) -> Ended:
        process = train(way, *options)
        run = begun(process)
        if way != "async":
            _, said = process.communicate(timeout=PATIENCE)
            return Ended(ended(tracking, run), process.wait(), said, "")
        process.wait(PATIENCE)
        meanwhile = tracking.get_run(run).info.status
        return Ended(ended(tracking, run), process.wait(), "", meanwhile)

    return once


@pytest.fixture
def shipped(stage: Stage, mlflow_server: MLflow) -> Stage:
    """The app with the routes that it ships with, over the real MLflow server."""
    stage.cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    stage.routes((ROOT / "routes.yaml").read_text("utf-8"))
    return stage


def begun(process: forked.Running) -> str:
    """The id of the run that the training began."""
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    assert run, "the training said nothing"
    return run


def ended(tracking: MlflowClient, run: str) -> Run:
    """The run, once it has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = tracking.get_run(run)
        if found.info.status in ENDED:
            return found
        time.sleep(0.1)
    raise AssertionError(f"run {run} is still {found.info.status}")


def news(run: Run) -> dict[str, Any]:
    """What AML tells when the run ends."""
    if run.info.status == "FINISHED":
        return completed(run.info.run_id)
    return changed(run.info.run_id, "Failed")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_logged_is_the_same_in_every_way(
    trained: Trained, tracking: MlflowClient, way: str
) -> None:
    run = trained(way, *EPOCHS).run
    assert run.info.status == "FINISHED"
    assert {"epochs": EPOCHS[1], "seed": "7"}.items() <= run.data.params.items()
    steps = [m.step for m in tracking.get_metric_history(run.info.run_id, "accuracy")]
    assert steps == list(range(1, int(EPOCHS[1]) + 1))
    (model,) = tracking.search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"
    )
    (version,) = tracking.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert (model.name, version.name) == ("model", "defect-classifier")


@pytest.mark.parametrize("way", WAYS)
def test_a_good_training_starts_the_same_pipeline_in_every_way(
    trained: Trained, tracking: MlflowClient, shipped: Stage, way: str
) -> None:
    run = trained(way, *EPOCHS).run
    shipped.deliver(news(run))
    (started,) = shipped.devops.runs
    (version,) = tracking.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert started.pipeline_id == 42
    assert started.template_parameters == {
        "model_name": "defect-classifier",
        "model_version": version.version,
        "accuracy": str(run.data.metrics["accuracy"]),
        "run_id": run.info.run_id,
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_training_that_raises_takes_the_failure_route_in_every_way(
    trained: Trained, shipped: Stage, way: str
) -> None:
    run = trained(way, "--fail").run
    assert run.info.status == "FAILED"
    shipped.deliver(news(run))
    assert shipped.started() == [(43, run.info.run_id)]
    assert shipped.only(run.info.run_id).state is State.STARTED


def test_a_submitted_job_is_not_waited_for(trained: Trained) -> None:
    submitted = trained("async", *EPOCHS)
    assert (submitted.code, submitted.meanwhile) == (0, "RUNNING")
    assert submitted.run.info.status == "FINISHED"


def test_the_main_thread_goes_on_while_the_other_trains(trained: Trained) -> None:
    beside = trained("thread", *EPOCHS)
    first = beside.said.index("the main thread goes on")
    assert first < beside.said.index(f"epoch {EPOCHS[1]}/{EPOCHS[1]}")
    assert (beside.code, beside.run.info.status) == (0, "FINISHED")


@pytest.mark.parametrize(("way", "code"), [("sync", 1), ("thread", 1), ("async", 0)])
def test_only_who_waits_learns_that_the_training_went_wrong(
    trained: Trained, way: str, code: int
) -> None:
    failed = trained(way, "--fail")
    assert (failed.run.info.status, failed.code) == ("FAILED", code)


@pytest.mark.parametrize("way", ["sync", "thread"])
def test_a_training_whose_process_is_told_to_end_ends_its_run_as_failed(
    train: Train, tracking: MlflowClient, way: str
) -> None:
    process = train(way, "--epochs", "100000")
    run = begun(process)
    process.terminate()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    assert tracking.get_run(run).info.status == "FAILED"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc to find it")
def test_a_job_whose_process_is_killed_ends_as_failed(train: Train, tracking: MlflowClient) -> None:
    run = begun(train("async", "--epochs", "100000"))
    os.kill(trainer_of(run), signal.SIGKILL)
    assert ended(tracking, run).info.status == "FAILED"


def trainer_of(run: str) -> int:
    """The process that trains for a submitted run, once there is one."""
    mark = f"MLFLOW_RUN_ID={run}\0".encode()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for process in Path("/proc").glob("[0-9]*"):
            trains = b"train.py" in read(process / "cmdline")
            if trains and mark in read(process / "environ"):
                return int(process.name)
        time.sleep(0.05)
    raise AssertionError("no process trains")


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
