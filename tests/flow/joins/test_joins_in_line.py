"""Joins that wait for a limit or a group: they keep nobody out, and the latest is the latest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from tests.flow.joins.several import (
    COMPARE,
    ROUTES,
    A,
    B,
    C,
    joining,
    joint,
    sent,
    set_up,
    trained,
)
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

GROUP = "    concurrency: {group: gpu}\n    start:"
LATEST = GROUP.replace("gpu", "gpu, queue: latest")


def rounds(stage: Stage, count: int = 2) -> None:
    for _ in range(count):
        stage.reconcile(seconds=61)


def test_the_one_that_was_whole_last_is_the_latest_whichever_was_begun_first(stage: Stage) -> None:
    set_up(stage, ROUTES.replace("    start:", LATEST))
    for run, experiment in (("o1", A), ("o2", B), ("o3", C)):
        trained(stage, run, experiment, batch="goes on")
    rounds(stage)
    trained(stage, "r1", A, batch="long")
    stage.clock.forward(hours=1)
    for run, experiment in (("s1", A), ("s2", B), ("s3", C)):
        trained(stage, run, experiment, batch="short")
    stage.clock.forward(hours=1)
    trained(stage, "r2", B, batch="long")
    trained(stage, "r3", C, batch="long")
    rounds(stage)
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    rounds(stage, 60)
    assert [one["run_id"] for one in sent(stage)] == ["goes on", "long"]


def test_one_that_waits_for_its_limit_keeps_no_place_in_its_group_whoever_joins_it_then(
    stage: Stage,
) -> None:
    also = """
  - name: alone
    match: {experiment: alone}
    concurrency: {group: gpu}
    start: {pipeline: 62, parameters: {run_id: "{{ run.id }}"}}
"""
    limited = joining(if_one_fails="start").replace("    start:", f"    limit: 1/d\n{GROUP}")
    set_up(stage, limited + also.removeprefix("\n"))
    stage.mid_day()
    stage.use_up("compare", "%Y-%m-%d", days=1)
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    trained(stage, "r3", C)
    rounds(stage)
    trained(stage, "r4", B)
    stage.aml.add_run("r5", experiment="alone")
    stage.deliver(completed("r5", experimentName="alone"))
    assert [run.template_parameters["run_id"] for run in stage.devops.runs] == ["r5"]
    assert COMPARE not in {run.pipeline_id for run in stage.devops.runs}


def test_one_that_waits_for_its_limit_is_as_old_as_it_is_whole(stage: Stage) -> None:
    """An alert finds what is open for half an hour: for the others it may wait all day."""
    set_up(stage, ROUTES.replace("    start:", "    limit: 1/d\n    start:"))
    stage.mid_day()
    trained(stage, "r1", A)
    stage.reconcile(hours=5)
    stage.use_up("compare", "%Y-%m-%d", days=1)
    trained(stage, "r2", B)
    trained(stage, "r3", C)
    lately = stage.clock.now() - timedelta(minutes=10)
    for _ in range(2):
        backlog = stage.ledger.backlog(stage.clock.now())
        assert backlog.oldest is not None
        assert backlog.oldest > lately
        rounds(stage)
    assert joint(stage).reason is Reason.LIMIT


def test_who_was_whole_first_is_called_first_whichever_was_begun_first(stage: Stage) -> None:
    set_up(stage, ROUTES.replace("    start:", "    limit: 1/h\n    start:"))
    stage.mid_hour()
    stage.use_up("compare", "%Y-%m-%dT%H", hours=1)
    trained(stage, "r1", A, batch="long")
    stage.reconcile(minutes=1)
    for run, experiment in (("s1", A), ("s2", B), ("s3", C)):
        trained(stage, run, experiment, batch="short")
    rounds(stage)
    trained(stage, "r2", B, batch="long")
    trained(stage, "r3", C, batch="long")
    rounds(stage)
    for _ in range(8):
        stage.reconcile(minutes=30)
    assert [one["run_id"] for one in sent(stage)] == ["short", "long"]
