"""How long the operations page takes with 100,000 continuations in the ledger, and 500 open."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import requests

from benchmarks.bench import told
from benchmarks.growth.filling import taken
from benchmarks.growth.ledgers import parked
from benchmarks.report import Section, Target, table
from functions import connections
from functions.configuration import settings
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench

LIMIT_MS, TIMES, WARM = 300, 20, 1
KINDS = {"sqlite": "SQLite", "table": "a table in Azurite"}


class Size(NamedTuple):
    """How many continuations have ended, and how many are open."""

    ended: int
    open: int


WHOLE, SMALL = Size(100_000, 500), Size(2_000, 50)


def measured(running: Bench) -> Section:
    """The page, asked for over HTTP, of the app in the local host, for each kind of ledger."""
    running.lag("none")
    size = SMALL if running.quick else WHOLE
    found = {kind: _found(running, kind, size) for kind in KINDS}
    medians = {kind: statistics.median(took) for kind, took in found.items()}
    rows = [(KINDS[kind], medians[kind], max(took)) for kind, took in found.items()]
    what = f"{size.ended:,} ended and {size.open:,} open continuations"
    head = f"The page over HTTP, with {what} in the ledger, {TIMES} times."
    return Section(
        title="The operations page",
        text=f"{head}\n\n{table(('ledger', 'median, ms', 'slowest, ms'), rows)}",
        targets=tuple(
            Target(f"the page with {what}, {KINDS[kind]}", ms, LIMIT_MS, "ms")
            for kind, ms in medians.items()
        ),
        figures={f"{kind}.ms": ms for kind, ms in medians.items()},
    )


def _found(running: Bench, kind: str, size: Size) -> list[float]:
    """Milliseconds of each answer."""
    environment = running.environment(taken(running, kind, size.ended))
    with told(f"asking for the page of {kind}"):
        leave_open(environment, size.open)
        host = Hosted(environment)
        try:
            with requests.Session() as client:
                return list(_asked(client, f"{host.url}/api/operations"))
        finally:
            host.stop()


def leave_open(environment: Mapping[str, str], count: int) -> None:
    """Let so many wait."""
    ledger, now = connections.connect(settings.read(environment)).ledger, datetime.now(UTC)
    for n in range(count):
        ledger.claim(parked(n, now - timedelta(minutes=n)))


def _asked(client: requests.Session, address: str) -> Iterator[float]:
    for n in range(WARM + TIMES):
        begun = time.perf_counter()
        answer = client.get(address, timeout=60)
        took = (time.perf_counter() - begun) * 1000
        answer.raise_for_status()
        if n >= WARM:
            yield took
