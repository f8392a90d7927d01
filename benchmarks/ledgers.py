"""Continuations as they lie in a ledger, many of them, with the rows that they consist of."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core import continuation as steps
from functions.core import places, records
from functions.core.reasons import Reason
from functions.core.values import (
    Key,
    Outcome,
    PipelineRequest,
    PipelineRun,
    RunEvent,
    State,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.continuation import Continuation
    from functions.core.places import Place
    from functions.core.records import Row

WORKSPACE = Workspace("0c5f3a7e-5f1c-4a55-9d0e-6a1f0e1f9b11", "rg-machine-learning", "ml-prod")
LEASE, HOUR = timedelta(seconds=120), timedelta(hours=1)


def claimed(name: str, at: datetime) -> Continuation:
    """One that was just claimed."""
    event = RunEvent(
        id=f"event-{name}",
        type="Microsoft.MachineLearningServices.RunCompleted",
        subject=f"experiments/0001/runs/{name}",
        time=at,
        workspace=WORKSPACE,
        run=name,
        outcome=Outcome.COMPLETED,
        experiment="defect-detection",
        run_type="azureml.PipelineRun",
        tags={"stage": "production", "team": "vision"},
        properties={"azureml.runsource": "azureml.PipelineRun"},
    )
    key = Key(WORKSPACE.id.lower(), name, Outcome.COMPLETED, "register-model")
    return steps.opened(key, event, at + timedelta(seconds=2), LEASE)


def ended(n: int, at: datetime) -> Continuation:
    """One that has ended: most have started, some were held or failed."""
    c = claimed(f"run-{n:06d}", at)
    now = c.created_at + timedelta(seconds=3 + n % 60)
    if n % 10 == 0:
        return steps.ended(c, now, State.HELD, Reason.GATE, "run.metrics.accuracy = 0.71")
    if n % 10 == 1:
        return steps.ended(c, now, State.FAILED, Reason.REJECTED, "400: no such parameter")
    body = json.dumps({"templateParameters": {"run_id": c.key.run, "model_name": "defects"}})
    request = PipelineRequest(
        organization="contoso", project="mlops", pipeline=42, secret="pat", body=body
    )
    url = f"https://dev.azure.com/contoso/mlops/_build/results?buildId={n}"
    asked = steps.asked(c, now, request, LEASE, "gate run.metrics.accuracy = 0.93")
    return steps.started(asked, now, PipelineRun(id=n, url=url), Reason.ANSWERED, HOUR)


def parked(n: int, at: datetime) -> Continuation:
    """One that waits; every hundredth is at work."""
    c = claimed(f"open-{n:06d}", at)
    if n % 100 == 0:
        return c
    due = at + timedelta(days=1)
    return steps.parked(c, c.created_at, Reason.CREDENTIAL_REFUSED, "contoso: 401", due)


def rows_of(c: Continuation) -> Iterator[tuple[Place, Row]]:
    """The rows of a continuation: its own, and the one that schedules it or lists it."""
    row = records.continuation_row(c)
    yield places.continuation(c.key), row
    if c.is_open:
        yield places.scheduled(c.key), records.schedule_row(c)
    else:
        yield places.ended(c), row
