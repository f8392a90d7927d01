"""Events as the Functions worker hands them over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from local.names import WORKSPACE

AT = datetime(2026, 11, 21, 18, 41, tzinfo=UTC)


def completed(run: str, **data: Any) -> func.EventGridEvent:  # noqa: ANN401 - JSON
    """RunCompleted of a run."""
    return func.EventGridEvent(
        id=f"event-{run}",
        data=told(run, **data),
        topic=WORKSPACE,
        subject=f"experiments/0001/runs/{run}",
        event_type="Microsoft.MachineLearningServices.RunCompleted",
        event_time=AT,
        data_version="2",
    )


def of_step(run: str) -> func.EventGridEvent:
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
