"""A run as MLflow's API writes it."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.aml.search import Viewed

if TYPE_CHECKING:
    from collections.abc import Mapping

Found = dict[str, Any]


@dataclass
class Run:
    """One run. Times in epoch milliseconds; `status` in MLflow's words."""

    run_id: str
    name: str
    status: str
    experiment_id: str
    start_time: int
    end_time: int | None
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: tuple[str, ...] = ()
    lifecycle_stage: str = "active"

    def wire(self) -> Found:
        """The run as MLflow writes it: what is empty is left out."""
        at = {"timestamp": self.end_time or self.start_time, "step": 0}
        data = {
            "metrics": [{"key": k, "value": _number(v)} | at for k, v in self.metrics.items()],
            "params": _pairs(self.params),
            "tags": _pairs(self.tags),
        }
        return {"info": self._info(), "data": {k: v for k, v in data.items() if v}, "inputs": {}}

    def _info(self) -> Found:
        info = {
            "run_id": self.run_id,
            "run_uuid": self.run_id,
            "run_name": self.name,
            "experiment_id": self.experiment_id,
            "user_id": "local",
            "status": self.status,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "artifact_uri": self.artifact_uri,
            "lifecycle_stage": self.lifecycle_stage,
        }
        return {k: v for k, v in info.items() if v is not None}

    @property
    def artifact_uri(self) -> str:
        """Where the artifacts are."""
        return f"azureml://local/ExperimentRun/dcid.{self.run_id}/artifacts"

    def viewed(self) -> Viewed:
        """The run as searches see it."""
        attributes = self._info() | {"creation_time": self.start_time}
        if self.end_time is not None:
            attributes["duration"] = self.end_time - self.start_time
        return Viewed(attributes, self.metrics, self.params, self.tags)


def _number(value: float) -> float | str:
    """A metric as MLflow sends it: NaN as text, an infinite one as the largest number there is.

    https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/sqlalchemy_store.py
    """
    if math.isnan(value):
        return "NaN"
    return math.copysign(sys.float_info.max, value) if math.isinf(value) else value


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": k, "value": v} for k, v in values.items()]
