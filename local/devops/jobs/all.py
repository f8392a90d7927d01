"""All agentless jobs of the local Azure DevOps: by plan, and by the token that somebody shows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from local.devops.errors import Refusal
from local.devops.jobs.agentless import ServerJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from werkzeug.datastructures import Authorization

    from local.devops.pipelines.catalogue import Project

FIRST = 5001  # the number of the pipeline run that a job stands for


class ServerJobs:
    """The jobs in the order they were started. Safe for threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._jobs: list[ServerJob] = []
        self._lock = threading.Lock()

    def start(
        self, where: Project, host: str, hub: str, timeout: float, token_life: float
    ) -> ServerJob:
        """A job in a project; `host` is what stands in place of https://dev.azure.com."""
        with self._lock:
            job = ServerJob(
                where.organization,
                where.name,
                f"{host}/{where.organization}/",
                self._clock,
                hub,
                token_life,
                FIRST + len(self._jobs),
                timeout=timeout,
            )
            self._jobs.append(job)
            return job

    def all(self) -> list[ServerJob]:
        """Every job so far, oldest first."""
        with self._lock:
            return list(self._jobs)

    def holding(self, shown: Authorization | None) -> ServerJob | None:
        """The job whose token this is, good or not: a bearer's, or a password to any name."""
        if shown is None or shown.type not in {"basic", "bearer"}:
            return None
        token = shown.token if shown.type == "bearer" else shown.password
        return next((job for job in self.all() if job.token == token), None)

    def plan(self, plan_id: str) -> ServerJob | None:
        """The job with this plan, even if it was forgotten."""
        return next((job for job in self.all() if job.plan_id == plan_id), None)

    def named(self, organization: str, scope: str, hub: str, plan_id: str) -> ServerJob:
        """The job that a path names, or a 404 Refusal.

        The project is its GUID, not its name; hubs are not told apart by capitals.
        """
        job = self.plan(plan_id)
        asked = (organization.lower(), scope, hub.lower())
        if job is None or job.forgotten or asked != _place(job):
            message = f"No plan found for identifier {plan_id}."
            raise Refusal(404, "TaskOrchestrationPlanNotFoundException", message)
        return job


def _place(job: ServerJob) -> tuple[str, str, str]:
    return job.organization.lower(), job.project_id, job.hub.lower()
