"""What an hour costs in which ten thousand wait behind a limit that lets twenty of them go.

Counted, not timed: requests to Table storage as the ledger's methods make them, and one for each
call of another service. The clock is moved from minute to minute.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from benchmarks import bench
from benchmarks.bench import told
from benchmarks.growth.ledgers import claimed
from benchmarks.report import Section, Target, table
from functions import bootstrap, connections
from functions.adapters.clock import SystemClock
from functions.configuration import settings as known_settings
from functions.core.ledger import places, records
from functions.core.ledger.rowledger import RowLedger
from functions.core.ports.ledger import PAGE
from functions.core.starts import steps
from functions.core.terms.pipelines import Credential, PipelineEnd, PipelineRun, RunsSeen, Sender
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Run
from functions.core.terms.words import Ending, Outcome, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.bench import Bench
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.policy import Policy

WAIT = {bench.USUAL: 10_000, bench.QUICK: 1_000, bench.SMOKE: 100}
AN_HOUR = 20  # may go
TAKES = timedelta(minutes=5)
GOLDEN = 0.618  # its multiples are spread evenly
EARLIER = 91_000.0  # requests of an hour of 8a25122, which read 1,000 of them again each minute
ROUTES = """
version: 1
routes:
  - name: register-model
    match: {experiment: "defect-*"}
    limit: 20/h
    start:
      {organization: contoso, project: mlops, pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


def measured(running: Bench) -> Section:
    """An hour's requests, by who gets them."""
    count = WAIT[running.size]
    routes = running.folder / "limited.yaml"
    routes.write_text(ROUTES, "utf-8")
    settings = {**running.ledger("sqlite"), "ROUTES_FILE": str(routes)}
    with told(f"an hour with {count:,} behind a limit of {AN_HOUR}/h"):
        found: dict[str, float] = running.subject("backlog", settings, count=count)
    rows = [(name, float(each)) for name, each in found.items()]
    whole = sum(each for name, each in found.items() if name != "started")
    share = whole / EARLIER
    started = found.get("started", 0.0)
    all_go = Target("starts in that hour", started, AN_HOUR, "", at_least=True, counted=True)
    targets = [Target("beside the build of 8a25122", share, 0.02, counted=True), all_go]
    return Section(
        title="A backlog behind a limit",
        text=f"{__doc__.strip()}\n\n{table(('an hour', 'requests'), rows)}",
        targets=tuple(targets if running.size == bench.USUAL else [all_go]),
        figures={"requests": whole, **found},
    )


def hour(count: int) -> dict[str, float]:
    """Sixty rounds from the beginning of an hour on, in which so many wait since weeks."""
    known = known_settings.read(os.environ)
    clock, calls = StandingClock(), Counter[str]()
    ports, outside = connections.connect(known, clock), Outside(clock, calls)
    rows = ports.ledger._rows  # type: ignore[attr-defined] # noqa: SLF001 - what it asks of its store
    others: dict[str, Any] = dict.fromkeys(("runs", "credentials", "pipelines"), outside)
    counted = RowLedger(lambda: _Counted(rows(), calls))
    app = bootstrap.App(known, ports._replace(ledger=counted, **others))
    clock.on(minutes=60 - clock.now().minute)
    _wait(known.policy, ports.ledger, count, clock.now())
    app.reconciler.reconcile()  # what a process does once
    clock.on(minutes=60)
    app.reconciler.reconcile()
    clock.on(minutes=60 - clock.now().minute)
    calls.clear()
    for _ in range(60):
        app.reconciler.reconcile()
        clock.on(minutes=1)
    return dict(calls)


def _wait(policy: Policy, ledger: Ledger, count: int, now: datetime) -> None:
    """As many more each hour as may go, since weeks, each looked after at a time of its own."""
    ledger.shared("there")  # so that there is a file
    path = os.environ["LEDGER_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as file, file:
        rows = (_stored(c) for c in _waiting(policy, count, now))
        file.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", chain.from_iterable(rows))


def _waiting(policy: Policy, count: int, now: datetime) -> Iterator[Continuation]:
    for n in range(count):
        at = now - timedelta(hours=n / AN_HOUR)
        c = claimed(f"run-{n:06d}", at)
        after = policy.wait_in_line(c.key.text, now - at) * (n * GOLDEN % 1)
        name = line(c.key.route)
        yield steps.parked(c, c.created_at, Reason.LIMIT, "", now + after, name)


def _stored(c: Continuation) -> Iterator[tuple[str, str, str, str]]:
    rows = {
        places.continuation(c.key): records.continuation_row(c),
        places.scheduled(c.key): records.schedule_row(c),
    }
    return ((*place, "v", json.dumps(row)) for place, row in rows.items())


class StandingClock(SystemClock):
    """It stands still unless it is moved on by hand."""

    def __init__(self) -> None:
        self._now = super().now()

    def now(self) -> datetime:
        """Where it stands."""
        return self._now

    def monotonic(self) -> float:
        """The same in seconds."""
        return self._now.timestamp()

    def on(self, **by: float) -> None:
        """Let it go on."""
        self._now += timedelta(**by)


class _Counted:
    """Rows whose requests are counted; a list is one for each thousand."""

    def __init__(self, real: Any, calls: Counter[str]) -> None:  # noqa: ANN401 - any store's
        self._real, self._calls = real, calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:  # noqa: ANN401
            self._calls["tables"] += 1
            found = getattr(self._real, name)(*given, **named)
            return self._pages(found) if name == "find" else found

        return counted

    def _pages(self, found: Iterator[Any]) -> Iterator[Any]:
        for n, row in enumerate(found):
            self._calls["tables"] += bool(n and n % PAGE == 0)
            yield row


class Outside:
    """Azure Machine Learning, where every run has completed; a vault; and Azure DevOps.

    A pipeline run takes five minutes. The secret is kept by the process, and so not counted.
    """

    def __init__(self, clock: StandingClock, calls: Counter[str] | None = None) -> None:
        self._clock, self._calls = clock, Counter[str]() if calls is None else calls
        self._began: dict[int, datetime] = {}

    def begin(self, *given: object) -> None:
        """Nothing is read ahead."""

    def drop(self, *given: object) -> None:
        """The same."""

    def read(self, where: object, run: object = "", deadline: object = None, **more: object) -> Any:  # noqa: ANN401
        """A run, or the secret."""
        del deadline, more
        if isinstance(where, Sender):
            return Credential(authorization="Basic eA==", version="1")
        self._calls["mlflow"] += 1
        told: dict[str, Any] = {"id": run, "name": run, "experiment_id": "1", "status": "FINISHED"}
        return Run(**told, outcome=Outcome.COMPLETED, end_time=self._clock.now())

    def start(self, *given: object) -> PipelineRun:
        """It is queued."""
        del given
        self._calls["azure_devops"] += 1
        self._calls["started"] += 1
        number = len(self._began) + 1
        self._began[number] = self._clock.now()
        return PipelineRun(id=number)

    def ends(self, where: object, runs: Mapping[int, int], *given: object) -> RunsSeen:
        """One request for all of them."""
        del where, given
        self._calls["azure_devops"] += 1
        now = self._clock.now()
        over = {n: self._began[n] + TAKES for n in runs}
        ends = {
            n: PipelineEnd(how=Ending("succeeded"), at=at) if at <= now else None
            for n, at in over.items()
        }
        return RunsSeen(runs=ends)
