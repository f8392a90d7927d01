"""Everything at once: how long until it is worked off, and that each outcome starts once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import bench, report
from benchmarks.crowds import CHILDREN, MIXED, SEED, mix
from benchmarks.names import SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from benchmarks.bench import Bench

DELIVERIES, QUICK = 10_000, 1_000
PROCESSES, THREADS = 2, 32


def measured(running: Bench) -> Section:
    """Half of the deliveries are of steps, three in ten come again, at cloud latencies."""
    deliveries = QUICK if running.quick else DELIVERIES
    running.lag("cloud")
    settings = running.ledger("table")
    with bench.told(f"a burst of {deliveries:,} deliveries"), ExitStack() as stack:
        every = [
            stack.enter_context(
                running.started(
                    "many",
                    settings,
                    who="relay",
                    what=MIXED,
                    events=deliveries,
                    threads=THREADS,
                    of="burst",
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
    after, arrived = running.services.ask("counts"), running.services.ask("arrivals")
    told = mix(deliveries, "burst")
    wanted = {run for kind, run in told if kind != CHILDREN}
    posts = {run: times for run, times in arrived.items() if "-warm-" not in run}
    calls = {name: (after[name] - before[name]) / len(wanted) for name in SERVICES}
    wrong = len(wanted ^ set(posts)) + sum(len(times) > 1 for times in posts.values())
    return _section(deliveries, len(wanted), seconds, calls, wrong)


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
