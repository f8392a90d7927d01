"""Everything at once: how long until it is worked off, and that each outcome starts once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import bench, report
from benchmarks.bench import QUICK, SMOKE, USUAL
from benchmarks.crowds import CHILDREN, MIXED, SEED, mix
from benchmarks.names import SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from benchmarks.bench import Bench

DELIVERIES = {USUAL: 10_000, QUICK: 500, SMOKE: 50}
PROCESSES, THREADS = 2, 32


def measured(running: Bench) -> Section:
    """Half of the deliveries are of steps, three in ten come again, at cloud latencies."""
    deliveries = DELIVERIES[running.size]
    with bench.told(f"a burst of {deliveries:,} deliveries"):
        seconds, counts = _drained(running, deliveries)
    wanted = {run for kind, run in mix(deliveries, "burst") if kind != CHILDREN}
    arrived = running.services.ask("arrivals")
    posts = {run: times for run, times in arrived.items() if "-warm-" not in run}
    wrong = len(wanted ^ set(posts)) + sum(len(times) > 1 for times in posts.values())
    calls = {name: count / len(wanted) for name, count in counts.items()}
    return _section(deliveries, len(wanted), seconds, calls, wrong)


def _drained(running: Bench, deliveries: int) -> tuple[float, dict[str, int]]:
    """How many seconds it took, and how many requests each service got meanwhile."""
    running.lag("cloud")
    settings, given = running.ledger("table"), {"who": "relay", "what": MIXED, "of": "burst"}
    with ExitStack() as stack:
        every = [
            stack.enter_context(
                running.started(
                    "many",
                    settings,
                    **given,
                    events=deliveries,
                    threads=THREADS,
                    share=(n, PROCESSES),
                )
            )
            for n in range(PROCESSES)
        ]
        for process in every:
            bench.warm(process)
        before = running.services.ask("counts")
        for process in every:
            bench.go_on(process)
        seconds = max(bench.result(process)["seconds"] for process in every)
    after = running.services.ask("counts")
    return seconds, {name: after[name] - before[name] for name in SERVICES}


def _section(
    deliveries: int, starts: int, seconds: float, calls: dict[str, float], wrong: int
) -> Section:
    children = deliveries // 2
    known = deliveries - children - starts
    what = (
        f"{deliveries:,} deliveries at once (seed {SEED}): {children:,} of child runs, {known:,} "
        f"that come again, {starts:,} outcomes to start a pipeline for; {PROCESSES} processes with "
        f"{THREADS} threads each, cloud latencies, one table. All were worked off after "
        f"{seconds:.1f} s, {deliveries / seconds:,.0f} deliveries and {starts / seconds:,.0f} "
        "starts a second."
    )
    table = report.table(
        ("requests for each start, duplicates included", *calls), [("", *calls.values())]
    )
    return Section(
        title="A burst",
        text=f"{what}\n\n{table}",
        targets=(Target("outcomes that started not once", wrong, 0, ""),),
        figures={
            "seconds": seconds,
            "starts": starts,
            "table_calls_with_duplicates": calls["table"],
        },
    )
