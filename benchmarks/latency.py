"""From the delivery to the request that starts the pipeline, in a process that is warm."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import bench, report
from benchmarks.names import HERE, SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.bench import Bench

HEAD = ("", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "whole, p50 ms")
CALLS_HEAD = ("one start of", "POST", "MLflow", "table", "vault", "ARM", "token")
MOST_CALLS = {  # of a start, in the order of SERVICES
    "a plain run": (1, 2, 4, 0, 0, 0),
    "a pipeline job": (1, 3, 4, 0, 0, 0),
    "a plain run, by a route with a limit": (1, 2, 6, 0, 0, 0),
}
QUIET = 0.05  # calls that a start may share: the organization's row is read again every 10 s


class Measured(NamedTuple):
    """One candidate, in milliseconds: until the request arrived, of CPU, until all was settled."""

    until: list[float]
    cpu: list[float]
    took: list[float]

    def p(self, share: float) -> float:
        """Within how many milliseconds this share of the requests arrived."""
        return bench.percentile(self.until, share)

    @property
    def cpu_ms(self) -> float:
        """Of CPU, on average."""
        return statistics.fmean(self.cpu)


def measured(running: Bench) -> Section:
    """Everything that is started, ignored or known already, one at a time."""
    quick = running.quick
    with bench.told("warm event to POST, beside the calls alone"):
        cloud = compared(running, "cloud", "table", ["relay", "floor"], 20 if quick else 120)
        table = compared(running, "none", "table", ["relay", "floor"], 50 if quick else 300)
        sqlite = compared(running, "none", "sqlite", ["relay", "floor"], 50 if quick else 300)
    with bench.told("beside the usual handler, and beside a script each time"):
        handler = compared(running, "cloud", "table", ["relay", "handler"], 5 if quick else 30)
        script = compared(running, "cloud", "table", ["relay", "script"], 5 if quick else 30)
    with bench.told("known and ignored events, and the calls of a start"):
        known = {k: _others(running, k, "duplicate") for k in ("table", "sqlite")}
        ignored = _others(running, "table", "ignored", ["relay"])["relay"]
        calls = dict(_calls(running))
    rows = [
        *_rows("cloud latencies, table", cloud, ("relay", "floor")),
        *_rows("", handler, ("handler",)),
        *_rows("", script, ("script",)),
        *_rows("no latency, table", table, ("relay", "floor")),
        *_rows("no latency, sqlite", sqlite, ("relay", "floor")),
    ]
    return Section(
        title="Warm event to POST",
        text=_text(rows, known, ignored, calls),
        targets=(
            *_speed(cloud, handler, script),
            *_cpu(table, sqlite, known, ignored),
            *(t for what, found in calls.items() for t in _call_targets(what, found)),
        ),
        figures={
            "relay_ms_cloud_table": cloud["relay"].p(0.5),
            "floor_ms_cloud_table": cloud["floor"].p(0.5),
            "duration_ms_cloud_table": bench.percentile(cloud["relay"].took, 0.5),
            "floor_duration_ms_cloud_table": bench.percentile(cloud["floor"].took, 0.5),
            "cpu_ms_cloud_table": cloud["relay"].cpu_ms,
            "cpu_ms_table": table["relay"].cpu_ms,
            "cpu_ms_sqlite": sqlite["relay"].cpu_ms,
            "duplicate_cpu_ms_table": known["table"]["relay"].cpu_ms,
            "duplicate_ms_table": bench.percentile(known["table"]["relay"].took, 0.5),
            "ignored_cpu_ms": ignored.cpu_ms,
            "table_calls_per_start": calls["a plain run"][2],
            "mlflow_calls_per_start": calls["a plain run"][1],
            "mlflow_calls_per_job": calls["a pipeline job"][1],
        },
    )


def compared(
    running: Bench,
    lag: str,
    kind: str,
    names: list[str],
    runs: int,
    what: str = "start",
) -> dict[str, Measured]:
    """The candidates, run by run, over a new ledger."""
    running.lag(lag)
    settings = running.ledger(kind)
    of = f"run-{settings.get('LEDGER_TABLE', 'sqlite')}"
    with running.started(
        "side_by_side", settings, names=names, runs=runs, of=of, what=what
    ) as process:
        bench.go(process)
        found = bench.result(process)
    arrived = running.services.ask("arrivals")
    return {
        name: Measured(
            [(arrived[r][0] - t) * 1000 for r, t in times["began"].items() if r in arrived],
            times["cpu"],
            times["took"],
        )
        for name, times in found.items()
    }


def _others(
    running: Bench, kind: str, what: str, names: Iterable[str] = ("relay", "floor")
) -> dict[str, Measured]:
    return compared(running, "none", kind, [*names], 50 if running.quick else 300, what)


def _calls(running: Bench) -> Iterator[tuple[str, list[float]]]:
    """How many requests each service gets for a start, in the order of SERVICES."""
    limited = running.folder / "limited.yaml"
    usual = (HERE / "routes.yaml").read_text("utf-8")
    limited.write_text(usual.replace("    start:\n", "    limit: 9999/d\n    start:\n", 1), "utf-8")
    more: tuple[dict[str, str], ...] = ({}, {}, {"ROUTES_FILE": str(limited)})
    for what, of, settings in zip(MOST_CALLS, ("run", "job", "run"), more, strict=True):
        running.lag("none")
        given, runs = running.ledger("table") | settings, 100
        with running.started("side_by_side", given, names=["relay"], runs=runs, of=of) as process:
            bench.warm(process)
            before = running.services.ask("counts")
            bench.go_on(process)
            bench.result(process)
        after = running.services.ask("counts")
        yield what, [(after[service] - before[service]) / runs for service in SERVICES]


def _rows(
    what: str, found: Mapping[str, Measured], names: Iterable[str]
) -> Iterator[tuple[object, ...]]:
    titles = {
        "relay": f"**{what}**: this app",
        "floor": "(a) the calls alone",
        "handler": "(b) the usual handler",
        "script": "(c) a script each time",
    }
    for name in names:
        one = found[name]
        cpu = "" if name == "script" else one.cpu_ms
        whole = bench.percentile(one.took, 0.5)
        yield (titles[name], one.p(0.5), one.p(0.95), one.p(0.99), cpu, whole)


def _text(
    rows: Iterable[tuple[object, ...]],
    known: Mapping[str, Mapping[str, Measured]],
    ignored: Measured,
    calls: Mapping[str, list[float]],
) -> str:
    others: list[tuple[object, ...]] = [
        (f"known already, {kind}", found["relay"].cpu_ms, found["floor"].cpu_ms)
        for kind, found in known.items()
    ]
    others.append(("ignored: a step, or another experiment", ignored.cpu_ms, ""))
    return "\n\n".join(
        (
            "From the delivery to the arrival of the POST at Azure DevOps, one event at a time.",
            report.table(HEAD, rows),
            report.table(("CPU ms of an event that is", "this app", "the calls alone"), others),
            report.table(CALLS_HEAD, [(what, *found) for what, found in calls.items()]),
        )
    )


def _speed(
    cloud: Mapping[str, Measured], handler: Mapping[str, Measured], script: Mapping[str, Measured]
) -> Iterator[Target]:
    mine, floor = cloud["relay"], cloud["floor"]
    yield Target("p50 beside the calls alone", mine.p(0.5) / floor.p(0.5), 1.15)
    yield Target("p95 beside the calls alone", mine.p(0.95) / floor.p(0.95), 1.3)
    usual = handler["handler"].p(0.5) / handler["relay"].p(0.5)
    yield Target("faster than the usual handler", usual, 2, at_least=True)
    scripted = script["script"].p(0.5) / script["relay"].p(0.5)
    most = script["script"].p(0.5) / floor.p(0.5)
    why = f"the calls alone are {most:.2g}× faster" if most < 5 else ""  # noqa: PLR2004
    yield Target("faster than a script each time", scripted, 5, at_least=True, why=why)


def _cpu(
    table: Mapping[str, Measured],
    sqlite: Mapping[str, Measured],
    known: Mapping[str, Mapping[str, Measured]],
    ignored: Measured,
) -> Iterator[Target]:
    for kind, found in (("table", table), ("sqlite", sqlite)):
        ratio = found["relay"].cpu_ms / found["floor"].cpu_ms
        yield Target(f"CPU of a start beside its calls, {kind}", ratio, 1.3)
    for kind, found in known.items():
        mine, floor = found["relay"].cpu_ms, found["floor"].cpu_ms
        why = (
            "an insert and a read of a file take less than to parse the event"
            if kind == "sqlite"
            else ""
        )
        yield Target(f"CPU of a known event beside its calls, {kind}", mine / floor, 1.3, why=why)
    yield Target("CPU of an ignored event", ignored.cpu_ms, 0.5, "ms")


def _call_targets(what: str, found: Iterable[float]) -> Iterator[Target]:
    for service, calls, most in zip(CALLS_HEAD[1:], found, MOST_CALLS[what], strict=True):
        yield Target(f"{service} requests, {what}", calls, most + QUIET, "")
