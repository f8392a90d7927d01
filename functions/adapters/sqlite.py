"""The ledger in one SQLite file, for one machine: several processes and threads at once."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from functions.core.ledger.rowledger import RowLedger
from functions.core.ports.ledger import PAGE, Stored
from functions.core.terms.errors import LedgerUnavailable, Lost
from functions.core.texts import jsontext
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from functions.core.ports.ledger import Place, Row

    _File = tuple[int, int] | None

T = TypeVar("T")

PATIENCE = 5.0  # seconds to wait for another writer
SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    partition TEXT, key TEXT, version TEXT NOT NULL,
    columns TEXT NOT NULL CHECK (json_valid(columns)),
    PRIMARY KEY (partition, key)
)
"""  # with a rowid, since rows of some kilobytes make a deep tree: https://www.sqlite.org/withoutrowid.html


class SqliteLedger(RowLedger):
    """The port `Ledger` over one file, which is created when first used.

    A file on a network share is not supported. https://www.sqlite.org/wal.html
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        rows = _Rows(path, patience)
        super().__init__(lambda: rows)


class _Rows:
    """The port `Rows`, a statement each, over as many connections as are in use at once.

    They are of the file that is there now: what another one says, or one that was removed while it
    was open, is no other process's truth. https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._idle: list[tuple[_File, sqlite3.Connection]] = []

    def insert(self, place: Place, row: Row) -> tuple[Stored, bool]:
        version = _version()
        insert = "INSERT INTO ledger VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        if self._changed(insert, *place, version, _text(row)):
            return Stored(row, version), True
        if (found := self.get(place)) is None:
            raise LedgerUnavailable(f"{place.key} was there and is gone")
        return found, False

    def put(self, place: Place, row: Row) -> None:
        put = "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?)"
        self._changed(put, *place, _version(), _text(row))

    def replace(self, place: Place, row: Row, version: str) -> str:
        following = _version()
        update = (
            "UPDATE ledger SET version = ?, columns = ?"
            " WHERE partition = ? AND key = ? AND version = ?"
        )
        if not self._changed(update, following, _text(row), *place, version):
            raise Lost(f"{place.key} was written by another")
        return following

    def get(self, place: Place) -> Stored | None:
        return next(self.find(place.partition, place.key, place.key), None)

    def move(self, place: Place, to: Place, row: Row) -> None:
        move = (
            "UPDATE OR REPLACE ledger SET partition = ?, key = ?, version = ?, columns = ?"
            " WHERE partition = ? AND key = ?"
        )
        if not self._changed(move, *to, _version(), _text(row), *place):
            raise Lost(f"{place.key} was moved by another")

    def drop(self, place: Place, version: str | None = None) -> None:
        delete = "DELETE FROM ledger WHERE partition = ? AND key = ? AND ? IN (version, '')"
        self._changed(delete, *place, version or "")

    def find(
        self,
        partition: str,
        low: str = "",
        high: str = "~",
        column: str = "key",
        only: Sequence[str] = (),
        page: int = PAGE,
        within: tuple[str, str] = ("", ""),
    ) -> Iterator[Stored]:
        del only  # a row is one text
        query = (
            "SELECT key, version, columns FROM ledger WHERE partition = ?"  # noqa: S608 - ours
            " AND key {after} ? AND key < ? AND {tested} BETWEEN ? AND ?"
            f" ORDER BY key LIMIT {page:d}"
        )
        by_key, (begin, end) = column == "key", within
        tested = "key" if by_key else f"json_extract(columns, '$.{column}')"
        after, last, more = ">=", max(begin, low if by_key else ""), True
        while more:
            sql, bounds = query.format(after=after, tested=tested), (last, end or "~", low, high)
            found = self._executed(sql, (partition, *bounds), sqlite3.Cursor.fetchall)
            yield from (Stored(jsontext.read(columns), version) for _, version, columns in found)
            more = len(found) == page
            after, last = ">", found[-1][0] if found else last

    def _changed(self, sql: str, *values: str) -> int:
        return self._executed(sql, values, _count)

    def _executed(
        self, sql: str, values: tuple[str, ...], read: Callable[[sqlite3.Cursor], T]
    ) -> T:
        """Every statement passes here, and every error of the library ends here."""
        try:
            file, connection = self._borrowed()
            found = read(connection.execute(sql, values))
            self._idle.append((file, connection))
        except (sqlite3.Error, OSError) as error:
            why = bounded(f"{type(error).__name__}: {error}", 200)
            raise LedgerUnavailable(f"LEDGER_URL: ledger {self._path.name}: {why}") from error
        return found

    def _borrowed(self) -> tuple[_File, sqlite3.Connection]:
        file = self._file()
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                of, connection = self._idle.pop()
                if file and of == file:
                    return of, connection
                connection.close()
        connection = self._opened()
        return self._file(), connection

    def _file(self) -> _File:
        """What stands for the file of that name; None where there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        how: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
        connection: sqlite3.Connection = sqlite3.connect(self._path, timeout=self._patience, **how)
        self._prepare(connection)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """SQLite itself does not wait for another who is making the file's first tables."""
        ends = time.monotonic() + self._patience
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(SCHEMA)
            except sqlite3.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.01)
            else:
                return


def _text(row: Row) -> str:
    return msgspec.json.encode(row).decode()


def _version() -> str:
    """One that no row had: 32 random hex digits."""
    return os.urandom(16).hex()


def _count(done: sqlite3.Cursor) -> int:
    return done.rowcount
