"""What was started is followed to its end, as a story: the pipeline fails, and that is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from local.demo.patterns import PatternStory

if TYPE_CHECKING:
    from local.demo.app import RouteSeen
    from local.trainings import Training

SETTINGS = {"CLAIM_LEASE_SECONDS": "2"}  # else the first look comes two minutes after the start


class Follow(PatternStory):
    """A training, the pipeline that follows it, and what becomes of that."""

    def tell(self) -> None:
        """A pipeline that fails, and one that is canceled before any agent took it up."""
        self._screen.title("1. A training ends, its pipeline is started, and fails")
        training = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
        self.starts(training)
        self._ends(training, self._good, "failed", "failed")
        self._screen.title(
            "2. One that raises: the failure route's pipeline is canceled in the queue"
        )
        training = self._trained(self.way("sync", "--fail"), "ways.py sync --fail", "FAILED")
        self.reports(training)
        self._ends(training, self._bad, "canceled", "canceled: canceled while it was queued")
        self.keeps_the_secret()

    def _ends(
        self, training: Training, route: RouteSeen, result: Literal["failed", "canceled"], told: str
    ) -> None:
        devops, (run,) = self._scene.devops, self._scene.started(training, route)
        if result == "failed":
            devops.begin(run.id)
        devops.finish(run.id, result)
        with self._screen.step(f"Azure DevOps: pipeline run {run.id} is {result}") as results:
            found = self._scene.ended(training, route)
            results.append(found.ended if found else "the ledger knows nothing of it")
        ended, state = (found.ended, found.state) if found else ("", "")
        so = (ended, state) == (told, "started (answered)")
        self.expect("the ledger says how it ended, and still that it was started", so, found)
        for step in found.steps if found else ():
            self._screen.told("ledger", f"{step.what}: {step.detail}")
        lines = re.findall(rf"pipeline_run={run.id} ended=.*", self._log.read_text("utf-8"))
        for line in lines:
            self._screen.told("log", line)
        self.expect("one line in the log tells it", len(lines) == 1, lines)
