"""From the delivery to the request that starts the pipeline, in a process that is warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import bench, report
from benchmarks.latency.comparing import compared, limited, requests
from benchmarks.latency.targets import CLOUD, MOST_CALLS, SQLITE, TABLE, TITLES, Found, targets
from benchmarks.names import IGNORED, JOB, KNOWN, SERVICES, TITLES_OF_SERVICES
from benchmarks.report import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from benchmarks.latency.comparing import Compared, Measured

HEAD = ("", "events", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "whole, p50 ms")
CALLS_HEAD = ("requests of, and at most", *TITLES_OF_SERVICES)
ENOUGH = 100  # events, for a p95 or p99 that is not just the slowest
BEGINNING = """From the delivery to the arrival of the POST at Azure DevOps, one event at a time;
*whole* is until all is settled. *A pipeline job* has its metric and its model on a step."""
BY_EVENT = """An event that is known or ignored comes after a start here, as it does in life:"""


def measured(running: Bench) -> Section:
    """Everything that is started, ignored or known already, one at a time."""
    found = _found(running)
    return Section(
        title="Warm event to POST",
        text=_text(found),
        targets=targets(found),
        figures=_figures(found),
    )


def _found(running: Bench) -> Found:
    many, some, few = running.times(100, 8), running.times(200, 15), running.times(20, 2)
    pairs: dict[str, Compared] = {}
    with bench.told("warm event to POST, beside the calls alone"):
        three = ["relay", "floor", "steady"]
        pairs[CLOUD] = compared(running, "cloud", "table", three, many)
        for what, kind in ((TABLE, "table"), (SQLITE, "sqlite")):
            pairs[what] = compared(running, "none", kind, three, some)
        job = compared(running, "cloud", "table", ["relay"], few, of=JOB)["relay"]
    with bench.told("beside the usual handler, and beside a script each time"):
        for name in ("handler", "told", "script"):
            pairs[name] = compared(running, "cloud", "table", ["relay", name], few)
            pairs[TABLE] |= {name: compared(running, "none", "table", [name], few)[name]}
    with bench.told("known and ignored events, and the requests of each"):
        both = ["relay", "floor"]
        known = {k: compared(running, "none", k, both, some, KNOWN) for k in ("table", "sqlite")}
        ignored = compared(running, "none", "table", ["relay"], some, IGNORED)["relay"]
        plain, of_job, by_limit, none = MOST_CALLS
        calls = {
            plain: requests(running),
            of_job: requests(running, of=JOB),
            by_limit: requests(running, routes=limited()),
            none: requests(running, IGNORED),
        }
    return Found(pairs, job, known, ignored, calls)


def _text(found: Found) -> str:
    others: list[tuple[object, ...]] = [
        (f"known already, {kind}", both["relay"].cpu_ms, both["floor"].cpu_ms)
        for kind, both in found.known.items()
    ]
    others.append(("ignored: a step, or another experiment", found.ignored.cpu_ms, ""))
    return "\n\n".join(
        (
            BEGINNING,
            report.table(HEAD, _rows(found)),
            BY_EVENT,
            report.table(("CPU ms of an event that is", "this app", "the calls alone"), others),
            report.table(CALLS_HEAD, _calls(found.calls)),
        )
    )


def _rows(found: Found) -> Iterator[tuple[object, ...]]:
    beside = {name: found.pairs[name][name] for name in ("handler", "told", "script")}
    for what in (CLOUD, TABLE, SQLITE):
        named = found.pairs[what] | (beside if what == CLOUD else {})
        for name in (name for name in TITLES if name in named):
            title = f"**{what}**: {TITLES[name]}" if name == "relay" else TITLES[name]
            yield _row(title, named[name], has_cpu=name != "script")
            if name == "relay" and what == CLOUD:
                yield _row(f"{TITLES[name]}, a pipeline job", found.job)


def _row(title: str, one: Measured, *, has_cpu: bool = True) -> tuple[object, ...]:
    enough = len(one.until) >= ENOUGH
    slow = (one.p(0.95), one.p(0.99)) if enough else ("", "")
    return (title, len(one.until), one.p(0.5), *slow, one.cpu_ms if has_cpu else "", one.whole_ms)


def _calls(calls: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[object, ...]]:
    for what, most in MOST_CALLS.items():
        pairs = zip(SERVICES, most, strict=True)
        yield (what, *(f"{report.number(calls[what][name])} ({count})" for name, count in pairs))


def _figures(found: Found) -> dict[str, float]:
    cloud, table, known = found.pairs[CLOUD], found.pairs[TABLE], found.known["table"]["relay"]
    plain, job, *_ = found.calls.values()
    return {
        "relay_ms_cloud_table": cloud["relay"].p(0.5),
        "floor_ms_cloud_table": cloud["floor"].p(0.5),
        "duration_ms_cloud_table": cloud["relay"].whole_ms,
        "duration_ms_cloud_job": found.job.whole_ms,
        "floor_duration_ms_cloud_table": cloud["floor"].whole_ms,
        "cpu_ms_cloud_table": cloud["relay"].cpu_ms,
        "cpu_ms_cloud_job": found.job.cpu_ms,
        "cpu_ms_table": table["relay"].cpu_ms,
        "cpu_ms_sqlite": found.pairs[SQLITE]["relay"].cpu_ms,
        "duplicate_cpu_ms_table": known.cpu_ms,
        "duplicate_ms_table": known.whole_ms,
        "ignored_cpu_ms": found.ignored.cpu_ms,
        "table_calls_per_start": plain["table"],
        "mlflow_calls_per_start": plain["aml"],
        "mlflow_calls_per_job": job["aml"],
        "arm_calls_per_job": job["arm"],
    }
