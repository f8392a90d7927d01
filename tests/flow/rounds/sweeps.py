"""Runs that end without an event, and sweeps that look for them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.stage.azure import Stage
from tests.stage.identities import all_answered

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pytest

    from local.cloud import Cloud

DEFECT = "defect-detection"


def settled(cloud: Cloud, tmp_path: Path, **environ: str) -> Stage:
    """An app that has been there for two days."""
    stage = Stage(cloud, tmp_path, **environ)
    stage.reconcile()
    stage.clock.forward(days=2)
    return stage


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def end(stage: Stage, run: str, ago: timedelta = timedelta(0), **facts: Any) -> None:
    """Have a run that ended so long ago, on the app's clock, and no event of it."""
    at = stage.clock.now() - ago
    times = {"start_time": milliseconds(at - timedelta(minutes=5)), "end_time": milliseconds(at)}
    stage.aml.add_run(run, **{"experiment": DEFECT, **times, **facts})


def sweep(stage: Stage, **later: float) -> None:
    """Sweep so much later; what was asked for before is answered by then."""
    all_answered()
    stage.clock.forward(**later)
    stage.app.sweep.sweep()


def lines(caplog: pytest.LogCaptureFixture, of: str) -> list[str]:
    return [m for m in caplog.messages if m.startswith(f"{of}=")]


def searches(stage: Stage) -> list[dict[str, Any]]:
    return [json.loads(r.body) for r in stage.aml.server.received("POST", "/runs/search")]
