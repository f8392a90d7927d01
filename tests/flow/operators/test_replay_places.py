"""What an operator says was not queued leaves its place in the limit to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ALIKE = """
version: 1
routes:
- name: register
  when: run.metrics.accuracy >= 0.9
  limit: 1/d
  start: {organization: contoso, project: mlops, pipeline: 42}
"""


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """One start a day, of requests that cannot be told from each other."""
    stage.devops.add_pipeline("contoso", "mlops", 42, "next")
    stage.routes(ALIKE)
    stage.mid_day()
    return stage


def trained(stage: Stage, run: str, accuracy: float = 0.95) -> None:
    stage.aml.add_run(run, experiment="defect-detection", metrics={"accuracy": accuracy})


def lost(stage: Stage) -> None:
    """One whose answer was lost, after some tries, and another that waits for the limit."""
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="before"))
    for run in ("r1", "r2"):
        trained(stage, run)
        stage.deliver(completed(run))
    assert [stage.only(run).reason for run in ("r1", "r2")] == [Reason.IN_DOUBT, Reason.LIMIT]


def again(stage: Stage) -> bool:
    operator = Replaying(stage.ledger, stage.clock, "ada@desk")
    return operator.ask_anew(stage.only("r1").key).done


def test_who_is_held_when_it_is_asked_anew_keeps_nobody_waiting(stage: Stage) -> None:
    lost(stage)
    trained(stage, "r1", accuracy=0.5)
    assert again(stage)
    for _ in range(2):
        stage.reconcile(minutes=1)
    assert stage.only("r1").reason is Reason.GATE
    assert stage.only("r2").state is State.STARTED


def test_who_waited_is_started_before_what_is_asked_anew(stage: Stage) -> None:
    """It lines up as whatever is replayed does."""
    lost(stage)
    assert again(stage)
    for _ in range(3):
        stage.reconcile(minutes=1)
    assert [stage.only(run).state for run in ("r1", "r2")] == [State.OPEN, State.STARTED]
    stage.reconcile(days=1)
    assert stage.only("r1").state is State.STARTED
    assert len(stage.devops.runs) == 2
