"""Older versions share the ledger, pipelines are started twice, timers stop: ends are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from functions.core.kept.summary import EVER
from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.words import Ending
from local.devops.pipelines.defined import RunRequest
from tests.flow.asking import EXPERIMENT
from tests.flow.following.ends import ended, how, looks, started
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from local.devops.pipelines.runs import Result
    from tests.stage.azure import Stage


def write(stage: Stage, **changes: object) -> Continuation:
    """Write the row as another process may."""
    entry = stage.ledger.read(stage.only("r1").key)
    assert entry is not None
    changed = replace(entry.continuation, **changes)
    stage.ledger.write(entry, changed)
    stage.ledger.followed.show(changed)
    return changed


def tidied_by_an_older_version(stage: Stage) -> int:
    """Started, and off the schedule without a row that has it followed; the build's id."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    stage.ledger.retire(stage.only("r1").key)
    return stage.devops.runs[0].id


def test_what_an_older_version_started_is_followed_by_a_newer_one(stage: Stage) -> None:
    build = tidied_by_an_older_version(stage)
    stage.devops.finish(build, "failed")
    stage.deploy()
    stage.reconcile(minutes=5)
    assert how(stage) == "failed"


def test_what_an_older_version_tidies_up_beside_a_newer_one_is_found_within_the_hour(
    stage: Stage,
) -> None:
    stage.reconcile()
    build = tidied_by_an_older_version(stage)
    stage.devops.finish(build, "failed")
    stage.reconcile(minutes=50)
    assert how(stage) == ""
    stage.reconcile(minutes=11)
    assert how(stage) == "failed"


def test_an_end_that_an_older_version_wrote_over_is_found_again(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "failed")
    stage.reconcile(minutes=2)
    at = ended(stage).at
    write(stage, ended=None)
    stage.reconcile(hours=1)
    assert (how(stage), ended(stage).at) == ("failed", at)


def test_what_was_started_days_ago_is_left_alone(stage: Stage) -> None:
    tidied_by_an_older_version(stage)
    stage.clock.forward(days=2)
    stage.deploy()
    stage.reconcile()
    assert looks(stage) == []


def test_an_end_in_a_word_of_another_version_is_shown_and_left(stage: Stage) -> None:
    started(stage)
    write(stage, ended=PipelineEnd(how=Ending("timed_out"), at=stage.clock.now()))
    stage.reconcile(hours=1)
    (shown,) = stage.ledger.listed(EVER, 9)
    assert (shown.ended, how(stage)) == ("timed_out", "timed_out")
    assert not stage.ledger.unreadable


@pytest.mark.parametrize(
    ("own", "other", "told"),
    [
        ("canceled", "failed", "failed"),
        ("failed", "canceled", "failed"),
        ("succeeded", "failed", "succeeded"),
        ("canceled", "canceled", "canceled"),
    ],
)
def test_of_two_pipeline_runs_the_end_is_that_of_the_one_that_was_let_go_on(
    stage: Stage, own: Result, other: Result, told: str
) -> None:
    (first,) = started(stage)
    run = stage.devops.runs[0]
    asked = RunRequest(template_parameters=run.template_parameters)
    second = stage.devops.queue(run.pipeline, asked).id
    write(stage, duplicates=(second,))
    stage.devops.finish(first, own)
    stage.reconcile(minutes=2)
    assert how(stage) == ""  # the other one goes on
    stage.devops.finish(second, other)
    stage.reconcile(minutes=3)
    assert how(stage) == told
    assert (f"pipeline run {second}" in ended(stage).detail) == (own == "canceled" != told)


def test_where_timers_have_stopped_a_delivery_looks(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "failed")
    stage.clock.forward(minutes=30)
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.deliver(completed("r2"))
    assert how(stage) == "failed"


def test_a_replay_of_what_is_followed_tells_no_end_twice(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (build,) = started(stage)
    stage.ledger.schedule(stage.only("r1"))  # as `relay replay` does with what was started
    stage.reconcile(minutes=3)
    stage.devops.finish(build, "failed")
    for _ in range(4):
        stage.reconcile(minutes=5)
    assert len([m for m in caplog.messages if m.startswith("pipeline_run=")]) == 1
