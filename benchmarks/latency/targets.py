"""What the way from the delivery to the request is held to, in time, CPU and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.names import SERVICES, TITLES_OF_SERVICES
from benchmarks.report import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.latency.comparing import Compared, Measured

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
CLOUD, TABLE, SQLITE = "cloud latencies, table", "no latency, table", "no latency, sqlite"


class Found(NamedTuple):
    """Everything that was measured: pairs by what they ran on, others, and requests."""

    pairs: Mapping[str, Compared]
    job: Measured
    known: Mapping[str, Compared]
    ignored: Measured
    calls: Mapping[str, Mapping[str, float]]


def targets(found: Found) -> tuple[Target, ...]:
    """All of them, as they are listed."""
    return (
        *_speed(found.pairs),
        *_cpu(found),
        *_lean(found.pairs),
        *_call_targets(found.calls),
    )


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
