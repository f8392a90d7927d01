"""Everything at once: how long until it is worked off, and that each outcome starts once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import bench, report
from benchmarks.bench import QUICK, SMOKE, USUAL
from benchmarks.load.crowds import MIXED, SEED, wanted
from benchmarks.names import SERVICES, TITLES_OF_SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from benchmarks.bench import Bench

DELIVERIES = {USUAL: 10_000, QUICK: 500, SMOKE: 50}
PROCESSES, THREADS = 2, 32
CALLS_HEAD = ("requests of", *TITLES_OF_SERVICES)


def measured(running: Bench) -> Section:
    """Half of the deliveries are of steps, three in ten come again, at cloud latencies."""
    deliveries = DELIVERIES[running.size]
    with bench.told(f"a burst of {deliveries:,} deliveries"):
        running.lag("cloud")
        given = {"who": "relay", "what": MIXED, "events": deliveries, "threads": THREADS}
        found, counts, _ = running.together(
            "many", running.ledger("table"), PROCESSES, **given, of="burst"
        )
    seconds = max(one["seconds"] for one in found)
    starts = wanted(deliveries, "burst")
    arrived = running.services.ask("arrivals")
    posts = {run: times for run, times in arrived.items() if "-warm-" not in run}
    wrong = len(starts ^ set(posts)) + sum(len(times) > 1 for times in posts.values())
    calls = {name: counts[name] / len(starts) for name in SERVICES}
    return _section(deliveries, len(starts), seconds, calls, wrong)


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
    each = ("each start, with what came again", *calls.values())
    table = report.table(CALLS_HEAD, [each])
    return Section(
        title="A burst",
        text=f"{what}\n\n{table}",
        targets=(Target("outcomes that did not start exactly once", wrong, 0, "", counted=True),),
        figures={
            "seconds": seconds,
            "starts": starts,
            "table_calls_with_duplicates": calls["table"],
        },
    )
