"""What goes on by ends and waits for a group: of several the one whose training ended last goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import (
    CHAIN,
    DEPLOY,
    ROLL_BACK,
    asked,
    ended,
    finish,
    sequel,
    set_up,
)
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

LATEST = CHAIN.replace(
    "succeeded:\n        start:",
    "succeeded:\n        concurrency: {group: deploy, queue: latest}\n        start:",
)


@pytest.fixture(name="stage")
def with_a_line(stage: Stage) -> Stage:
    return set_up(stage, LATEST)


def started(stage: Stage, run: str, at: str) -> int:
    """A training that ended then, and the pipeline run that it led to."""
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver({**completed(run), "eventTime": at})
    stage.reconcile(seconds=121)
    return stage.devops.runs[-1].id


def test_the_training_that_ended_last_is_the_latest_whichever_pipeline_run_did(
    stage: Stage,
) -> None:
    ended(stage, "succeeded", "r0")
    deployment = stage.devops.runs[-1].id
    older = started(stage, "older", "2026-11-21T18:00:00Z")
    newer = started(stage, "newer", "2026-11-21T19:00:00Z")
    finish(stage, newer, "succeeded")
    finish(stage, older, "succeeded")  # an approval that took its time
    gone = sequel(stage, "register.succeeded", "older")
    assert gone.reason is Reason.SUPERSEDED
    assert gone.detail.startswith("register.succeeded/newer/Completed ended later")
    finish(stage, deployment, "succeeded")
    assert (asked(stage, "older"), asked(stage, "newer")) == ([42], [42, DEPLOY])


def test_so_it_is_where_they_wait_for_their_limit(stage: Stage) -> None:
    stage.routes(
        LATEST.replace(
            "concurrency: {group: deploy", "limit: 1/h\n        concurrency: {group: deploy"
        )
    )
    stage.mid_hour()
    stage.use_up("register.succeeded", "%Y-%m-%dT%H", hours=1)
    older = started(stage, "older", "2026-11-21T18:00:00Z")
    newer = started(stage, "newer", "2026-11-21T19:00:00Z")
    finish(stage, newer, "succeeded")
    finish(stage, older, "succeeded")
    assert sequel(stage, "register.succeeded", "newer").reason is Reason.LIMIT
    for _ in range(6):
        stage.reconcile(minutes=30)
    assert (asked(stage, "older"), asked(stage, "newer")) == ([42], [42, DEPLOY])


def test_and_where_they_go_on_by_what_went_on_by_an_end_itself(stage: Stage) -> None:
    line = "failed:\n            start:"
    grouped = "failed:\n            concurrency: {group: back, queue: latest}\n            start:"
    stage.routes(CHAIN.replace(line, grouped))
    ended(stage, "succeeded", "r0")
    finish(stage, stage.devops.runs[-1].id, "failed")
    assert asked(stage, "r0") == [42, DEPLOY, ROLL_BACK]
    goes_on = stage.devops.runs[-1].id
    deployed = {}
    for run, at in (("older", "18:00:00Z"), ("newer", "19:00:00Z")):
        finish(stage, started(stage, run, f"2026-11-21T{at}"), "succeeded")
        deployed[run] = stage.devops.runs[-1].id
    finish(stage, deployed["newer"], "failed")
    finish(stage, deployed["older"], "failed")
    finish(stage, goes_on, "succeeded")
    finish(stage, goes_on, "succeeded")
    ends = (asked(stage, "older"), asked(stage, "newer"))
    assert ends == ([42, DEPLOY], [42, DEPLOY, ROLL_BACK])
