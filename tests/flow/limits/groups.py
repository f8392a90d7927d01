"""Routes with a group, and what a test says of it: who waits, who goes on, what has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.flow.asking import EXPERIMENT
from tests.stage.azure import ROUTES, changed, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

Result = Literal["succeeded", "partiallySucceeded", "failed", "canceled"]

GROUP = 'concurrency: {group: "{{ run.tags.model }}"}'
ONE = ROUTES.replace("name: register", f"name: register\n    {GROUP}")
BOTH = ONE.replace("name: report", f"name: report\n    {GROUP}")
LATEST = ONE.replace(GROUP, f"{GROUP[:-1]}, queue: latest}}")
TEAMS = BOTH.replace("start: {pipeline: 43", "start: {secret: theirs, pipeline: 43")
TWO = ONE.replace(GROUP, f"{GROUP[:-1]}, at_most: 2}}")


@pytest.fixture(name="stage")
def one_at_a_time(stage: Stage) -> Stage:
    """An app with the group of `ONE`, for a file that imports it."""
    stage.routes(ONE)
    stage.deploy()
    return stage


def trained(stage: Stage, *runs: str, model: str = "defects", at: str = "") -> None:
    """Let these end, and their events come; `at` is when the events say that they ended."""
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT, tags={"model": model})
        event = completed(run, runTags={"model": model})
        stage.deliver({**event, "eventTime": at or event["eventTime"]})


def failed(stage: Stage, run: str, model: str = "defects") -> None:
    """Let a training fail, and its event come."""
    stage.aml.add_run(run, status="Failed", experiment=EXPERIMENT, tags={"model": model})
    stage.deliver(changed(run, "Failed", runTags={"model": model}))


def started(stage: Stage) -> list[str]:
    """The runs whose pipelines were started, in order."""
    return [run for _, run in stage.started()]


def finish(stage: Stage, run: str, result: Result = "succeeded") -> None:
    """Let the pipeline run of this run end, and rounds go by until that is known."""
    (build,) = (b for b in stage.devops.runs if b.template_parameters["run_id"] == run)
    stage.devops.finish(build.id, result)
    for _ in range(90):
        stage.reconcile(minutes=1)
        if all(c.ended for c in stage.of_run(run).values()):
            return
    raise AssertionError(f"nobody saw {run} end")


def rounds(stage: Stage, count: int = 2) -> None:
    """Let some go by."""
    for _ in range(count):
        stage.reconcile(seconds=61)
