"""The execution plan of an agentless job: who it is, what proves it, how the service tells it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from local.devops.pipelines.wire import same_guid, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from local.devops.access import Scope, Shape
    from local.devops.pipelines.wire import Json

TWO_DAYS = 48 * 3600.0
VERSION = 13  # up to 12, gates are addressed by other ids


def _guid() -> str:
    return str(uuid.uuid4())


def _token() -> str:
    """As long as the service's tokens are, and like them of three parts with dots."""
    return ".".join(secrets.token_urlsafe(size) for size in (48, 400, 256))


@dataclass(eq=False)
class TaskPlan:
    """A plan with one job of one task, and the token that is good for this plan only.

    `plan_url` is the collection's URL with a slash at its end. `token_life` counts in seconds by
    the service's clock; 48 hours are documented for checks. The token outlives the job, as the
    service's does: https://github.com/MicrosoftDocs/azure-devops-docs/issues/12625
    """

    organization: str
    project: str
    plan_url: str
    clock: Callable[[], datetime] = field(repr=False)
    hub: str = "build"
    token_life: float = TWO_DAYS
    number: int = 1
    plan_id: str = field(default_factory=_guid)
    job_id: str = field(default_factory=_guid)
    timeline_id: str = field(default_factory=_guid)
    task_id: str = field(default_factory=_guid)
    token: str = field(default_factory=_token, repr=False)
    forgotten: bool = False

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._token_shape: Shape | None = None

    @property
    def project_id(self) -> str:
        """The project's GUID."""
        return same_guid("project", self.organization, self.project)

    @property
    def headers(self) -> dict[str, str]:
        """The default headers of the task's call."""
        return {
            "Content-Type": "application/json",
            "PlanUrl": self.plan_url,
            "ProjectId": self.project_id,
            "HubName": self.hub,
            "PlanId": self.plan_id,
            "JobId": self.job_id,
            "TimelineId": self.timeline_id,
            "TaskInstanceId": self.task_id,
            "AuthToken": self.token,
        }

    @property
    def age(self) -> float:
        """Seconds since the job started."""
        return (self.clock() - self.started) / timedelta(seconds=1)

    @property
    def token_refusal(self) -> Shape | None:
        """How the token is refused by now; None while it is good."""
        if self._token_shape is None and self.age >= self.token_life:
            return "302"
        return self._token_shape

    def allowed(self, organization: str) -> Scope | Shape:
        """What the token may do in an organization, beside its own plan: look, in its own."""
        if organization.lower() != self.organization.lower():
            return "302"
        return self.token_refusal or "read"

    def expire_token(self, shape: Shape = "302") -> None:
        """Refuse the token from now on, in one of the shapes seen from the service."""
        self._token_shape = shape

    def forget(self) -> None:
        """The plan is gone, as after its pipeline run was deleted: all about it is 404."""
        self.forgotten = True

    def wire(self, result: str | None, finished: datetime | None) -> Json:
        """The plan as the service tells it: TaskOrchestrationPlan.

        Its job is the plan's only one, so that both are over together; in a pipeline with more
        jobs, the plan goes on and only the timeline's records tell that the task is over.

        Its keys are those of Microsoft's client libraries, such as `TaskOrchestrationPlan` in
        https://pypi.org/project/azure-devops; what they say of definition and owner is left out
        as far as it is not known.
        """
        ended = {"result": result, "finishTime": told(finished)} if finished else {}
        return {
            "scopeIdentifier": self.project_id,
            "planType": self.hub.capitalize(),
            "version": VERSION,
            "planId": self.plan_id,
            "planGroup": self.hub.capitalize(),
            "artifactUri": f"vstfs:///Build/Build/{self.number}",
            "artifactLocation": None,
            "owner": {"id": self.number, "name": str(self.number)},
            "startTime": told(self.started),
            "state": "completed" if finished else "inProgress",
            **ended,
            "timeline": {"id": self.timeline_id, "changeId": 1, "location": None},
        }
