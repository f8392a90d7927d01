"""What a fresh process costs: to be imported, until its first start, and as it lives on."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks import bench, report
from benchmarks.bench import QUICK, SMOKE, USUAL
from benchmarks.load.crowds import wanted
from benchmarks.names import ROOT
from benchmarks.report import Section, Target
from local.serving.names import WORKSPACE

if TYPE_CHECKING:
    from benchmarks.bench import Bench

TIMES = 9
POINTS = {USUAL: (1, 1_000, 20_000), QUICK: (1, 100, 500), SMOKE: (1, 5, 10)}
MOST_MB, MOST_GROWTH = 120.0, 1.05
TITLES = {
    "azure.functions": "`import azure.functions`",
    "function_app": "`import function_app`",
    "relay": "the first event, imports included",
    "floor": "the SDKs imported, and its calls made once",
}


def measured(running: Bench) -> Section:
    """Imports and first events, in turn; then the memory of one process."""
    running.lag("none")
    settings = running.ledger("table") | {"WORKSPACE": WORKSPACE}
    with bench.told("fresh processes"):
        times = running.times(TIMES, 2)
        found = _fresh(running, settings, times)
        running.started_once(2 * (times + 1))  # by the app and by its calls alone
    points = POINTS[running.size]
    with bench.told(f"{points[-1]:,} events, for memory"):
        running.lag("none")
        mb = running.subject(
            "memory", running.ledger("table"), points=list(points), threads=4, of="memory"
        )
    running.started_once(len(wanted(points[-1], "")))
    last, base = mb[str(points[-1])], mb[str(points[1])]
    rows = [(title, *found[what]) for what, title in TITLES.items()]
    of_memory = [[f"after {point:,}" for point in points], [mb[str(point)] for point in points]]
    text = (
        report.table(("fresh process", "ms", "modules", "MB"), rows),
        "Memory of a process, in MB, by how many events it has seen (the mix of the burst):",
        report.table(of_memory[0], of_memory[1:]),
    )
    return Section(
        title="Cold start and memory",
        text="\n\n".join(text),
        targets=(
            _ratio(found, "function_app", "azure.functions", 1.25),
            _ratio(found, "relay", "floor", 1.3),
            Target(f"memory after {points[-1]:,} events", last, MOST_MB, "MB"),
            Target(f"memory after {points[-1]:,} against {points[1]:,}", last / base, MOST_GROWTH),
        ),
        figures={"import_ms": found["function_app"][0], "first_ms": found["relay"][0], "mb": last},
    )


def _fresh(running: Bench, settings: dict[str, str], times: int) -> dict[str, list[float]]:
    """The medians of milliseconds, modules and megabytes."""
    seen: dict[str, list[dict[str, float]]] = defaultdict(list)
    environment = running.environment(settings)
    for turn in range(times + 1):  # the first time nothing is in the cache of files
        for what in [*TITLES][:: -1 if turn % 2 else 1]:
            ran = subprocess.run(
                [sys.executable, "-m", "benchmarks.cold.first", what],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                check=True,
            )
            if turn:
                seen[what].append(json.loads(ran.stdout))
    return {
        what: [statistics.median(one[name] for one in every) for name in ("ms", "modules", "mb")]
        for what, every in seen.items()
    }


def _ratio(found: dict[str, list[float]], what: str, beside: str, most: float) -> Target:
    return Target(
        f"{TITLES[what]} beside {TITLES[beside]}", found[what][0] / found[beside][0], most
    )
