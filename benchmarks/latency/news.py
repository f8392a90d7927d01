"""Events as the Functions worker hands them over."""

from __future__ import annotations

import json
from typing import Any

from local.serving.names import WORKSPACE


def completed(run: str, **data: Any) -> str:  # noqa: ANN401 - JSON
    """RunCompleted of a run, as text."""
    return json.dumps(
        {
            "id": f"event-{run}",
            "data": told(run, **data),
            "topic": WORKSPACE,
            "subject": f"experiments/0001/runs/{run}",
            "eventType": "Microsoft.MachineLearningServices.RunCompleted",
            "eventTime": "2026-11-21T18:41:00Z",
            "dataVersion": "2",
        }
    )


def of_step(run: str) -> str:
    """RunCompleted of a step, which is no root run."""
    mark = {"azureml.pipelinerunid": "the-root"}
    return completed(run, runType="azureml.StepRun", runProperties=mark)


def told(run: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An event's data, of the usual size."""
    return {
        "experimentId": "0001",
        "experimentName": "defect-detection",
        "runId": run,
        "runType": "azureml.PipelineRun",
        "runTags": {"stage": "production", "team": "vision"},
        "runProperties": {
            "azureml.runsource": "azureml.PipelineRun",
            "runSource": "SDK",
            "runType": "SDK",
            "azureml.parameters": "{}",
            "azureml.pipelineComponent": "pipelinerun",
        },
        **data,
    }
