"""A lost start that asked for variables is found, however few of these a build shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.saying.refusals import POST_RUN
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ROUTE = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: next
    start:
      pipeline: 42
      parameters: {run_id: "{{ run.id }}"}
      variables: {STAGE: prod}
"""
MANY = 10**6


@pytest.fixture
def lost(stage: Stage) -> Stage:
    """A start whose answer was lost, and builds that are listed without their variables."""
    stage.devops.add_pipeline(
        "contoso", "mlops", 42, "next", parameters={"run_id": None}, settable_variables=["STAGE"]
    )
    stage.routes(ROUTE)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="after"))
    stage.deliver(completed("r1"))
    shows(stage, "build/builds", value=[build(stage)])
    return stage


def build(stage: Stage, **more: object) -> dict[str, Any]:
    run = stage.devops.runs[0]
    return {"id": run.id, "templateParameters": {"run_id": "r1"}, **more}


def shows(stage: Stage, path: str, **found: object) -> None:
    fault = Fault("GET", f"*/{path}", status=200, body=json.dumps(found), times=MANY)
    stage.devops.server.faults.add(fault)


def look(stage: Stage) -> tuple[State, Reason, int]:
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    return stage.only("r1").state, stage.only("r1").reason, stage.posts()


def test_variables_that_the_list_leaves_out_are_read_singly(lost: Stage) -> None:
    assert look(lost) == (State.STARTED, Reason.FOUND, 1)


def test_variables_that_only_the_pipeline_run_shows_are_read_there(lost: Stage) -> None:
    shows(lost, f"build/builds/{lost.devops.runs[0].id}", **build(lost))
    assert look(lost) == (State.STARTED, Reason.FOUND, 1)


def test_variables_that_nothing_shows_let_nothing_be_sent_again(lost: Stage) -> None:
    number = lost.devops.runs[0].id
    shows(lost, f"build/builds/{number}", **build(lost))
    shows(lost, f"pipelines/42/runs/{number}", **build(lost))
    assert look(lost) == (State.OPEN, Reason.LOOK_FAILED, 1)
    assert "does not show its variables" in lost.only("r1").detail


def test_other_variables_are_another_s(lost: Stage) -> None:
    shows(
        lost, f"build/builds/{lost.devops.runs[0].id}", **build(lost, parameters='{"STAGE": "x"}')
    )
    assert look(lost) == (State.STARTED, Reason.ANSWERED, 2)
