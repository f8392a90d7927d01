"""How many events a second, by threads and by processes that share one ledger."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import bench, report
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

THREADS = (1, 8, 32)
PROCESSES = (1, 2, 3, 4)
SHARE = 0.8


class Rate(NamedTuple):
    """So many events a second, with so many milliseconds of CPU each."""

    per_second: float
    cpu_ms: float


def measured(running: Bench) -> Section:
    """Starts, known and ignored events."""
    rows: list[tuple[object, ...]] = []
    rates: dict[tuple[str, int], Rate] = {}
    for who in ("relay", "floor"):
        for threads in (32,) if running.quick else THREADS:
            with bench.told(f"throughput of {who}, {threads} threads"):
                rates[who, threads] = rate(running, who, "starts", threads)
            rows.append((f"{_title(who)}, {_threads(threads)}", *rates[who, threads]))
    if not running.quick:
        rows += _more(running)
    target = _target(running, rates["relay", 32], rates["floor", 32])
    text = (
        "Events a second at cloud latencies, on a machine that runs the services too; "
        "processes share one table."
    )
    mine = rates["relay", 32]
    return Section(
        title="Throughput",
        text=f"{text}\n\n{report.table(('starts', 'events/s', 'CPU ms of each'), rows)}",
        targets=(target,),
        figures={"events_per_second": mine.per_second, "cpu_ms_32_threads": mine.cpu_ms},
    )


def rate(
    running: Bench, who: str, what: str, threads: int, processes: int = 1, lag: str = "cloud"
) -> Rate:
    """How fast these processes are together, and what an event costs them."""
    running.lag(lag)
    events = _events(running, threads * processes, what)
    settings = running.ledger("table")
    arguments: dict[str, Any] = {
        "who": who,
        "what": what,
        "events": events,
        "threads": threads,
        "of": f"{who}-{settings['LEDGER_TABLE']}",
    }
    with ExitStack() as stack:
        every = [
            stack.enter_context(
                running.started("many", settings, **arguments, share=(n, processes))
            )
            for n in range(processes)
        ]
        for process in every:
            bench.warm(process)
        for process in every:
            bench.go_on(process)
        found = [bench.result(process) for process in every]
    done = sum(one["events"] for one in found)
    seconds = max(one["seconds"] for one in found)
    return Rate(done / seconds, sum(one["cpu"] for one in found) * 1000 / done)


def _more(running: Bench) -> Iterator[tuple[object, ...]]:
    for processes in PROCESSES[1:]:
        with bench.told(f"{processes} processes"):
            found = rate(running, "relay", "starts", 32, processes)
        yield (f"this app, {processes} processes with 32 threads each", *found)
    for what, title in (("known", "known already"), ("children", "ignored")):
        with bench.told(f"{title}, 32 threads"):
            found = rate(running, "relay", what, 32)
        yield (f"this app, {title}, 32 threads", *found)


def _events(running: Bench, threads: int, what: str) -> int:
    if what == "children":
        return 20_000
    return max(8, min(running.times(25, 8) * threads, 1000))


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _title(who: str) -> str:
    return "this app" if who == "relay" else "the calls alone"


def _target(running: Bench, mine: Rate, floor: Rate) -> Target:
    """At least a share of what threads or CPU allow, whichever is less."""
    latency = running.done.get("latency") or report.read()["latency"]
    one_ms = latency.figures["floor_duration_ms_cloud_table"]
    able = min(32 * 1000 / one_ms, 1000 / mine.cpu_ms)
    why = ""
    if mine.per_second >= SHARE * floor.per_second and floor.per_second < able:
        why = f"the calls alone reach {floor.per_second:.0f}/s on this machine"
    return Target(
        "events/s, 32 threads, one process",
        mine.per_second,
        SHARE * able,
        "",
        at_least=True,
        why=why,
    )
