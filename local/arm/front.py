"""Azure Resource Manager: Azure Machine Learning's workspaces and jobs here, others beside.

https://learn.microsoft.com/rest/api/azureml/workspaces/get
https://learn.microsoft.com/rest/api/azureml/jobs/get
https://learn.microsoft.com/rest/api/azureml/jobs/cancel
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from flask import Response, jsonify, request

from local.arm.alerts import ActionGroups, Rules
from local.arm.errors import error, not_found, unauthorized, wrong_version
from local.arm.events import KIND as TOPIC
from local.arm.events import SystemTopics
from local.arm.resources import Resources
from local.arm.roles import Roles
from local.arm.vaults import KIND as VAULT
from local.arm.vaults import Vaults
from local.arm.web import KIND as SITE
from local.arm.web import Sites
from local.identity import MANAGEMENT, TENANT, Accepts
from local.serving.running import Running, bearer

if TYPE_CHECKING:
    import ssl

    from local.arm.errors import Answer
    from local.arm.jobs import Job
    from local.arm.resources import Holder
    from local.serving.listener import Listener

API_VERSIONS = (
    *("2026-05-01", "2025-12-01", "2025-09-01", "2025-06-01", "2025-04-01"),
    *("2024-10-01", "2024-04-01", "2023-10-01"),
)
KIND = "Microsoft.MachineLearningServices/workspaces"
ENDED = ("Completed", "Failed", "Canceled")
RESOURCE = re.compile(
    r"(?P<workspace>/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/]+))"
    r"(?:/jobs/(?P<job>[^/]+)(?P<cancel>/cancel)?)?",
    re.IGNORECASE,
)


class _Part(Protocol):
    """One provider: which paths are its own, its api-versions, and its answers."""

    @property
    def path(self) -> re.Pattern[str]: ...

    @property
    def versions(self) -> tuple[str, ...]: ...

    def answer(self, asked: re.Match[str]) -> Answer: ...


class ARM(Running):
    """Resource Manager for what it was given; ids match in any case."""

    path = RESOURCE
    versions = API_VERSIONS

    def __init__(
        self, accepts: Accepts, port: int | Listener = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(port, tls)
        self._accepts = accepts
        self._workspaces: dict[str, dict[str, Any]] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self.sites, self.vaults, self.roles = Sites(), Vaults(), Roles()
        self.rules, self.groups = Rules(), ActionGroups()
        self.topics = SystemTopics(self.sites)
        self._parts: tuple[_Part, ...]
        listed: dict[str, Holder] = {SITE: self.sites, VAULT: self.vaults, TOPIC: self.topics}
        resources = Resources(listed)
        shown = (self.sites, self.vaults, self.topics, self.roles, self.rules, self.groups)
        self._parts = (self, *shown, resources)
        self.app.add_url_rule("/<path:_>", view_func=self._answer, methods=["GET", "POST"])

    def add_workspace(
        self, workspace_id: str, tracking_uri: str, location: str = "westeurope"
    ) -> None:
        """Have a workspace whose MLflow is at `tracking_uri`.

        That is `azureml://HOST/mlflow/v1.0{workspace id}` (https is meant), or the plain
        address of an MLflow server.
        """
        self._workspaces[workspace_id.lower()] = _workspace(workspace_id, tracking_uri, location)

    def add_job(self, workspace_id: str, job: Job) -> None:
        """Have a job, or replace the one of that name."""
        self._jobs[workspace_id.lower(), job.name] = job

    def _answer(self, _: str) -> Answer:
        refusal = self._refused()
        if refusal is not None:
            return refusal
        for part in self._parts:
            asked = part.path.fullmatch(request.path)
            if asked is not None:
                wrong = wrong_version(request.args["api-version"], part.versions)
                return wrong or part.answer(asked)
        return error(404, "InvalidResourceType", "The resource type could not be found.")

    def answer(self, asked: re.Match[str]) -> Answer:
        """A workspace, or one of its jobs."""
        workspace = self._workspaces.get(asked["workspace"].lower())
        if workspace is None:
            return not_found(KIND, asked["name"], asked["group"])
        if asked["job"] is None:
            return jsonify(workspace)
        job = self._jobs.get((asked["workspace"].lower(), asked["job"]))
        if job is None:
            return error(404, "UserError", f"Job {asked['job']} not found.")
        if asked["cancel"]:
            return self._cancelled(workspace["id"], job)
        return jsonify(job.wire(workspace["id"]))

    def _cancelled(self, workspace_id: str, job: Job) -> Answer:
        """It takes its time: whoever runs the job says when it is Canceled."""
        if request.method != "POST":
            return error(405, "MethodNotAllowed", "The HTTP method is not allowed.")
        if job.status not in ENDED:
            self.add_job(workspace_id, replace(job, status="CancelRequested"))
        return Response(status=202, headers={"Location": f"{self.url}{request.path}/status"})

    def _refused(self) -> Answer | None:
        if not request.args.get("api-version"):
            return wrong_version(None, ())
        if not bearer():
            return unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            )
        if not self._accepts(bearer(), MANAGEMENT):
            return unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
        return None


def _workspace(workspace_id: str, tracking_uri: str, location: str) -> dict[str, Any]:
    name = workspace_id.rpartition("/")[2]
    return {
        "id": workspace_id,
        "name": name,
        "type": KIND,
        "location": location,
        "tags": {},
        "identity": {"type": "SystemAssigned", "tenantId": TENANT},
        "properties": {
            "friendlyName": name,
            "workspaceId": str(uuid.uuid5(uuid.NAMESPACE_URL, workspace_id.lower())),
            "mlFlowTrackingUri": tracking_uri,
            "discoveryUrl": f"https://{location}.api.azureml.ms/discovery",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
        },
    }
