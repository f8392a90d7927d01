"""From the delivery to the request that starts the pipeline, in a process that is warm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import bench, report
from benchmarks.comparing import IGNORED, KNOWN, compared, limited, requests
from benchmarks.names import SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from benchmarks.comparing import Compared, Measured

HEAD = ("", "events", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "whole, p50 ms")
CALLS_HEAD = ("requests of", "Azure DevOps", "MLflow", "table", "Key Vault", "ARM", "token")
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
ENOUGH = 100  # events, for a p99 that is not just the slowest
SMALL_MS = 0.5  # of CPU, in which a known event may cost more than 1.3 times its calls
BEGINNING = """From the delivery to the arrival of the POST at Azure DevOps, one event at a time;
*whole* is until all is settled."""
CLOUD, TABLE, SQLITE = "cloud latencies, table", "no latency, table", "no latency, sqlite"


class Found(NamedTuple):
    """Everything that was measured: pairs by what they ran on, others, and requests."""

    pairs: Mapping[str, Compared]
    known: Mapping[str, Compared]
    ignored: Measured
    calls: Mapping[str, Mapping[str, float]]


def measured(running: Bench) -> Section:
    """Everything that is started, ignored or known already, one at a time."""
    found = _found(running)
    return Section(
        title="Warm event to POST",
        text=_text(found),
        targets=(*_speed(found.pairs), *_cpu(found), *_call_targets(found.calls)),
        figures=_figures(found),
    )


def _found(running: Bench) -> Found:
    many, some, few = running.times(120, 8), running.times(300, 25), running.times(20, 2)
    pairs: dict[str, Compared] = {}
    with bench.told("warm event to POST, beside the calls alone"):
        both = ["relay", "floor"]
        pairs[CLOUD] = compared(running, "cloud", "table", both, many)
        for what, kind in ((TABLE, "table"), (SQLITE, "sqlite")):
            pairs[what] = compared(running, "none", kind, [*both, "steady"], some)
    with bench.told("beside the usual handler, and beside a script each time"):
        for name in ("handler", "told", "script"):
            pairs[name] = compared(running, "cloud", "table", ["relay", name], few)
            pairs[TABLE] |= {name: compared(running, "none", "table", [name], few)[name]}
    with bench.told("known and ignored events, and the requests of each"):
        known = {k: compared(running, "none", k, both, some, KNOWN) for k in ("table", "sqlite")}
        ignored = compared(running, "none", "table", ["relay"], some, IGNORED)["relay"]
        plain, job, by_limit, none = MOST_CALLS
        calls = {
            plain: requests(running),
            job: requests(running, of="job"),
            by_limit: requests(running, routes=limited()),
            none: requests(running, IGNORED),
        }
    return Found(pairs, known, ignored, calls)


def _rows(found: Found) -> Iterator[tuple[object, ...]]:
    beside = {name: found.pairs[name][name] for name in ("handler", "told", "script")}
    for what in (CLOUD, TABLE, SQLITE):
        named = found.pairs[what] | (beside if what == CLOUD else {})
        for name in (name for name in TITLES if name in named):
            one = named[name]
            title = f"**{what}**: {TITLES[name]}" if name == "relay" else TITLES[name]
            last = one.p(0.99) if len(one.until) >= ENOUGH else ""
            cpu = "" if name == "script" else one.cpu_ms
            yield (title, len(one.until), one.p(0.5), one.p(0.95), last, cpu, one.whole_ms)


def _text(found: Found) -> str:
    others: list[tuple[object, ...]] = [
        (f"known already, {kind}", both["relay"].cpu_ms, both["floor"].cpu_ms)
        for kind, both in found.known.items()
    ]
    others.append(("ignored: a step, or another experiment", found.ignored.cpu_ms, ""))
    calls = [(what, *(of[service] for service in SERVICES)) for what, of in found.calls.items()]
    return "\n\n".join(
        (
            BEGINNING,
            report.table(HEAD, _rows(found)),
            report.table(("CPU ms of an event that is", "this app", "the calls alone"), others),
            report.table(CALLS_HEAD, calls),
        )
    )


def _speed(pairs: Mapping[str, Compared]) -> Iterator[Target]:
    mine, floor = pairs[CLOUD]["relay"], pairs[CLOUD]["floor"]
    yield Target("p50 beside the calls alone", mine.p(0.5) / floor.p(0.5), 1.15)
    yield Target("p95 beside the calls alone", mine.p(0.95) / floor.p(0.95), 1.3)
    for name, least in (("handler", 2.0), ("script", 5.0)):
        other = pairs[name][name].p(0.5)
        times, most = other / pairs[name]["relay"].p(0.5), other / floor.p(0.5)
        near = times >= most / 1.15  # as near to the calls alone as the first target wants it
        why = f"the calls alone are {most:.2g}× faster" if most < least and near else ""
        yield Target(f"faster than {TITLES[name]}", times, least, at_least=True, why=why)


def _cpu(found: Found) -> Iterator[Target]:
    for what in (TABLE, SQLITE):
        ratio = _ratio(found.pairs[what])
        yield Target(f"CPU of a start beside its calls; {what}", ratio, 1.3)
    for kind, both in found.known.items():
        small = both["relay"].cpu_ms <= SMALL_MS
        why = f"an insert and a read take {both['floor'].cpu_ms:.2g} ms, to parse the event more"
        what = f"CPU of a known event beside its calls; {kind}"
        yield Target(what, _ratio(both), 1.3, why=why if small else "")
    yield Target("CPU of an ignored event", found.ignored.cpu_ms, 0.5, "ms")


def _ratio(both: Compared) -> float:
    return both["relay"].cpu_ms / both["floor"].cpu_ms


def _call_targets(calls: Mapping[str, Mapping[str, float]]) -> Iterator[Target]:
    for what, most in MOST_CALLS.items():
        for title, service, count in zip(CALLS_HEAD[1:], SERVICES, most, strict=True):
            found = calls[what][service]
            limit = count + (QUIET if count and service == "table" else 0)
            why = OF_THE_ROOT if found == ASKED_OF_THE_ROOT.get((what, service)) else ""
            yield Target(f"{title} requests of {what}", found, limit, "", why=why)


def _figures(found: Found) -> dict[str, float]:
    cloud, table, known = found.pairs[CLOUD], found.pairs[TABLE], found.known["table"]["relay"]
    plain, job, *_ = found.calls.values()
    return {
        "relay_ms_cloud_table": cloud["relay"].p(0.5),
        "floor_ms_cloud_table": cloud["floor"].p(0.5),
        "duration_ms_cloud_table": cloud["relay"].whole_ms,
        "floor_duration_ms_cloud_table": cloud["floor"].whole_ms,
        "cpu_ms_cloud_table": cloud["relay"].cpu_ms,
        "cpu_ms_table": table["relay"].cpu_ms,
        "cpu_ms_sqlite": found.pairs[SQLITE]["relay"].cpu_ms,
        "duplicate_cpu_ms_table": known.cpu_ms,
        "duplicate_ms_table": known.whole_ms,
        "ignored_cpu_ms": found.ignored.cpu_ms,
        "table_calls_per_start": plain["table"],
        "mlflow_calls_per_start": plain["aml"],
        "mlflow_calls_per_job": job["aml"],
    }
