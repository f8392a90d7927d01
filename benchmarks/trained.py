"""What AML answers here: any run that it is asked about was completed, and logged a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.names import JOB
from local.aml.run import Run

if TYPE_CHECKING:
    from local.aml.front import Answer

EXPERIMENT_ID = "0001"


class Trained:
    """What AML knows of any run that it is asked about: it was completed and logged a model."""

    def answer(self, method: str, call: str, arguments: dict[str, Any]) -> Answer:
        """The call's answer; 501 for one that is not measured."""
        del method
        if call == "runs/get":
            return 200, {"run": _run(str(arguments["run_id"]))}
        if call == "runs/search":
            parent = str(arguments["filter"]).split("'")[1]
            return 200, {"runs": [_run(f"step-of-{parent}", parent)]}
        if call == "model-versions/search":
            run = str(arguments["filter"]).split("'")[1]
            return 200, {} if run.startswith(JOB) else {"model_versions": [_version(run)]}
        return 501, {"error_code": "NOT_IMPLEMENTED", "message": f"{call} is not measured"}


def _run(run: str, parent: str = "") -> dict[str, Any]:
    has = not run.startswith(JOB)
    tags = {"mlflow.parentRunId": parent} if parent else {"stage": "production", "team": "vision"}
    return Run(
        run,
        f"training {run}",
        "FINISHED",
        EXPERIMENT_ID,
        1_789_000_000_000,
        1_789_021_600_000,
        {"accuracy": 0.93, "loss": 0.21, "f1": 0.91} if has else {},
        {"epochs": "40", "learning_rate": "0.001"} if has else {},
        tags | ({"mlflow.log-model.history": _history(run)} if has else {}),
    ).wire()


def _history(run: str) -> str:
    logged = {
        "run_id": run,
        "artifact_path": "model",
        "utc_time_created": "2026-11-21 18:40:11.043119",
        "flavors": {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {}},
    }
    return json.dumps([logged])


def _version(run: str) -> dict[str, Any]:
    return {
        "name": "defects",
        "version": "7",
        "creation_timestamp": 1_789_021_600_000,
        "source": f"runs:/{run}/model",
        "run_id": run,
        "status": "READY",
    }
