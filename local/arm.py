"""Azure Resource Manager, as far as Azure Machine Learning's workspaces and jobs go.

https://learn.microsoft.com/rest/api/azureml/workspaces/get
https://learn.microsoft.com/rest/api/azureml/jobs/get
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, request

from local.identity import MANAGEMENT, TENANT, Accepts
from local.running import Running, bearer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

API_VERSIONS = (
    *("2026-05-01", "2025-12-01", "2025-09-01", "2025-06-01", "2025-04-01"),
    *("2024-10-01", "2024-04-01", "2023-10-01"),
)
RESOURCE = re.compile(
    r"(?P<workspace>/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/]+))"
    r"(?:/jobs/(?P<job>[^/]+))?",
    re.IGNORECASE,
)
Answer = Response | tuple[Response, int]


@dataclass(frozen=True)
class JobOutput:
    """What a job left behind; `asset_name` and `asset_version` if it was registered."""

    kind: str = "mlflow_model"
    uri: str | None = None
    asset_name: str | None = None
    asset_version: str | None = None
    mode: str = "ReadWriteMount"

    def wire(self) -> dict[str, Any]:
        """The output as the service writes it."""
        named = {
            "assetName": self.asset_name,
            "assetVersion": self.asset_version,
            "uri": self.uri,
        }
        known = {k: v for k, v in named.items() if v is not None}
        return {"jobOutputType": self.kind, "mode": self.mode, "description": None} | known


@dataclass(frozen=True)
class Job:
    """A job; its name is the run's id. `status` is AML's word (Completed, Failed, Canceled)."""

    name: str
    status: str = "Completed"
    kind: str = "Command"
    experiment: str = "Default"
    display_name: str | None = None
    outputs: Mapping[str, JobOutput] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    def wire(self, workspace: str) -> dict[str, Any]:
        """The job as the service writes it."""
        return {
            "id": f"{workspace}/jobs/{self.name}",
            "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/jobs",
            "properties": {
                "jobType": self.kind,
                "status": self.status,
                "experimentName": self.experiment,
                "displayName": self.display_name or self.name,
                "properties": dict(self.properties),
                "tags": dict(self.tags),
                "services": {},
                "outputs": {name: output.wire() for name, output in self.outputs.items()},
                "isArchived": False,
            },
        }


class ARM(Running):
    """Resource Manager for the workspaces and jobs it was given; ids match in any case."""

    def __init__(self, accepts: Accepts, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(port, tls)
        self._accepts = accepts
        self._workspaces: dict[str, dict[str, Any]] = {}
        self._jobs: dict[tuple[str, str], Job] = {}
        self.app.add_url_rule("/<path:_>", view_func=self._answer)

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
        asked = RESOURCE.fullmatch(request.path)
        if asked is None:
            return _error(404, "InvalidResourceType", "The resource type could not be found.")
        workspace = self._workspaces.get(asked["workspace"].lower())
        if workspace is None:
            return _no_workspace(asked["name"], asked["group"])
        if asked["job"] is None:
            return jsonify(workspace)
        job = self._jobs.get((asked["workspace"].lower(), asked["job"]))
        if job is None:
            return _error(404, "UserError", f"Job {asked['job']} not found.")
        return jsonify(job.wire(workspace["id"]))

    def _refused(self) -> Answer | None:
        version = request.args.get("api-version")
        if not version:
            return _error(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        if version not in API_VERSIONS:
            known = ",".join(API_VERSIONS)
            message = f"The api-version '{version}' is invalid. The supported versions are"
            return _error(400, "InvalidApiVersionParameter", f"{message} '{known}'.")
        if not bearer():
            return _unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
            )
        if not self._accepts(bearer(), MANAGEMENT):
            return _unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
        return None


def _workspace(workspace_id: str, tracking_uri: str, location: str) -> dict[str, Any]:
    name = workspace_id.rpartition("/")[2]
    return {
        "id": workspace_id,
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces",
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


def _error(status: int, code: str, message: str) -> tuple[Response, int]:
    return jsonify({"error": {"code": code, "message": message}}), status


def _unauthorized(code: str, message: str) -> Answer:
    answer, status = _error(401, code, message)
    answer.headers["WWW-Authenticate"] = (
        f'Bearer authorization_uri="https://login.windows.net/{TENANT}", '
        f'error="invalid_token", error_description="{message}"'
    )
    return answer, status


def _no_workspace(name: str, group: str) -> Answer:
    kind = "Microsoft.MachineLearningServices/workspaces"
    return _error(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more "
        "details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
