"""The build of today beside an earlier one: what is to be better by how much, and what no worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import bench, report
from benchmarks.earlier import building, trials
from benchmarks.earlier.trials import CHAIN, LIMITED, NEW, OLD, Pair
from benchmarks.names import JOB, KNOWN, SERVICES, START, TITLES_OF_SERVICES
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from benchmarks.latency.comparing import Measured

    Times = Mapping[tuple[str, str, str], Mapping[str, Measured]]
    Calls = Mapping[str, Mapping[str, Mapping[str, float]]]

HEAD = ("", "events", "p50 ms", "p95 ms", "CPU ms", "whole, p50 ms")
CALLS_HEAD = ("requests of, and those of the earlier build", *TITLES_OF_SERVICES)
TEXT = """{new} beside {old}{own}, each in a process of its own, in turns, run by run; with them the
longest chain of calls of which each needs the one before: nobody can start sooner."""
SHARED = 0.05  # requests that starts may share: rows that are read again every few seconds
RUN = "run"
WHAT = {
    ("cloud", "table", RUN): "a plain run",
    ("cloud", "table", JOB): "a pipeline job",
    ("none", "table", RUN): "no latency, table",
    ("none", "sqlite", RUN): "no latency, sqlite",
}
LAGS = {"none": "no latency", "cloud": "cloud latencies"}
KINDS = {
    "a start of a plain run": (START, RUN),
    "a start of a pipeline job": (START, JOB),
    "a start by a route with a limit": (START, LIMITED),
    "a known event": (KNOWN, RUN),
}


def measured(commit: str, running: Bench) -> Section:
    """Everything that today's build is to do better, and what it must not do more of."""
    with bench.told(f"building {commit}"):
        old = building.earlier(commit, running.folder)
    pair = Pair(running, {NEW: building.today(), OLD: old})
    times = {}
    for key, what in WHAT.items():
        with bench.told(f"{what}, in turns"):
            times[key] = trials.in_turns(pair, *key)
    with bench.told("requests"):
        calls = {title: trials.requests(pair, *kind) for title, kind in KINDS.items()}
    with bench.told("many threads"):
        rates = trials.rates(pair)
    with bench.told("fresh processes"):
        first = trials.first(pair)
    with bench.told("the operations page"):
        pages = trials.pages(pair)
    more = (*_leaner(times), *_more(rates, first), *_shown(pages))
    return Section(
        title=f"Beside {old.commit}",
        text=_text(pair, times, calls),
        targets=(*_sooner(times), *more, *_no_more(calls)),
    )


def _text(pair: Pair, times: Times, calls: Calls) -> str:
    new, old = pair.builds[NEW], pair.builds[OLD]
    own = ", with packages of its own," if old.own else ""
    named = {NEW: new.commit, OLD: old.commit, CHAIN: "the longest chain"}
    rows = [
        (f"{what}: {named[who]}", len(one.until), one.p(0.5), one.p(0.95), one.cpu_ms, one.whole_ms)
        for key, what in WHAT.items()
        for who, one in times[key].items()
    ]
    asked = [
        (what, *(_both(of[NEW][name], of[OLD][name]) for name in SERVICES))
        for what, of in calls.items()
    ]
    return "\n\n".join(
        (
            TEXT.format(new=new.commit, old=old.commit, own=own),
            report.table(HEAD, rows),
            report.table(CALLS_HEAD, asked),
        )
    )


def _both(new: float, old: float) -> str:
    return f"{report.number(new)} ({report.number(old)})"


def _sooner(times: Times) -> Iterator[Target]:
    plain, job = times["cloud", "table", RUN], times["cloud", "table", JOB]
    yield Target("event to POST of a plain run, p50", _ratio(plain, 0.5), 0.60)
    yield Target("event to POST of a plain run, p95", _ratio(plain, 0.95), 0.70)
    yield Target("event to POST of a pipeline job, p50", _ratio(job, 0.5), 0.50)
    yield Target("a plain run beside the longest chain, p50", _ratio(plain, 0.5, CHAIN), 1.15)
    yield Target("a pipeline job beside the longest chain, p50", _ratio(job, 0.5, CHAIN), 1.15)


def _ratio(both: Mapping[str, Measured], share: float, beside: str = OLD) -> float:
    return both[NEW].p(share) / both[beside].p(share)


def _leaner(times: Times) -> Iterator[Target]:
    for kind, accepted in (("table", 0.9), ("sqlite", 1.1)):
        both = times["none", kind, RUN]
        mine, earlier, calls = (both[who].cpu_ms for who in (NEW, OLD, CHAIN))
        why = (
            f"its calls alone take {calls / earlier:.2f}× of the earlier start, and to decide, keep"
            f" and explain {mine - calls:.1f} ms of {mine:.1f}"
        )
        of_it = f"CPU of a start, {kind}"
        yield Target(of_it, mine / earlier, 0.80, accepted=accepted, why=why)


def _more(rates: Mapping[str, float], first: Mapping[str, float]) -> Iterator[Target]:
    what = f"events/s, 32 threads, one process ({report.number(rates[NEW])})"
    why = "one interpreter's CPU bounds it, so that it follows the CPU of a start"
    rate = rates[NEW] / rates[OLD]
    yield Target(what, rate, 1.4, at_least=True, accepted=1.1, why=why)
    what = f"the first event of a fresh process ({report.number(first[NEW])} ms)"
    why = "most of it are the SDKs' own imports and first calls, as both builds make them"
    yield Target(what, first[NEW] / first[OLD], 0.85, accepted=1.1, why=why)


def _shown(pages: Mapping[str, Mapping[str, float]]) -> Iterator[Target]:
    why = (
        "it looks for waiting tasks, the inbox and what has stopped as well, and Azurite looks at"
        " every row of the table for each list"
    )
    for lag, of in pages.items():
        what = f"the operations page over a table, {LAGS[lag]} ({report.number(of[NEW])} ms)"
        yield Target(what, of[NEW] / of[OLD], 0.60, accepted=1.0, why=why)


def _no_more(calls: Calls) -> Iterator[Target]:
    for what, of in calls.items():
        for title, name in zip(TITLES_OF_SERVICES, SERVICES, strict=True):
            yield Target(
                f"{title} requests of {what}",
                of[NEW][name],
                of[OLD][name] + SHARED,
                "",
                listed=False,
                counted=True,
            )
