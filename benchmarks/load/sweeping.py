"""What the hourly sweep sees of a workspace in which a thousand trainings end an hour.

Each has four child runs, and a continuation. Then, when the sweeps set out from the newest run
anew, AML shows one run that nobody told of for each hour of the window; the same again half-way
down, where what lies above is looked at only by the next sweeps that set out. After that the app
stands still for half a day in which events are lost.
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
from functions.core.memory import visits
from functions.core.terms.policy import SweepPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    "hours_half_way": "the same, if they are shown half-way",
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
    """Sweep for some days, and what came of it."""
    days = _Days(an_hour)
    for _ in range(WINDOW + 1):
        days.hour()
    figures = days.one_sweep()
    days.go_on_until(days.is_to_set_out)
    shown = days.show_late("late")
    figures["sweeps_until_seen"] = days.go_on_until(lambda: days.outside.started >= shown)
    figures["hours_seen"] = float(len(shown & days.outside.started))
    days.go_on_until(days.is_to_set_out)
    for _ in range(int(figures["sweeps_until_seen"]) // 2):
        days.hour()
    shown = days.show_late("half-way")
    days.go_on_until(lambda: days.outside.started >= shown)
    figures["hours_half_way"] = float(len(shown & days.outside.started))
    lost = {run for _ in range(OUTAGE) for run in days.end_runs(LOST)}
    figures["sweeps_after_outage"] = days.go_on_until(lambda: days.outside.started >= lost)
    return {**figures, "lost": float(len(lost - days.outside.started))}


class _Days:
    """An app and a workspace, hour by hour."""

    def __init__(self, an_hour: int) -> None:
        self._clock, self._an_hour = StandingClock(), an_hour
        self._aml, self.outside = BusyWorkspace(self._clock), _Started(self._clock)
        known = known_settings.read(os.environ)
        ports = connections.connect(known, self._clock)
        rows = ports.ledger._rows  # type: ignore[attr-defined] # noqa: SLF001 - what it asks
        others: dict[str, Any] = dict.fromkeys(("credentials", "pipelines"), self.outside)
        others["runs"] = AmlRuns(self._aml)  # type: ignore[arg-type]
        self._ledger = RowLedger(lambda: _Slow(rows(), self._clock))
        app = bootstrap.App(known, ports._replace(ledger=self._ledger, **others))
        self._sweep = app.sweep.sweep
        self._sweep()  # it knows the workspace and the route from now on

    def hour(self) -> None:
        """One that ends with a sweep."""
        self.end_runs()
        self._sweep()

    def one_sweep(self) -> dict[str, float]:
        """What one costs."""
        self._aml.pages, began = 0, self._clock.now()
        self._sweep()
        took = (self._clock.now() - began).total_seconds()
        return {"pages": float(self._aml.pages), "seconds": took}

    def is_to_set_out(self) -> bool:
        """Whether the next sweep sets out from the newest run."""
        visit = visits.recall(self._ledger).of(WORKSPACE.key)
        return visit is None or visit.down is None

    def go_on_until(self, it_is_so: Callable[[], bool]) -> float:
        """How many sweeps that took; those of a window at most."""
        for n in range(WINDOW):
            if it_is_so():
                return float(n)
            self._sweep()
            self.end_runs()
        return float(WINDOW)

    def show_late(self, name: str) -> set[str]:
        """One run for each hour of the window, of which nobody told."""
        now = self._clock.now()
        shown = {f"{name}-{n}": now - timedelta(hours=n + 0.5) for n in range(WINDOW)}
        for run, at in shown.items():
            self._aml.end(run, at)
        return {*shown}

    def end_runs(self, lost: int = 0) -> list[str]:
        """Let trainings end in the next hour; those are returned of which no event tells."""
        begins, count, names = self._clock.now(), self._an_hour, []
        rest = timedelta(hours=1) / count
        for n in range(count):
            at = begins + n * rest
            self._aml.number += 1
            name = f"run-{self._aml.number:06d}"
            names.append(name)
            self._aml.end(name, at)
            for child in range(CHILDREN):
                self._aml.end(f"{name}-{child}", at, parent=name)
        missed = names[:: max(count // lost, 1)] if lost else []
        _known(begins, (int(name[4:]) for name in names if name not in missed))
        self._clock.on(hours=1)
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
