"""Jobs of Azure Machine Learning, as Resource Manager tells of them.

https://learn.microsoft.com/rest/api/azureml/jobs/get
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """A job; its name is the run's id. `status` is AML's word (Completed, Failed, Canceled).

    A step of a pipeline job (`is_step`) is known by its name only: its properties are null.
    https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/ml/azure-ai-ml/azure/ai/ml/entities/_job/job.py
    """

    name: str
    status: str = "Completed"
    kind: str = "Command"
    experiment: str = "Default"
    display_name: str | None = None
    outputs: Mapping[str, JobOutput] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    is_step: bool = False

    def wire(self, workspace: str) -> dict[str, Any]:
        """The job as the service writes it."""
        return {
            "id": f"{workspace}/jobs/{self.name}",
            "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/jobs",
            "properties": None if self.is_step else self._described(),
        }

    def _described(self) -> dict[str, Any]:
        return {
            "jobType": self.kind,
            "status": self.status,
            "experimentName": self.experiment,
            "displayName": self.display_name or self.name,
            "properties": dict(self.properties),
            "tags": dict(self.tags),
            "services": {},
            "outputs": {name: output.wire() for name, output in self.outputs.items()},
            "isArchived": False,
        }
