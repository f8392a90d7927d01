"""A join of children behind a gate, a limit and a group, that something goes on after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from tests.flow.joins.several import ANNOUNCE, COMPARE, event, joint, set_up, stands

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: compare
    children: true
    match: {{experiment: "train-*"}}
    join: {{by: run.parent_id, all_of: 3, within: 2h, if_one_fails: start}}
    when: size(join.runs) >= 2
    limit: 1/h
    concurrency: {{group: compare, queue: latest}}
    start:
      pipeline: {COMPARE}
      parameters: {{run_id: "{{{{ join.by }}}}", runs: "{{{{ join.runs }}}}"}}
    then:
      succeeded:
        concurrency: {{group: announce}}
        start:
          pipeline: {ANNOUNCE}
          parameters: {{run_id: "{{{{ join.by }}}}", after: "{{{{ pipeline.run }}}}"}}
"""


def children(stage: Stage, parent: str, *statuses: str) -> list[str]:
    """A job whose steps end so."""
    stage.aml.add_run(parent, experiment="train-a", status="Running")
    runs = [f"{parent}.{n}" for n in range(len(statuses))]
    for run, status in zip(runs, statuses, strict=True):
        stage.aml.add_run(run, experiment="train-a", status=status, parent=parent)
        told = event(run, "train-a", status, batch=None)
        told["data"]["runTags"] = {"mlflow.parentRunId": parent}
        stage.deliver(told)
    return runs


def rounds(stage: Stage, count: int = 3, minutes: float = 1) -> None:
    for _ in range(count):
        stage.reconcile(minutes=minutes)


def asked(stage: Stage, pipeline: int) -> list[str]:
    runs = (run for run in stage.devops.runs if run.pipeline_id == pipeline)
    return [run.template_parameters["run_id"] for run in runs]


def test_each_job_has_its_turn_and_what_goes_on_knows_which(stage: Stage) -> None:
    set_up(stage, ROUTES)
    stage.mid_hour()
    children(stage, "p1", "Completed", "Failed", "Completed")
    rounds(stage)
    assert asked(stage, COMPARE) == ["p1"]
    held = children(stage, "p2", "Completed", "Failed", "Failed")
    children(stage, "p3", "Completed", "Completed", "Completed")
    rounds(stage)
    assert joint(stage, "p2").reason is Reason.GATE
    assert joint(stage, "p3").reason is Reason.CONCURRENCY
    stage.aml.add_run("p2.3", experiment="train-a", parent="p2")
    told = event("p2.3", "train-a", batch=None)
    told["data"]["runTags"] = {"mlflow.parentRunId": "p2"}
    stage.deliver(told)  # tried again: one of two that failed is repaired, and ends last
    assert stands(stage, *held, "p2.3") == ["skipped: joined"] * 4
    children(stage, "p4", "Completed", "Completed", "Completed")
    rounds(stage)
    assert joint(stage, "p3").reason is Reason.SUPERSEDED
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    rounds(stage, 8, minutes=2)
    assert (joint(stage, "p4").reason, asked(stage, COMPARE)) == (Reason.LIMIT, ["p1"])
    assert asked(stage, ANNOUNCE) == ["p1"]
    rounds(stage, 4, minutes=20)
    assert asked(stage, COMPARE) == ["p1", "p4"]
    stage.devops.finish(stage.devops.runs[-1].id, "succeeded")
    stage.devops.finish(stage.devops.runs[1].id, "succeeded")
    rounds(stage, 12, minutes=5)
    assert asked(stage, ANNOUNCE) == ["p1", "p4"]
