"""The timers have stopped: tasks that wait are answered beside deliveries, whatever else is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.rounds.bounds import MOST_BESIDE
from local.cloud import WORKSPACE
from tests.flow.waits.test_waits import KEY, register, runs
from tests.flow.waits.test_waits import ROUTES as ANSWERS
from tests.saying.wrapped import Wrapped
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

STARTS = """
  - name: slow
    match: {experiment: churn}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


class Slow(Wrapped):
    """Runs, of which those of one experiment take seven seconds to be read."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ports.runs)
        self._clock = stage.clock

    def read(self, workspace: Any, run: str, deadline: Any) -> Any:
        if run.startswith("slow"):
            self._clock.forward(seconds=7)
        return self.real.read(workspace, run, deadline)


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.cloud.vault.put("run-relay-waits-key", KEY)
    stage.routes(ANSWERS + STARTS)
    return stage


def unwanted(stage: Stage, **later: float) -> None:
    stage.clock.forward(**later)
    stage.deliver(completed("other", experimentName="other"))


def test_a_task_is_answered_by_the_next_delivery_though_no_event_told_of_its_run(
    stage: Stage,
) -> None:
    stage.reconcile()
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=0.95)
    unwanted(stage, minutes=31)
    assert job.result == "succeeded"
    unwanted(stage, minutes=31)
    assert len(job.lines) == 1


def test_what_is_slow_to_read_keeps_no_task_waiting_for_ever(stage: Stage) -> None:
    stage.reconcile()
    stage.deploy(PAUSED="1")
    for number in range(MOST_BESIDE):
        stage.aml.add_run(f"slow{number}", experiment="churn")
        stage.deliver(completed(f"slow{number}", experimentName="churn"))
    stage.deploy(PAUSED="0")
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=0.95)
    stage.build(runs=Slow(stage))
    unwanted(stage, minutes=31)
    assert job.result is None
    unwanted(stage, minutes=2)
    assert job.result == "succeeded"
