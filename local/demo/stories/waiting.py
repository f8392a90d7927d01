"""The pattern `wait` as a story: a pipeline waits for a training, and holds no agent."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from local import trainings
from local.cloud import ORGANIZATION, PROJECT, WORKSPACE
from local.demo.scene import TRAINING_PATIENCE
from local.demo.stories.patterns import LONG, Async
from local.deployment import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from local.devops import ServerJob

ROUTE = """
  - name: answer-waiting-tasks
    complete: true
    when: run.metrics.accuracy >= 0.9
"""


def settings(directory: Path) -> dict[str, str]:
    """What the app needs for it: waits are on, and a route answers them."""
    routes = directory / "routes.yaml"
    routes.write_text((ROOT / "routes.yaml").read_text("utf-8").rstrip() + "\n" + ROUTE, "utf-8")
    return {"WAITS": "1", "SWEEP_WORKSPACES": WORKSPACE, "ROUTES_FILE": str(routes)}


class Wait(Async):
    """An agentless job is told how the run ended."""

    def tell(self) -> None:
        """A run that ends well lets the job go on, one that fails ends it."""
        self._deployment.cloud.vault.put("run-relay-waits-key", secrets.token_hex())
        self._screen.title("1. An agentless job registers, and waits while the training goes on")
        run = self._submitted(*LONG)
        job = self._registered(run)
        self.expect("the job waits, and no agent does", job.result is None, job.result)
        training = self.over(run, "the job trains", "FINISHED")
        event = trainings.run_completed(training)
        self._scene.published(event, "the run's end").tell(self._screen, None)
        self._ends(job, "succeeded")
        self._screen.title("2. A run that failed already: the job is told at once, and why")
        failed = self.over(self._submitted("--fail"), "the job fails", "FAILED")
        self._ends(self._registered(failed.run), "failed")
        self.keeps_the_secret()

    def _registered(self, run: str) -> ServerJob:
        where = f"{self._deployment.host_url}/api/waits"
        key = {"x-functions-key": self._deployment.function_key}
        devops = self._deployment.cloud.devops
        job = devops.start_server_job(
            ORGANIZATION, PROJECT, url=where, body={"run_id": run}, headers=key
        )
        status = job.answer and job.answer.status
        self.expect("the function app took the registration: 202", status == 202, status)  # noqa: PLR2004
        return job

    def _ends(self, job: ServerJob, result: str) -> None:
        ended = job.wait(TRAINING_PATIENCE)
        for line in job.lines:
            self._screen.say(line)
        self.expect(f"the job has {result}, and its log says why", ended == result, job.lines)
