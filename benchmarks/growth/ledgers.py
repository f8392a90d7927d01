"""Continuations as they lie in a ledger, many of them, with the rows that they consist of."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.ledger import places, records
from functions.core.starts import steps
from functions.core.terms.pipelines import PipelineRequest, PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key, RunEvent, Workspace
from functions.core.terms.words import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Place, Row

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


def stages(
    name: str, at: datetime, now: datetime | None = None, n: int = 1
) -> tuple[Continuation, Continuation, Continuation]:
    """One as it is claimed, asked and started, the last two `now`; `n` is its pipeline run."""
    c = claimed(name, at)
    parameters = {
        "model_name": "defects",
        "model_version": "7",
        "accuracy": "0.93",
        "run_id": name,
    }
    body = json.dumps({"templateParameters": parameters})
    request = PipelineRequest(
        organization="contoso", project="mlops", pipeline=42, secret="pat", body=body
    )
    then = now or c.created_at
    asked = steps.asked(c, then, request, LEASE, "gate run.metrics.accuracy = 0.93")
    url = f"https://dev.azure.com/contoso/mlops/_build/results?buildId={n}"
    run = PipelineRun(id=n, url=url)
    return c, asked, steps.started(asked, then, run, Reason.ANSWERED, HOUR)


def ended(n: int, at: datetime) -> Continuation:
    """One that has ended: most have started, some were held or failed."""
    name = f"run-{n:06d}"
    c = claimed(name, at)
    now = c.created_at + timedelta(seconds=3 + n % 60)
    if n % 10 == 0:
        return steps.ended(c, now, State.HELD, Reason.GATE, "run.metrics.accuracy = 0.71")
    if n % 10 == 1:
        return steps.ended(c, now, State.FAILED, Reason.REJECTED, "400: no such parameter")
    return stages(name, at, now, n)[-1]


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
