"""From the delivery to the request that starts the pipeline, in a process that is warm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import bench, report
from benchmarks.latency.comparing import compared, limited, requests
from benchmarks.names import IGNORED, JOB, KNOWN, SERVICES, TITLES_OF_SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from benchmarks.latency.comparing import Compared, Measured

HEAD = ("", "events", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "whole, p50 ms")
CALLS_HEAD = ("requests of, and at most", *TITLES_OF_SERVICES)
TITLES = {
    "relay": "this app",
    "floor": "(a) the calls alone",
    "steady": "(a) by this app's sessions",
    "handler": "(b) the usual handler",
    "told": "(b) that is told where MLflow is",
    "script": "(c) a script each time",
}
MOST_CALLS = {  # in the order of SERVICES
    "a start of a plain run": (1, 2, 4, 0, 0, 0),
    "a start of a pipeline job": (1, 3, 4, 0, 0, 0),
    "a start by a route with a limit": (1, 2, 6, 0, 0, 0),
    "an ignored event": (0, 0, 0, 0, 0, 0),
}
ASKED_OF_THE_ROOT = {
    ("a start of a pipeline job", "aml"): 4,
    ("a start of a pipeline job", "arm"): 1,
}
OF_THE_ROOT = "the root is asked first, since a model that it names is the one (ADR 7)"
QUIET = 0.05  # requests that starts may share: an organization's row is read again every 10 s
ENOUGH = 100  # events, for a p95 or p99 that is not just the slowest
BEGINNING = """From the delivery to the arrival of the POST at Azure DevOps, one event at a time;
*whole* is until all is settled. *A pipeline job* has its metric and its model on a step."""
BY_EVENT = """An event that is known or ignored comes after a start here, as it does in life:"""
CLOUD, TABLE, SQLITE = "cloud latencies, table", "no latency, table", "no latency, sqlite"


class Found(NamedTuple):
    """Everything that was measured: pairs by what they ran on, others, and requests."""

    pairs: Mapping[str, Compared]
    job: Measured
    known: Mapping[str, Compared]
    ignored: Measured
    calls: Mapping[str, Mapping[str, float]]


def measured(running: Bench) -> Section:
    """Everything that is started, ignored or known already, one at a time."""
    found = _found(running)
    return Section(
        title="Warm event to POST",
        text=_text(found),
        targets=(
            *_speed(found.pairs),
            *_cpu(found),
            *_lean(found.pairs),
            *_call_targets(found.calls),
        ),
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


def _speed(pairs: Mapping[str, Compared]) -> Iterator[Target]:
    mine, floor = pairs[CLOUD]["relay"], pairs[CLOUD]["floor"]
    yield Target("p50 beside the calls alone", mine.p(0.5) / floor.p(0.5), 1.15)
    yield Target("p95 beside the calls alone", mine.p(0.95) / floor.p(0.95), 1.3)
    for name, least, accepted, why in (
        ("handler", 2.0, None, ""),
        ("told", 2.0, 1.2, "two reads of MLflow, which both make, are most of it"),
        ("script", 5.0, 1.7, "Python starts sooner than that"),
    ):
        other = pairs[name][name].p(0.5)
        most = other / floor.p(0.5)
        yield Target(
            f"faster than {TITLES[name]}",
            other / pairs[name]["relay"].p(0.5),
            least,
            at_least=True,
            accepted=accepted,
            why=f"{why}; the calls alone are {most:.2g}× faster",
        )


def _cpu(found: Found) -> Iterator[Target]:
    for what in (TABLE, SQLITE):
        ratio = _ratio(found.pairs[what])
        yield Target(f"CPU of a start beside its calls; {what}", ratio, 1.3)
    both = found.known["table"]
    yield Target("CPU of a known event beside its calls; table", _ratio(both), 1.3)
    both = found.known["sqlite"]
    why = f"an insert and a read take {both['floor'].cpu_ms:.2g} ms, to parse the event more"
    what = "CPU of a known event beside its calls; sqlite"
    yield Target(what, _ratio(both), 1.3, accepted=8.0, why=why)
    yield Target("CPU of an ignored event", found.ignored.cpu_ms, 0.5, "ms")


def _lean(pairs: Mapping[str, Compared]) -> Iterator[Target]:
    """Beside calls that go by the sessions of this app: what its own work costs."""
    mine, lean = pairs[CLOUD]["relay"], pairs[CLOUD]["steady"]
    yield Target("p50 beside the calls by its own sessions", mine.p(0.5) / lean.p(0.5), 1.15)
    for what in (TABLE, SQLITE):
        name, ratio = (
            f"CPU of a start beside its calls by its own sessions; {what}",
            _ratio(pairs[what], "steady"),
        )
        why = "one log line, and a decision that explains itself, are 1 to 2 ms"
        yield Target(name, ratio, 1.3, accepted=1.8, why=why)


def _ratio(both: Compared, beside: str = "floor") -> float:
    return both["relay"].cpu_ms / both[beside].cpu_ms


def _call_targets(calls: Mapping[str, Mapping[str, float]]) -> Iterator[Target]:
    for what, most in MOST_CALLS.items():
        for title, service, count in zip(TITLES_OF_SERVICES, SERVICES, most, strict=True):
            limit = count + (QUIET if count and service == "table" else 0)
            yield Target(
                f"{title} requests of {what}",
                calls[what][service],
                limit,
                "",
                accepted=ASKED_OF_THE_ROOT.get((what, service)),
                why=OF_THE_ROOT,
                listed=False,
                counted=True,
            )


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
