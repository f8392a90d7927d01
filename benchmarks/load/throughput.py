"""How many events a second, by threads and by processes that share one ledger."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import bench, report
from benchmarks.load.crowds import WARMED
from benchmarks.names import IGNORED, KNOWN, START
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench

ALONE = (1, 8)  # threads; with the most there are several turns
MOST = 32
TURNS = 3
PROCESSES = (2, 3, 4)
SHARE = 0.8
TITLES = {
    "relay": "this app",
    "floor": "the calls alone",
    "steady": "the calls by this app's sessions",
}
HEAD = ("", "events/s", "CPU ms of each", "cores busy")
TEXT = """Events a second at cloud latencies. The services run on the same machine, so that more
processes show that they get on with one table, not what as many instances would carry. With 32
threads who is measured takes turns, and the middle of three is shown."""


class Rate(NamedTuple):
    """Events a second, milliseconds of CPU of each, and how many cores were busy meanwhile."""

    per_second: float
    cpu_ms: float
    cores: float


def measured(running: Bench) -> Section:
    """Starts, known and ignored events."""
    rows: list[tuple[object, ...]] = []
    if not running.quick:
        rows += _few(running)
    most = _turns(running)
    rows += [(_of(who, "32 threads"), *rate) for who, rate in most.items()]
    if not running.quick:
        rows += _more(running)
    mine = most["relay"]
    return Section(
        title="Throughput",
        text=f"{TEXT}\n\n{report.table(HEAD, rows)}",
        targets=(_target(running, most),),
        figures={"events_per_second": mine.per_second, "cpu_ms_32_threads": mine.cpu_ms},
    )


def rate(
    running: Bench, who: str, what: str, threads: int, processes: int = 1, each: int = 12
) -> Rate:
    """How fast these processes are together with so many events for each thread.

    Raises RuntimeError if a run did not start exactly once.
    """
    running.lag("cloud")
    settings, events = running.ledger("table"), max(8, running.times(each, 8) * threads * processes)
    events = 20_000 if what == IGNORED else events
    given = {"who": who, "what": what, "events": events, "threads": threads}
    of = f"{who}-{settings['LEDGER_TABLE']}"
    found, _, cores = running.together("many", settings, processes, **given, of=of)
    started = 0 if what == IGNORED else events
    running.started_once(started + WARMED * threads * processes)
    seconds = max(one["seconds"] for one in found)
    return Rate(events / seconds, sum(one["cpu"] for one in found) * 1000 / events, cores)


def _few(running: Bench) -> Iterator[tuple[object, ...]]:
    for threads in ALONE:
        for who in ("relay", "floor"):
            named = f"{threads} thread{'' if threads == 1 else 's'}"
            with bench.told(f"throughput of {TITLES[who]}, {named}"):
                yield (_of(who, named), *rate(running, who, START, threads))


def _turns(running: Bench) -> dict[str, Rate]:
    """The middle of several turns, by who it is."""
    found: dict[str, list[Rate]] = {who: [] for who in TITLES}
    for turn in range(running.times(TURNS, 1)):
        with bench.told(f"throughput with {MOST} threads, turn {turn + 1}"):
            for who in [*TITLES][:: -1 if turn % 2 else 1]:
                found[who].append(rate(running, who, START, MOST))
    return {who: statistics.median_low(rates) for who, rates in found.items()}


def _more(running: Bench) -> Iterator[tuple[object, ...]]:
    for processes in PROCESSES:
        with bench.told(f"{processes} processes"):
            found = rate(running, "relay", START, MOST, processes, each=8)
        yield (_of("relay", f"{processes} processes with 32 threads each"), *found)
    for what, title in ((KNOWN, "known already"), (IGNORED, "ignored")):
        with bench.told(f"{title}, {MOST} threads"):
            found = rate(running, "relay", what, MOST)
        yield (_of("relay", f"{title}, 32 threads"), *found)


def _of(who: str, how: str) -> str:
    return f"{TITLES[who]}, {how}"


def _target(running: Bench, most: Mapping[str, Rate]) -> Target:
    """At least a share of what threads or CPU allow, whichever is less."""
    latency = running.done.get("latency") or report.read()["latency"]
    one_ms = latency.figures["floor_duration_ms_cloud_table"]
    mine, lean = most["relay"], most["steady"]
    able = min(MOST * 1000 / one_ms, 1000 / mine.cpu_ms)
    busy = f"{mine.cores:.1f} cores were busy, the services among them"
    return Target(
        "events/s, 32 threads, one process",
        mine.per_second,
        SHARE * able,
        "",
        at_least=True,
        accepted=SHARE * min(able, lean.per_second),
        why=f"{busy}, and the calls by its own sessions reach {lean.per_second:.0f}/s",
    )
