"""`complete: after`: who waits for a run is answered by the end of the pipeline run it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.words import Ending
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import finish
from tests.flow.following.test_versions import write
from tests.flow.waits.test_waits import KEY, register, runs
from tests.saying.refusals import WRONG, says
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from local.devops.pipelines.runs import Result

ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: validate
    complete: after
    match: {experiment: "defect-*"}
    when: run.metrics.accuracy >= 0.9
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.cloud.vault.put("run-relay-waits-key", KEY)
    stage.routes(ROUTES)
    return stage


def ended(stage: Stage, accuracy: float = 0.95) -> None:
    """Let the run end, and its event come."""
    runs(stage, accuracy=accuracy)
    stage.deliver(completed("r1"))


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "failed"),
        ("partiallySucceeded", "failed"),
    ],
)
def test_it_is_answered_by_that_end_and_not_by_the_runs(
    stage: Stage, result: Result, answer: str
) -> None:
    runs(stage)
    job = register(stage)
    ended(stage)
    for _ in range(3):
        stage.reconcile(minutes=1)
    assert job.result is None
    (build,) = stage.devops.runs
    stage.devops.finish(build.id, result)
    stage.reconcile(minutes=2)  # which sees the end, half an hour before the task is due
    assert job.result == answer
    (line,) = job.lines
    assert f"route validate: pipeline run {build.id} {result}" in line


def test_a_gate_that_says_no_is_an_answer_at_once(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    ended(stage, accuracy=0.5)
    assert job.result == "failed"
    assert "no pipeline was started: held, gate" in job.lines[0]


def test_before_its_event_came_the_gate_alone_can_say_no(stage: Stage) -> None:
    runs(stage, accuracy=0.5)
    assert register(stage).result == "failed"
    runs(stage, "r2", accuracy=0.95)
    assert register(stage, "r2").result is None


def test_who_registers_after_the_end_is_answered_at_once(stage: Stage) -> None:
    ended(stage)
    stage.reconcile(minutes=3)
    finish(stage, stage.devops.runs[0].id, "succeeded")
    assert register(stage).result == "succeeded"


def test_a_gate_that_the_pipeline_itself_has_changed_is_not_asked_again(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    ended(stage)
    stage.reconcile(minutes=3)
    runs(stage, accuracy=0.1)  # as where a champion was made of it
    finish(stage, stage.devops.runs[0].id, "succeeded")
    assert job.result == "succeeded"


def test_what_could_not_be_started_is_a_no(stage: Stage) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    runs(stage)
    job = register(stage)
    ended(stage)
    stage.reconcile(minutes=31)
    assert job.result == "failed"
    assert "no pipeline was started: failed, rejected" in job.lines[0]


def test_an_end_that_nobody_told_the_task_of_is_found_by_the_clock(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    ended(stage)
    stage.reconcile(minutes=3)
    end = PipelineEnd(how=Ending.SUCCEEDED, at=stage.clock.now())
    write(stage, ended=end, then="")  # as an older version does
    assert job.result is None
    stage.reconcile(minutes=31)
    assert job.result == "succeeded"


def test_of_two_routes_both_must_say_yes(stage: Stage) -> None:
    other = ROUTES.partition("routes:\n")[2].replace("validate", "gate")
    other = other.replace("complete: after", "complete: true").partition("    start:")[0]
    stage.routes(f"{ROUTES}{other}")
    runs(stage)
    job = register(stage)
    ended(stage)
    assert not job.lines
    stage.reconcile(minutes=3)
    finish(stage, stage.devops.runs[0].id, "succeeded")
    assert (job.result, len(job.lines)) == ("succeeded", 2)


@pytest.mark.parametrize(
    "since",
    [{"status": "Running"}, {"status": "Failed"}, {"tags": {"stage": "deployed"}}],
    ids=["opened again", "failed", "another tag"],
)
def test_what_the_pipeline_itself_writes_into_the_run_is_not_judged(
    stage: Stage, since: dict[str, Any]
) -> None:
    """Its end is what is waited for: of a run that is opened again and never ended as well."""
    stage.routes(ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: candidate}}"))
    facts: dict[str, Any] = {"experiment": EXPERIMENT, "metrics": {"accuracy": 0.95}}
    stage.aml.add_run("r1", **facts, tags={"stage": "candidate"})
    job = register(stage)
    stage.deliver(completed("r1", runTags={"stage": "candidate"}))
    stage.reconcile(minutes=3)
    stage.aml.add_run("r1", **{**facts, "tags": {"stage": "candidate"}, **since})
    stage.reconcile(minutes=31)
    assert job.result is None
    finish(stage, stage.devops.runs[0].id, "succeeded")
    for _ in range(2):
        stage.reconcile(minutes=16)
    assert job.result == "succeeded"
