"""What both builds do with the same events, to the same services, in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from msgspec import convert

from benchmarks import bench
from benchmarks.growth import page
from benchmarks.growth.filling import taken
from benchmarks.latency.comparing import limited, measured_of
from benchmarks.latency.pairs import Times
from benchmarks.load.crowds import WARMED
from benchmarks.load.throughput import MOST
from benchmarks.names import SERVICES, START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from benchmarks.bench import Bench
    from benchmarks.earlier.building import Build
    from benchmarks.latency.comparing import Measured

NEW, OLD, CHAIN = "new", "old", "chain"
BOTH = (NEW, OLD)
LIMITED = "limited"  # the usual routes, with a limit
Process = subprocess.Popen[str]


class Pair(NamedTuple):
    """Both builds, and where they run."""

    running: Bench
    builds: Mapping[str, Build]

    def started(
        self, build: str, settings: Mapping[str, str], subject: str, **given: object
    ) -> AbstractContextManager[Process]:
        """A subject of that build; what is of neither is of the newer one."""
        of = self.builds.get(build, self.builds[NEW])
        return self.running.started(subject, settings, (of.root, of.python), **given)

    def by_turns(self, turns: int) -> Iterator[tuple[int, str]]:
        """Which build's turn it is, each first as often as the other."""
        for turn in range(turns):
            for who in BOTH[:: -1 if turn % 2 else 1]:
                yield turn, who


def in_turns(pair: Pair, lag: str, kind: str, of: str) -> dict[str, Measured]:
    """Each build and the chain over a ledger of its own, run by run.

    Raises RuntimeError unless each run started once.
    """
    running = pair.running
    runs, found = running.times(120 if lag == "none" else 60, 12), dict[str, Times]()
    running.lag(lag)
    with ExitStack() as stack:
        every: dict[str, Process] = {}
        for who in (*BOTH, CHAIN):
            given = {"who": CHAIN if who == CHAIN else "relay", "runs": runs, "what": START}
            given |= {"of": f"{of}-{who}-{kind}-{lag}", "warm": running.times(10, 4)}
            process = pair.started(who, running.ledger(kind), "turns", **given)
            every[who] = stack.enter_context(process)
        _take_turns([*every.values()], runs)
        found = {who: convert(bench.result(one), Times) for who, one in every.items()}
    arrived = running.services.ask("arrivals")
    if wrong := [r for one in found.values() for r in one["began"] if len(arrived.get(r, ())) != 1]:
        raise RuntimeError(f"started not once: {', '.join(wrong[:5])}")
    return {who: measured_of(one, arrived) for who, one in found.items()}


def _take_turns(every: list[Process], runs: int) -> None:
    for process in every:
        bench.warm(process)
    for n in range(runs):
        first = n % len(every)  # who comes later finds warm caches
        for process in every[first:] + every[:first]:
            bench.go_on(process)
            assert process.stdout  # noqa: S101 - a pipe
            process.stdout.readline()


def pages(pair: Pair) -> dict[str, dict[str, float]]:
    """By lag: the median milliseconds of the operations page over one table, of both builds."""
    running, size = pair.running, page.SMALL if pair.running.quick else page.WHOLE
    settings, found = taken(running, "table", size.ended), dict[str, dict[str, float]]()
    page.leave_open(running.environment(settings), size.open)
    for lag in ("none", "cloud"):
        running.lag(lag)
        given = {"count": running.times(30, 6), "warm": 3}
        with ExitStack() as stack:
            every = {
                who: stack.enter_context(pair.started(who, settings, "pages", **given))
                for who in BOTH
            }
            _take_turns([*every.values()], given["count"])
            took = {who: convert(bench.result(one), list[float]) for who, one in every.items()}
        found[lag] = {who: statistics.median(of) for who, of in took.items()}
    return found


def requests(pair: Pair, what: str, of: str) -> dict[str, dict[str, float]]:
    """How many requests each service gets for one event, of both builds."""
    running, runs = pair.running, pair.running.times(60, 10)
    running.lag("none")
    found: dict[str, dict[str, float]] = {}
    for who in BOTH:
        settings = running.ledger("table")
        if of == LIMITED:
            file = running.folder / "limited.yaml"
            file.write_text(limited(), "utf-8")
            settings["ROUTES_FILE"] = str(file)
        given = {"names": ["relay"], "runs": runs, "of": f"{of}-{who}-{what}", "what": what}
        with pair.started(who, settings, "side_by_side", **given, warm=4, alone=True) as process:
            bench.warm(process)
            before = running.services.ask("counts")
            bench.go_on(process)
            bench.result(process)
        after = running.services.ask("counts")
        found[who] = {name: (after[name] - before[name]) / runs for name in SERVICES}
    return found


def rates(pair: Pair) -> dict[str, float]:
    """Events a second in one process with many threads: the middle of several turns."""
    running, found = pair.running, dict[str, list[float]]()
    events = max(8, running.times(12, 4) * MOST)
    for turn, who in pair.by_turns(running.times(3, 1)):
        running.lag("cloud")
        given = {"who": "relay", "what": START, "events": events, "threads": MOST}
        settings = running.ledger("table")
        with pair.started(who, settings, "many", **given, of=f"{who}-{turn}") as process:
            bench.go(process)
            took = bench.result(process)
        running.started_once(events + WARMED * MOST)
        found.setdefault(who, []).append(events / took["seconds"])
    return {who: statistics.median_low(every) for who, every in found.items()}


def first(pair: Pair) -> dict[str, float]:
    """Milliseconds until the first event of a fresh process has started its pipeline."""
    running, found = pair.running, dict[str, list[float]]()
    running.lag("none")
    environment = running.environment(running.ledger("table"))
    for turn, who in pair.by_turns(running.times(10, 2) + 1):
        build = pair.builds[who]
        ran = subprocess.run(
            [build.python, "-m", "benchmarks.cold.first", "relay"],
            cwd=build.root,
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        if turn:  # the first time nothing is in the cache of files
            found.setdefault(who, []).append(json.loads(ran.stdout)["ms"])
    return {who: statistics.median(every) for who, every in found.items()}
