"""How long the operations page takes with 100,000 continuations in the ledger.

    python -m benchmarks.page [--count 100000] [--open 500] [KIND...]

Fills a new ledger of each kind, runs the app in the local host, and asks it over HTTP. Prints
milliseconds; exit code 1 if the median was above 300. Filling Azurite takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import requests

from benchmarks.ledgers import ended, parked, rows_of
from functions.adapters import sqlite
from tests import azurite
from tests.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from functions.core.places import Place
    from functions.core.records import Row

LIMIT_MS, TIMES, IN_A_BATCH = 300, 20, 100
TABLE = "continuations"


class Size(NamedTuple):
    """How many continuations have ended, and how many are open."""

    ended: int
    open: int

    def rows(self) -> Iterator[tuple[Place, Row]]:
        """Every row of the ledger."""
        now = datetime.now(UTC)
        for n in range(self.ended):
            yield from rows_of(ended(n, now - timedelta(minutes=4 * n)))
        for n in range(self.open):
            yield from rows_of(parked(n, now - timedelta(minutes=n)))


@contextmanager
def in_sqlite(folder: Path, size: Size) -> Iterator[dict[str, str]]:
    """The settings of a ledger in a file, filled."""
    path = folder / "ledger.db"
    values = ((*place, "v", json.dumps(row)) for place, row in size.rows())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sqlite.SCHEMA)
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", values)
    yield {"LEDGER_URL": f"sqlite:///{path}"}


@contextmanager
def in_azurite(folder: Path, size: Size) -> Iterator[dict[str, str]]:
    """The settings of a ledger in Table storage as Azurite plays it, filled."""
    from azure.data.tables import TableClient  # noqa: PLC0415 - slow to import

    with azurite.running(folder) as port:
        where = azurite.connection_string(port)
        with TableClient.from_connection_string(where, TABLE) as table:
            table.create_table()
            for batch in _batches(size.rows()):
                table.submit_transaction(("create", entity) for entity in batch)
        yield {"AzureWebJobsStorage": where, "LEDGER_TABLE": TABLE, "LEDGER_URL": ""}


def _batches(rows: Iterable[tuple[Place, Row]]) -> Iterator[list[dict[str, str]]]:
    """What one transaction may hold: rows of one partition."""
    waiting: dict[str, list[dict[str, str]]] = defaultdict(list)
    for place, row in rows:
        batch = waiting[place.partition]
        batch.append({**row, "PartitionKey": place.partition, "RowKey": place.key})
        if len(batch) == IN_A_BATCH:
            yield waiting.pop(place.partition)
    yield from waiting.values()


def measured(settings: dict[str, str]) -> list[float]:
    """Milliseconds of each answer, after one that was not counted."""
    host = Hosted({**settings, "KEY_VAULT_URL": "https://vault.invalid"})
    try:
        with requests.Session() as client:
            return [_asked(client, f"{host.url}/api/operations") for _ in range(TIMES + 1)][1:]
    finally:
        host.stop()


def _asked(client: requests.Session, address: str) -> float:
    begun = time.perf_counter()
    answer = client.get(address, timeout=60)
    took = (time.perf_counter() - begun) * 1000
    answer.raise_for_status()
    return took


KINDS: dict[str, Callable[[Path, Size], object]] = {"sqlite": in_sqlite, "azurite": in_azurite}


def main() -> int:
    """Fill, ask and tell, for each kind; the exit code."""
    options = _options().parse_args()
    size, slow = Size(options.count, options.open), False
    for kind in options.kinds or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.monotonic()
            with KINDS[kind](Path(folder), size) as settings:  # type: ignore[attr-defined]
                filled = time.monotonic() - begun
                took = measured(settings)
        middle = statistics.median(took)
        slow |= middle > LIMIT_MS
        told = f"median {middle:.0f} ms, slowest {max(took):.0f} ms of {TIMES}"
        what = f"{size.ended:,} ended and {size.open:,} open, filled in {filled:.0f} s"
        sys.stdout.write(f"{kind:8} {told} ({what})\n")
        sys.stdout.flush()
    return 1 if slow else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=100_000, help="continuations that have ended")
    parser.add_argument("--open", type=int, default=500, help="continuations that are open")
    parser.add_argument(
        "kinds",
        nargs="*",
        choices=[[], *KINDS],
        metavar="KIND",
        help="sqlite, azurite; both if none",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
