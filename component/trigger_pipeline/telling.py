"""What came of it, for whoever looks: printed, written to the output, left on the step's run."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from functions.core.operators import history
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from functions.core.kept.continuation import Continuation

STARTED, REJECTED, NO_MODEL, REFUSED, TIMED_OUT, IN_DOUBT = 0, 1, 3, 4, 5, 6
_REFUSALS = frozenset(
    {
        *(Reason.CREDENTIAL_REFUSED, Reason.REFUSED),
        *(Reason.SECRET_EXPIRED, Reason.SECRET_UNREADABLE),
    }
)
_PATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def exit_code(c: Continuation) -> int:
    """0 started, 1 rejected, 4 refused or unreachable, 5 timed out unsent, 6 in doubt."""
    if c.state is State.STARTED:
        return STARTED
    if c.asked_at is not None:
        return IN_DOUBT
    if not c.is_open:
        return REJECTED
    return REFUSED if c.reason in _REFUSALS else TIMED_OUT


def say(c: Continuation) -> None:
    """Print what is known: the pipeline run, or why there is none and what was tried."""
    if c.state is State.STARTED:
        sys.stdout.write(f"pipeline run {c.pipeline_run}\n{c.url}\n")
        return
    doubt = exit_code(c) == IN_DOUBT
    sys.stdout.write(f"{'in doubt' if doubt else 'not started'}: {c.reason}: {c.detail}\n")
    for at, what, detail in ((s.at, s.what, s.detail) for s in history.told(c)):
        sys.stdout.write(f"  {at.isoformat(timespec='seconds')} {what}: {detail}\n")
    if doubt:
        sys.stdout.write(f"{_look_for(c)}\n")


def write(c: Continuation, path: Path) -> None:
    """The same as JSON. Raises OSError."""
    found = {
        "state": "in_doubt" if exit_code(c) == IN_DOUBT else c.state,
        **{name: c.told[name] for name in ("reason", "detail", "pipeline_run")},
        "url": c.url or None,
        "run_id": c.key.run,
        "correlation": c.key.hash,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def leave_link(c: Continuation, environ: Mapping[str, str], run: str) -> None:
    """Tag the step's own run with the pipeline run, if MLflow is there; never fails the step.

    https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
    """
    if c.state is not State.STARTED or not environ.get("MLFLOW_TRACKING_URI"):
        return
    for name, value in _PATIENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient  # noqa: PLC0415 - a link is worth no failure and no wait

        client = MlflowClient()
        client.set_tag(run, "relay.trigger_pipeline.pipeline_run", str(c.pipeline_run))
        client.set_tag(run, "relay.trigger_pipeline.url", c.url)
    except Exception as error:  # noqa: BLE001 - whatever MLflow raises, the pipeline has started
        sys.stderr.write(f"no link on run {run}: {type(error).__name__}\n")


def _look_for(c: Continuation) -> str:
    """Where a person looks, and for what."""
    request = c.request
    if request is None:
        return "Look among the pipeline's runs."
    where = f"{request.organization}/{request.project}, pipeline {request.pipeline}"
    return f"Look among the runs of {where}, since {c.asked_at}, for the request {request.body}"
