"""What the hourly sweep sees of a workspace in which a thousand trainings end an hour.

Each has four child runs, and a continuation. Then AML shows one run that nobody told of for each
hour of the window, and after that the app stands still for half a day in which events are lost.
The clock is moved by half a second for each page that is read and by ten milliseconds for each
request to the ledger.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from benchmarks import bench
from benchmarks.bench import told
from benchmarks.growth.backlog import Outside, StandingClock
from benchmarks.growth.ledgers import WORKSPACE, ended, rows_of
from benchmarks.load.ends import BusyWorkspace
from benchmarks.report import Section, Target, table
from functions import bootstrap, connections
from functions.adapters.aml.runs import AmlRuns
from functions.configuration import settings as known_settings
from functions.core.ledger.rowledger import RowLedger
from functions.core.terms.policy import SweepPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from benchmarks.bench import Bench
    from functions.core.terms.pipelines import PipelineRun

AN_HOUR = {bench.USUAL: 1_000, bench.QUICK: 100, bench.SMOKE: 5}
WINDOW = round(SweepPolicy().window.total_seconds() / 3600)
EARLIER = 2.0  # hours that 8a25122 saw: 50 pages of 200 runs
CHILDREN = 4
OUTAGE, LOST = 12, 20  # hours, and the trainings of each whose event is lost
A_REQUEST = timedelta(milliseconds=10)
ROUTES = """
version: 1
routes:
  - name: register-model
    match: {experiment: "defect-*"}
    start:
      {organization: contoso, project: mlops, pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
TITLES = {
    "hours_seen": "hours whose late run was started, of 26",
    "sweeps_until_seen": "sweeps until the last of them was",
    "pages": "pages of runs in a sweep",
    "seconds": "seconds of a sweep",
    "sweeps_after_outage": "sweeps until all that ended in the outage was started",
    "lost": "runs of it that were not started in 26 sweeps",
}


def measured(running: Bench) -> Section:
    """How much it sees, and how long that takes."""
    routes = running.folder / "swept.yaml"
    routes.write_text(ROUTES, "utf-8")
    settings = {**running.ledger("sqlite"), "ROUTES_FILE": str(routes), "SWEEP": "start"}
    settings["SWEEP_WORKSPACES"] = WORKSPACE.id
    with told(f"sweeps with {AN_HOUR[running.size]:,} trainings an hour"):
        found = running.subject("sweeping", settings, an_hour=AN_HOUR[running.size])
    rows = [(TITLES[name], float(each)) for name, each in found.items()]
    targets = [
        Target("hours of the window that it does not see", WINDOW - found["hours_seen"], 0.0),
        Target("runs of an outage that were lost", found["lost"], 0.0),
    ]
    return Section(
        title="The sweep of a busy workspace",
        text=f"{__doc__.strip()}\n\nThe build of 8a25122 saw {EARLIER:g} hours.\n\n"
        f"{table(('what', 'found'), rows)}",
        targets=tuple(targets if running.size == bench.USUAL else ()),
        figures=found,
    )


def hours(an_hour: int) -> dict[str, float]:
    """Sweep for two days, and what came of it."""
    clock = StandingClock()
    aml = BusyWorkspace(clock)
    app, outside = _app(clock, aml)
    app.sweep.sweep()  # it knows the workspace and the route from now on
    for _ in range(WINDOW + 1):
        _an_hour(clock, aml, an_hour)
        app.sweep.sweep()
    aml.pages, began = 0, clock.now()
    app.sweep.sweep()
    figures = {"pages": float(aml.pages), "seconds": (clock.now() - began).total_seconds()}

    def sweeps_until(wanted: Collection[str]) -> float:
        for n in range(WINDOW):
            if outside.started.issuperset(wanted):
                return float(n)
            app.sweep.sweep()
            _an_hour(clock, aml, an_hour)
        return float(WINDOW)

    late = {f"late-{hour}": clock.now() - timedelta(hours=hour + 0.5) for hour in range(WINDOW)}
    for run, at in late.items():
        aml.end(run, at)
    figures["sweeps_until_seen"] = sweeps_until(late.keys())
    figures["hours_seen"] = float(len(late.keys() & outside.started))
    lost = set(chain.from_iterable(_an_hour(clock, aml, an_hour, LOST) for _ in range(OUTAGE)))
    figures["sweeps_after_outage"] = sweeps_until(lost)
    return {**figures, "lost": float(len(lost - outside.started))}


def _app(clock: StandingClock, aml: BusyWorkspace) -> tuple[bootstrap.App, _Started]:
    known = known_settings.read(os.environ)
    ports, outside = connections.connect(known, clock), _Started(clock)
    rows = ports.ledger._rows  # type: ignore[attr-defined] # noqa: SLF001 - what it asks of its store
    others: dict[str, Any] = dict.fromkeys(("credentials", "pipelines"), outside)
    others["runs"] = AmlRuns(aml)  # type: ignore[arg-type]
    ledger = RowLedger(lambda: _Slow(rows(), clock))
    return bootstrap.App(known, ports._replace(ledger=ledger, **others)), outside


def _an_hour(clock: StandingClock, aml: BusyWorkspace, count: int, lost: int = 0) -> list[str]:
    """Let trainings end in the next hour; those are returned of which no event tells."""
    begins, names = clock.now(), []
    rest = timedelta(hours=1) / count
    for n in range(count):
        at = begins + n * rest
        aml.number += 1
        name = f"run-{aml.number:06d}"
        names.append(name)
        aml.end(name, at)
        for child in range(CHILDREN):
            aml.end(f"{name}-{child}", at, parent=name)
    missed = names[:: max(count // lost, 1)] if lost else []
    _known(begins, (int(name[4:]) for name in names if name not in missed))
    clock.on(hours=1)
    return missed


def _known(at: datetime, numbers: Iterable[int]) -> None:
    """Their continuations have ended."""
    path = os.environ["LEDGER_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as file, file:
        rows = chain.from_iterable(rows_of(ended(n, at)) for n in numbers)
        told = ((*place, "v", json.dumps(row)) for place, row in rows)
        file.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", told)


class _Slow:
    """Rows of which each request takes its time on the clock."""

    def __init__(self, real: Any, clock: StandingClock) -> None:  # noqa: ANN401 - any store's
        self._real, self._clock = real, clock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        self._clock.on(seconds=A_REQUEST.total_seconds())
        return getattr(self._real, name)


class _Started(Outside):
    """A vault, and Azure DevOps, which remembers for whom it was asked."""

    def __init__(self, clock: StandingClock) -> None:
        super().__init__(clock)
        self.started: set[str] = set()

    def start(self, *given: Any) -> PipelineRun:  # noqa: ANN401
        """It is queued."""
        self.started.add(json.loads(given[0].body)["templateParameters"]["run_id"])
        return super().start(*given)
