"""One SQLite file, used by several processes and threads at once."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from functions.core.errors import LedgerUnavailable
from functions.core.values import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYOUT = 1
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS continuation (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, is_open INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, version TEXT NOT NULL, columns TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS continuation_run ON continuation (run);
CREATE INDEX IF NOT EXISTS continuation_claimed ON continuation (is_open, created_at);
CREATE TABLE IF NOT EXISTS schedule (
    key TEXT PRIMARY KEY, due_at TEXT NOT NULL, waits_on TEXT NOT NULL, columns TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS schedule_due ON schedule (due_at);
CREATE INDEX IF NOT EXISTS schedule_waits ON schedule (waits_on, due_at);
CREATE TABLE IF NOT EXISTS letter (
    key TEXT PRIMARY KEY, received_at TEXT NOT NULL, columns TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letter_received ON letter (received_at);
CREATE TABLE IF NOT EXISTS shared (
    key TEXT PRIMARY KEY, version TEXT NOT NULL, columns TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = {LAYOUT};
COMMIT;
"""


class File:
    """A connection per thread, opened when first used; the file and its tables are made then.

    `patience`: seconds to wait for another writer. A file on a network share is not supported.
    https://www.sqlite.org/wal.html
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._of_thread = threading.local()

    def rows(self, sql: str, *values: object) -> Iterator[Any]:
        """The rows of a query, read as they are taken. Raises LedgerUnavailable."""
        with self._translated() as connection:
            yield from connection.execute(sql, values)

    def change(self, sql: str, *values: object) -> int:
        """How many rows one statement changed. Raises LedgerUnavailable."""
        with self._translated() as connection:
            return connection.execute(sql, values).rowcount

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing of what is done within, alone. Raises LedgerUnavailable."""
        with self._translated() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield

    @contextmanager
    def _translated(self) -> Iterator[sqlite3.Connection]:
        """Every statement passes here, and every error of the library ends here."""
        try:
            yield self._connection()
        except (sqlite3.Error, OSError) as error:
            why = bounded(f"{type(error).__name__}: {error}", 200)
            raise LedgerUnavailable(f"ledger {self._path.name}: {why}") from error

    def _connection(self) -> sqlite3.Connection:
        held: _Held | None = getattr(self._of_thread, "held", None)
        if held is None:
            held = self._of_thread.held = _Held(self._opened())
        return held.connection

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA user_version").fetchone()[0] < LAYOUT:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)


class _Held:
    """Closes the connection when its thread is gone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()
