"""What more routes cost: an event that one of them is about, and an event that none is about."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from benchmarks import bench, report
from benchmarks.latency import news
from benchmarks.names import HERE
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

COUNTS = (1, 100, 1000)
MOST = 2.0
WARM, LOADED = 10, 3


def measured(running: Bench) -> Section:
    """The CPU of an event by the number of routes, side by side in one process."""
    with bench.told("1, 100 and 1,000 routes"):
        running.lag("none")
        for count in COUNTS:
            _write(running.folder / f"{count}.yaml", count)
        runs = running.times(300, 20)
        settings = running.ledger("sqlite")
        with running.started("routes", settings, folder=str(running.folder), runs=runs) as process:
            found: dict[str, list[float]] = bench.result(process)
        running.started_once((WARM + runs) * len(COUNTS))
    rows = [(f"{count:,}", *found[str(count)]) for count in COUNTS]
    ratio = found[str(COUNTS[-1])][0] / found[str(COUNTS[0])][0]
    head = ("routes", "CPU ms of a start", "of an ignored event", "to read the file")
    text = (
        "Every filter of every route is looked at, for each event. The matching route is the last."
    )
    return Section(
        title="Routes",
        text=f"{text}\n\n{report.table(head, rows)}",
        targets=(Target("CPU of a start with 1,000 routes against 1", ratio, MOST),),
        figures={f"ignored_cpu_ms.{count}": found[str(count)][1] for count in COUNTS},
    )


def compared(folder: str, runs: int) -> dict[str, list[float]]:
    """By number of routes: milliseconds of CPU of a start, of an ignored event, of the file."""
    from functions import bootstrap, connections  # noqa: PLC0415 - only in the subject
    from functions.configuration import settings  # noqa: PLC0415 - only in the subject

    deliver: dict[int, Callable[[object], None]] = {}
    loading: dict[int, list[float]] = {count: [] for count in COUNTS}
    for n in range(-1, LOADED):  # the first time the decoder is imported
        for count in COUNTS:
            given = replace(settings.read(os.environ), routes_file=Path(folder) / f"{count}.yaml")
            ports, began = connections.connect(given), time.process_time()
            ports.routes.routes()
            if n >= 0:
                loading[count].append((time.process_time() - began) * 1000)
            deliver[count] = bootstrap.App(given, ports).relay.deliver
    took: dict[int, tuple[list[float], list[float]]] = {count: ([], []) for count in COUNTS}
    for n in range(-WARM, runs):
        for count in COUNTS:
            of_one = news.completed(f"run-{count}-{n}")
            of_none = news.completed(f"run-{count}-{n}", experimentName="something-else")
            for event, into in zip((of_one, of_none), took[count], strict=True):
                began = time.process_time()
                deliver[count](event)
                if n >= 0:
                    into.append((time.process_time() - began) * 1000)
    return {
        str(count): [statistics.median(times) for times in (*took[count], loading[count])]
        for count in COUNTS
    }


def _write(file: Path, count: int) -> None:
    """The usual routes' first, after as many others less one, that are about something else."""
    usual = (HERE / "routes.yaml").read_text("utf-8")
    head, _, first = usual.partition("routes:\n")
    own = first.partition("  - name: report-failure")[0]
    others = "".join(
        own.replace("register-model", f"other-{n}").replace("defect-*", f"other-{n}-*")
        for n in range(count - 1)
    )
    file.write_text(f"{head}routes:\n{others}{own}", "utf-8")
