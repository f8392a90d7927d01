"""`complete: after`: who waits for a pipeline that nobody will start is answered, and in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import finish
from tests.flow.waits.test_after import ROUTES
from tests.flow.waits.test_waits import KEY, register
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

TAGGED = ROUTES.replace('"defect-*"', '"defect-*", tags: {stage: candidate}')
LATEST = ROUTES.replace("    start:", "    concurrency: {group: all, queue: latest}\n    start:")


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.cloud.vault.put("run-relay-waits-key", KEY)
    stage.routes(ROUTES)
    return stage


def trained(stage: Stage, run: str = "r1", **of: Any) -> None:
    """A run has ended so."""
    stage.aml.add_run(run, **{"experiment": EXPERIMENT, "metrics": {"accuracy": 0.95}, **of})


def rounds(stage: Stage, count: int, minutes: float = 16) -> None:
    for _ in range(count):
        stage.reconcile(minutes=minutes)


def test_a_run_that_was_tagged_too_late_is_a_no_within_the_hour(stage: Stage) -> None:
    """The route passed it over, and nothing that is to come starts it."""
    stage.routes(TAGGED)
    trained(stage)
    stage.deliver(completed("r1", runTags={}))
    assert stage.only("r1").was_passed_over
    trained(stage, tags={"stage": "candidate"})
    job = register(stage)
    stage.reconcile(minutes=1)
    assert job.result is None  # the other event of this end may tell the tag
    rounds(stage, 4)
    assert job.result == "failed"
    assert "no pipeline was started: skipped, not_matched its filter tags.stage" in job.lines[0]


def test_the_other_event_of_the_same_end_may_still_start_it(stage: Stage) -> None:
    stage.routes(TAGGED)
    trained(stage)
    stage.deliver(completed("r1", runTags={}))
    trained(stage, tags={"stage": "candidate"})
    job = register(stage)
    stage.reconcile(minutes=5)
    stage.deliver(completed("r1", runTags={"stage": "candidate"}))
    rounds(stage, 4)
    assert job.result is None
    finish(stage, stage.devops.runs[0].id, "succeeded")
    rounds(stage, 3)
    assert job.result == "succeeded"


def test_one_that_a_sweep_may_take_up_by_another_filter_is_waited_for(stage: Stage) -> None:
    stage.routes(TAGGED)
    trained(stage)
    stage.deliver(completed("r1", runTags={}))
    stage.routes(ROUTES)
    job = register(stage)
    rounds(stage, 4)
    assert job.result is None
    rounds(stage, 4, minutes=400)
    assert job.result == "failed"


def test_one_that_a_later_run_stands_for_is_a_no_within_the_hour(stage: Stage) -> None:
    stage.routes(LATEST)
    for n, run in enumerate(("r0", "r1", "r2")):
        trained(stage, run)
        stage.deliver({**completed(run), "eventTime": f"2026-11-21T18:4{n}:00Z"})
    job = register(stage, "r1")
    stage.reconcile(minutes=1)
    superseded = stage.only("r1")
    assert (superseded.state, superseded.reason) == (State.SKIPPED, Reason.SUPERSEDED)
    rounds(stage, 4)
    assert job.result == "failed"
    assert "no pipeline was started: skipped, superseded" in job.lines[0]


def test_one_that_no_event_tells_of_and_no_sweep_takes_up_is_a_no_after_a_day(
    stage: Stage,
) -> None:
    stage.deploy(SWEEP="report")
    trained(stage)
    job = register(stage)
    rounds(stage, 3, minutes=7 * 60)
    assert job.result is None
    rounds(stage, 2, minutes=2 * 60)
    assert job.result == "failed"
    assert "for a day neither an event nor a sweep told of its end" in job.lines[0]


def test_one_whose_run_read_otherwise_and_is_never_claimed_again_is_a_no_after_a_day(
    stage: Stage,
) -> None:
    trained(stage, status="Failed")
    stage.deliver(completed("r1"))
    skipped = stage.of_run("r1")["validate"]
    assert (skipped.state, skipped.reason) == (State.SKIPPED, Reason.OUTCOME_CHANGED)
    trained(stage)
    job = register(stage)
    rounds(stage, 3)
    assert job.result is None
    rounds(stage, 4, minutes=7 * 60)
    assert job.result == "failed"
    assert "skipped, outcome_changed" in job.lines[0]


@pytest.mark.parametrize("result", ["succeeded", "failed"])
def test_a_run_that_its_pipeline_deletes_is_answered_by_that_pipelines_end(
    stage: Stage, result: Any
) -> None:
    """As where it registers the model, and clears up behind itself."""
    trained(stage, status="Running")
    job = register(stage)
    trained(stage)
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    stage.aml.delete_run("r1")
    rounds(stage, 3)
    assert job.result is None
    finish(stage, stage.devops.runs[0].id, result)
    rounds(stage, 3)
    assert job.result == result


def test_a_run_that_somebody_deletes_before_its_pipeline_began_is_a_no(stage: Stage) -> None:
    trained(stage, status="Running")
    job = register(stage)
    trained(stage)
    stage.aml.delete_run("r1")
    rounds(stage, 3)
    assert (job.result, job.lines) == ("failed", ["Run Relay: run r1 was deleted"])
