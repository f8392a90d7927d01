"""Ledgers in which so many continuations have ended that filling them takes minutes.

They were claimed half a minute apart: a million are not a year old, and none is to be forgotten.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sqlite3
import sys
import time
from collections import defaultdict, deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from azure.data.tables import TableClient

from benchmarks.bench import told
from benchmarks.growth.ledgers import ended, rows_of
from functions.adapters import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from benchmarks.bench import Bench
    from functions.core.ports.ledger import Place, Row

    Entities = list[dict[str, str]]

EVERY = timedelta(seconds=30)
PROCESSES, AHEAD = 2, 8
IN_A_SHARE, IN_A_TRANSACTION = 500, 100
ROWS_EACH, BYTES_EACH = 2, 9_500  # of a continuation that has ended
SAYS_EVERY = 5.0  # seconds

T = TypeVar("T")
R = TypeVar("R")

_filled: dict[tuple[Bench, str, int], dict[str, str]] = {}


def filled(running: Bench, kind: str, count: int) -> dict[str, str]:
    """The settings of a ledger, `sqlite` or `table`, in which so many have ended; filled once.

    Whoever uses it leaves it as it was, but for a few more that have ended. Raises RuntimeError
    where there is no room for it.
    """
    which = (running, kind, count)
    if which not in _filled:
        settings = running.ledger(kind)
        fill = _fill_sqlite if kind == "sqlite" else _fill_table
        with told(f"filling {kind} with {count:,} continuations"):
            _tell(fill(running, settings, count), count * ROWS_EACH)
        _filled[which] = settings
    return _filled[which]


def taken(running: Bench, kind: str, count: int) -> dict[str, str]:
    """The same, for the last to use it, who may do with it as he likes."""
    settings = filled(running, kind, count)
    del _filled[running, kind, count]
    return settings


def _fill_sqlite(running: Bench, settings: Mapping[str, str], count: int) -> Iterator[int]:
    path = settings["LEDGER_URL"].removeprefix("sqlite:///")
    needed, free = count * BYTES_EACH, shutil.disk_usage(running.folder).free
    if needed > free:
        where = f"{running.folder} has room for {free / 1e9:.1f} GB, {needed / 1e9:.1f} are needed"
        raise RuntimeError(f"{where}: TMPDIR names another place")
    shares = (range(n, min(n + IN_A_SHARE, count)) for n in range(0, count, IN_A_SHARE))
    with closing(sqlite3.connect(path)) as file, _pool() as pool:
        file.execute("PRAGMA journal_mode = OFF")
        file.execute("PRAGMA synchronous = OFF")
        file.execute("PRAGMA cache_size = -500000")  # KiB
        file.execute(sqlite.SCHEMA)
        with file:
            for rows in _ahead(pool, partial(_lines, now=datetime.now(UTC)), shares):
                yield file.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows).rowcount


def _lines(share: range, now: datetime) -> list[tuple[str, str, str, str]]:
    return [(*place, "v", json.dumps(row)) for place, row in _rows(share, now)]


def _fill_table(running: Bench, settings: Mapping[str, str], count: int) -> Iterator[int]:
    yield from put(running, settings, _rows(range(count), datetime.now(UTC)))


def put(
    running: Bench, settings: Mapping[str, str], rows: Iterable[tuple[Place, Row]]
) -> Iterator[int]:
    """Make a table and put the rows into it, a hundred at once; tells how many each time."""
    where = running.environment(settings)["AzureWebJobsStorage"], settings["LEDGER_TABLE"]
    _table(*where).create_table()
    with _pool() as pool:
        yield from _ahead(pool, partial(_submit, where=where), _batches(rows))


def _submit(batch: Entities, where: tuple[str, str]) -> int:
    return len(_table(*where).submit_transaction(("create", entity) for entity in batch))


@cache
def _table(connection_string: str, name: str) -> TableClient:
    return TableClient.from_connection_string(connection_string, name)


def _batches(rows: Iterable[tuple[Place, Row]]) -> Iterator[Entities]:
    """What one transaction may hold: rows of one partition."""
    waiting: dict[str, Entities] = defaultdict(list)
    for place, row in rows:
        batch = waiting[place.partition]
        batch.append({**row, "PartitionKey": place.partition, "RowKey": place.key})
        if len(batch) == IN_A_TRANSACTION:
            yield waiting.pop(place.partition)
    yield from waiting.values()


def _rows(share: Iterable[int], now: datetime) -> Iterator[tuple[Place, Row]]:
    for n in share:
        yield from rows_of(ended(n, now - n * EVERY))


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"))


def _ahead(pool: ProcessPoolExecutor, act: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What the pool makes of the items, in their order; so few are under way that they fit."""
    rest = iter(items)
    under_way = deque(pool.submit(act, item) for item in islice(rest, AHEAD))
    while under_way:
        yield under_way.popleft().result()
        under_way.extend(pool.submit(act, item) for item in islice(rest, 1))


def _tell(steps: Iterable[int], whole: int) -> None:
    """Say how far it has come, every few seconds."""
    done, said = 0, time.monotonic()
    for step in steps:
        done += step
        if time.monotonic() - said > SAYS_EVERY:
            said = time.monotonic()
            sys.stdout.write(f"{done / whole:.0%} ... ")
            sys.stdout.flush()
