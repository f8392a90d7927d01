from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from typer.testing import CliRunner

from functions import web
from functions.adapters.ahead import Beside
from functions.configuration import overseen
from functions.core.operators.overview import Overview
from local.cloud import WORKSPACE
from relay.__main__ import app
from tests.page.reader import Reader
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


class Desk:
    """An operator before a deployed app whose reconciler was there before any run ended."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def type(self, *words: str, **environ: str) -> Said:
        """Type `bin/relay WORDS`."""
        environ = {"COLUMNS": "200", **self.stage.environ, **environ}
        done = CliRunner().invoke(app, words, env=environ)
        assert "Traceback" not in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return Said(done.exit_code, done.stdout, done.stderr)

    def asked(self, app: str = "", **query: str) -> Any:
        """What the operations page answers a program."""
        return json.loads(self._page("application/json", app, query))

    def seen(self, **query: str) -> str:
        """The text of the operations page."""
        return Reader(self._page("text/html", "", query)).text

    def _page(self, kind: str, app: str, query: dict[str, str]) -> str:
        stage = self.stage
        stops = overseen.stops(stage.read, stage.ports, own=True)
        overview = Overview(stage.ports, stage.read.policy, stops, app, Beside().begin)
        return web.answer(lambda: overview, query, kind).body

    def end(self, run: str, *, ago: float = -1.0, **facts: Any) -> None:
        """Have a run that ended so many seconds ago; by default after all that was before."""
        at = int((self.stage.clock.now() - timedelta(seconds=ago)).timestamp() * 1000)
        times = {"start_time": at - 60_000, "end_time": at}
        self.stage.aml.add_run(run, **{"experiment": "defect-detection", **times, **facts})


@pytest.fixture
def desk(cloud: Cloud, tmp_path: Path) -> Desk:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.reconcile()
    return Desk(stage)
