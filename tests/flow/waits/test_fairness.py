"""One team's tasks, however many and however slow, leave the others their turn."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.core.events import parsing
from functions.core.starts import steps
from tests.flow.waits.test_waits import register, runs
from tests.flow.waits.test_waits import stage as stage  # noqa: PLC0414 - the fixture
from tests.running.shipping import ROOT
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


COMPLETE = """
  - name: wait
    complete: true
"""


class Slow(Wrapped):
    """AML, which takes so many seconds for these runs."""

    def __init__(self, stage: Stage, **seconds: float) -> None:
        super().__init__(stage.ports.runs)
        self._clock, self._seconds = stage.clock, seconds

    def read(self, workspace: Any, run: str, deadline: Any) -> Any:
        self._clock.forward(seconds=self._seconds.get(run, 0))
        return self.real.read(workspace, run, deadline)


def test_thirty_tasks_whose_runs_are_slow_to_read_keep_no_other_team_waiting(
    stage: Stage,
) -> None:
    runs(stage, "slow")
    slow = [register(stage, "slow") for _ in range(30)]
    runs(stage, "quick")
    stage.devops.add_pipeline("contoso", "vision", 7, "other")
    job = register(stage, "quick", job=stage.devops.start_server_job("contoso", "vision"))
    runs(stage, "quick", accuracy=0.95)  # and its event is lost
    stage.build(runs=Slow(stage, slow=15))
    stage.reconcile(minutes=31)
    assert job.result == "succeeded"
    assert [job.result for job in slow] == [None] * 30


def test_a_round_that_took_long_for_its_starts_ends_before_the_host_ends_it(stage: Stage) -> None:
    stage.routes(ROUTES + COMPLETE)
    runs(stage, "slow")
    for _ in range(8):
        register(stage, "slow")
    event = parsing.parse(completed("hangs"))
    now = stage.clock.now()
    stage.ledger.claim(steps.opened(event.key("register"), event, now, timedelta(0)))
    stage.build(runs=Slow(stage, slow=19, hangs=239))
    stage.clock.forward(minutes=31)
    began = stage.clock.monotonic()
    stage.reconcile()
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    assert host["functionTimeout"] == "00:05:00"
    assert 239 + 19 <= stage.clock.monotonic() - began < 300


def test_those_of_one_team_are_looked_at_as_they_are_due(stage: Stage) -> None:
    runs(stage, "slow")
    jobs = [register(stage, "slow") for _ in range(7)]
    runs(stage, "slow", accuracy=0.95)
    stage.build(runs=Slow(stage, slow=15))
    stage.clock.forward(minutes=31)
    for _ in range(3):
        stage.reconcile(minutes=1)
    assert [job.result for job in jobs] == ["succeeded"] * 7
