"""Candidates compared run by run, and the requests that an event costs."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from msgspec import convert

from benchmarks import bench
from benchmarks.latency.pairs import Times
from benchmarks.names import HERE, SERVICES, START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bench import Bench


class Measured(NamedTuple):
    """One candidate, in milliseconds: until the request arrived, of CPU, until all was settled.

    An event that is known or ignored has no request that arrives.
    """

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

    @property
    def whole_ms(self) -> float:
        """From the beginning until all was settled, in the middle."""
        return bench.percentile(self.took, 0.5)


Compared = dict[str, Measured]


def compared(
    running: Bench,
    lag: str,
    kind: str,
    names: list[str],
    runs: int,
    what: str = START,
    of: str = "run",
) -> Compared:
    """The candidates over a new ledger; `of` is what ids begin with.

    Raises RuntimeError unless each run started once.
    """
    running.lag(lag)
    settings = running.ledger(kind)
    with running.started(
        "side_by_side",
        settings,
        names=names,
        runs=runs,
        of=f"{of}-{settings.get('LEDGER_TABLE', 'sqlite')}",
        what=what,
        warm=_warm(running),
    ) as process:
        bench.go(process)
        found = convert(bench.result(process), dict[str, Times])
    arrived = running.services.ask("arrivals")
    for times in found.values():
        if wrong := [run for run in times["began"] if len(arrived.get(run, ())) != 1]:
            raise RuntimeError(f"started not once: {', '.join(wrong[:5])}")
    return {
        name: measured_of(times, arrived if what == START else {}) for name, times in found.items()
    }


def requests(
    running: Bench, what: str = START, of: str = "run", routes: str = ""
) -> dict[str, float]:
    """How many requests each service gets for one event of the app; `routes` as a file's text."""
    running.lag("none")
    settings, runs = running.ledger("table"), running.times(100, 10)
    if routes:
        file = running.folder / "routes.yaml"
        file.write_text(routes, "utf-8")
        settings["ROUTES_FILE"] = str(file)
    with running.started(
        "side_by_side",
        settings,
        names=["relay"],
        runs=runs,
        of=of,
        what=what,
        warm=_warm(running),
        alone=True,
    ) as process:
        bench.warm(process)
        before = running.services.ask("counts")
        bench.go_on(process)
        bench.result(process)
    after = running.services.ask("counts")
    return {service: (after[service] - before[service]) / runs for service in SERVICES}


def _warm(running: Bench) -> int:
    return running.times(10, 3)


def limited() -> str:
    """The usual routes, with a limit that is never reached."""
    usual = (HERE / "routes.yaml").read_text("utf-8")
    return usual.replace("    start:\n", "    limit: 9999/d\n    start:\n", 1)


def measured_of(times: Times, arrived: Mapping[str, list[float]]) -> Measured:
    """The times of one candidate, with those at which its requests arrived, if they do."""
    until = [(arrived[run][0] - at) * 1000 for run, at in times["began"].items() if arrived]
    return Measured(until, times["cpu"], times["took"])
