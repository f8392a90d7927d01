"""Joins that wait for a limit or a group: they keep nobody out, and the latest is the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flow.joins.several import COMPARE, ROUTES, A, B, C, joining, sent, set_up, trained
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
