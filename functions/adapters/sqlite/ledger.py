"""The ledger's promises kept with single statements and short transactions."""

from __future__ import annotations

import json
import uuid
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from functions.adapters.sqlite.file import File
from functions.core import columns, records
from functions.core.errors import Lost, Unreadable
from functions.core.ports import Claim, Entry
from functions.core.unreadable import PassedOver
from functions.core.values import Key, Letter, Outcome, Shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from functions.core.continuation import Continuation

PATIENCE = 5.0  # seconds


class _Found(NamedTuple):
    name: str
    columns: Mapping[str, str]


class SqliteLedger:
    """The port `Ledger` over one file, which is created when first used.

    `unreadable` holds the rows that were passed over since this version cannot read them.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._file = File(path, patience)
        self.unreadable = PassedOver()

    def claim(self, new: Continuation) -> Claim:
        """One transaction."""
        row, version = records.continuation_row(new), uuid.uuid4().hex
        insert = "INSERT INTO continuation VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        name, times = _name(new.key), (row["created_at"], row["updated_at"])
        values = (name, new.key.run_hash, new.is_open, *times, version, columns.as_json(row))
        with self._file.writing():
            fresh = self._file.change(insert, *values) == 1
            entry = Entry(new, version) if fresh else self._entry(name)
            if entry is None:
                raise Unreadable(f"{name} was there and is gone")
            if entry.continuation.is_open:
                self.schedule(entry.continuation)
        return Claim(entry, fresh)

    def read(self, key: Key) -> Entry | None:
        """One query."""
        return self._entry(_name(key))

    def write(self, entry: Entry, changed: Continuation) -> Entry:
        """One statement."""
        row, version = records.continuation_row(changed), uuid.uuid4().hex
        update = (
            "UPDATE continuation SET is_open = ?, updated_at = ?, version = ?, columns = ?"
            " WHERE key = ? AND version = ?"
        )
        values = (changed.is_open, row["updated_at"], version, columns.as_json(row))
        if not self._file.change(update, *values, _name(changed.key), entry.version):
            raise Lost(f"{changed.key.text} was written by another")
        return Entry(changed, version)

    def schedule(self, continuation: Continuation) -> None:
        """One statement."""
        row = records.schedule_row(continuation)
        values = (
            _name(continuation.key),
            row["due_at"],
            row.get("waits_on", ""),
            columns.as_json(row),
        )
        self._file.change("INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?)", *values)

    def due(self, now: datetime, limit: int) -> Sequence[Key]:
        """One query."""
        return self._scheduled("due_at <= ?", columns.time_text(now), limit)

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """One query."""
        return self._scheduled("waits_on = ?", columns.text(name), limit)

    def retire(self, continuation: Continuation) -> None:
        """One statement; it stays scheduled if it is open by now. The listing is a query."""
        delete = (
            "DELETE FROM schedule WHERE key = ?1"
            " AND NOT EXISTS (SELECT 1 FROM continuation WHERE key = ?1 AND is_open)"
        )
        self._file.change(delete, _name(continuation.key))

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """One query."""
        run_hash = Key(workspace, run, Outcome.COMPLETED, "").run_hash
        return sorted(self._continuations("run = ?", run_hash), key=lambda c: (c.created_at, c.key))

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """Two queries."""
        newest = "ORDER BY created_at DESC, key DESC"
        chosen = list(islice(self._continuations(f"is_open = 1 {newest}"), limit))
        ended = f"is_open = 0 AND created_at >= ? {newest}"
        rest = self._continuations(ended, columns.time_text(since))
        chosen += islice(rest, limit - len(chosen))
        return sorted(chosen, key=lambda c: (c.created_at, c.key), reverse=True)

    def keep(self, letter: Letter) -> None:
        """One statement."""
        row = records.letter_row(letter)
        insert = "INSERT INTO letter VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        self._file.change(insert, columns.text(letter.id), row["received_at"], columns.as_json(row))

    def letters(self, limit: int) -> Sequence[Letter]:
        """One query."""
        found = self._found("SELECT key, columns FROM letter ORDER BY received_at, key")
        return list(islice(self.unreadable.readable(found, records.letter_of), limit))

    def discard(self, letter_id: str) -> None:
        """One statement."""
        self._file.change("DELETE FROM letter WHERE key = ?", columns.text(letter_id))

    def shared(self, name: str) -> Shared:
        """One query."""
        query = "SELECT version, columns FROM shared WHERE key = ?"
        for version, row in self._file.rows(query, columns.text(name)):
            return records.shared_of(name, _read(row), version)
        return Shared(name, {}, None)

    def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
        """One statement."""
        version, name = uuid.uuid4().hex, columns.text(row.name)
        kept = columns.as_json(records.shared_row(row.name, value))
        if row.version is None:
            insert = "INSERT INTO shared VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            written = self._file.change(insert, name, version, kept)
        else:
            update = "UPDATE shared SET version = ?, columns = ? WHERE key = ? AND version = ?"
            written = self._file.change(update, version, kept, name, row.version)
        if not written:
            raise Lost(f"{name} was written by another")
        return Shared(row.name, dict(value), version)

    def prune(self, before: datetime, limit: int) -> int:
        """Remove continuations that ended and were claimed on a day before that of `before`.

        Removes at most `limit`, the oldest first, and says how many.
        """
        delete = (
            "DELETE FROM continuation WHERE key IN (SELECT key FROM continuation"
            " WHERE is_open = 0 AND created_at < ?1 AND updated_at < ?1"
            " AND key NOT IN (SELECT key FROM schedule) ORDER BY created_at LIMIT ?2)"
        )
        return self._file.change(delete, columns.time_text(before)[:10], limit)

    def _entry(self, name: str) -> Entry | None:
        query = "SELECT version, columns FROM continuation WHERE key = ?"
        for version, row in self._file.rows(query, name):
            return Entry(records.continuation_of(_read(row)), version)
        return None

    def _scheduled(self, condition: str, value: str, limit: int) -> list[Key]:
        order = "ORDER BY due_at, key"
        query = f"SELECT key, columns FROM schedule WHERE {condition} {order}"  # noqa: S608 - ours
        found = self._found(query, value)
        return list(islice(self.unreadable.readable(found, records.key_of), limit))

    def _continuations(self, condition: str, *values: str) -> Iterable[Continuation]:
        query = f"SELECT key, columns FROM continuation WHERE {condition}"  # noqa: S608 - ours
        found = self._found(query, *values)
        return self.unreadable.readable(found, records.continuation_of)

    def _found(self, query: str, *values: str) -> Iterable[_Found]:
        return (_Found(name, _read(row)) for name, row in self._file.rows(query, *values))


def _name(key: Key) -> str:
    return columns.as_json((key.workspace, key.run, key.outcome, key.route))


def _read(text: str) -> Mapping[str, str]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        return {}  # readers say what is missing
