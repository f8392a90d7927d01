"""The ledger's promises kept with single-row writes.

Each write of a row that others may change carries a `writer` id of its own: a write that is
refused reads the row once, and finds that id if it had succeeded and only its answer was lost.
"""

from __future__ import annotations

import time
import uuid
from itertools import islice
from typing import TYPE_CHECKING

from functions.adapters.tables import layout
from functions.adapters.tables.listing import MOST_SORTED, Listing
from functions.adapters.tables.rows import Rows, Stored
from functions.core import columns, records
from functions.core.errors import LedgerUnavailable, Lost
from functions.core.ports import Claim, Entry
from functions.core.unreadable import PassedOver
from functions.core.values import Key, Letter, Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from azure.data.tables import TableClient

    from functions.adapters.tables.budget import Budget
    from functions.core.continuation import Continuation


class TableLedger:
    """The port `Ledger` over one table, which is created when first written to.

    `unreadable` holds the rows that were passed over since this version cannot read them.
    """

    def __init__(
        self,
        table: TableClient,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rows = Rows(table, monotonic, sleep)
        self.unreadable = PassedOver()
        self._listing = Listing(self._rows, self.unreadable)

    def claim(self, new: Continuation) -> Claim:
        """Two requests if it is fresh, else two if it has ended and three if it is open."""
        budget, row = self._rows.budget(), _signed(records.continuation_row(new))
        place = layout.continuation(new.key)
        version = self._rows.insert(place, row, budget)
        claim = Claim(Entry(new, version), fresh=True) if version else self._known(row, new, budget)
        if claim.entry.continuation.is_open:
            self._schedule(claim.entry.continuation, budget)
        return claim

    def read(self, key: Key) -> Entry | None:
        """One request."""
        found = self._rows.get(layout.continuation(key), self._rows.budget())
        return _entry(found) if found else None

    def write(self, entry: Entry, changed: Continuation) -> Entry:
        """One request, two if it is refused."""
        row = _signed(records.continuation_row(changed))
        place = layout.continuation(changed.key)
        return Entry(changed, self._replace(place, row, entry.version))

    def schedule(self, continuation: Continuation) -> None:
        """One request."""
        self._schedule(continuation, self._rows.budget())

    def due(self, now: datetime, limit: int) -> Sequence[Key]:
        """One request per thousand that are due, five at most."""
        return self._scheduled("due_at le @value", columns.time_text(now), limit)

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """One request per thousand that wait, five at most."""
        return self._scheduled("waits_on eq @value", columns.text(name), limit)

    def retire(self, continuation: Continuation) -> None:
        """Five requests; none is written, and it stays scheduled, if it is open by now.

        The open row is read before the truth and removed only in that version: who replays the
        continuation meanwhile writes the truth first and then the open row.
        """
        key, budget = continuation.key, self._rows.budget()
        scheduled = self._rows.get(layout.open_row(key), budget)
        truth = self._rows.get(layout.continuation(key), budget)
        last = _entry(truth).continuation if truth else continuation
        if last.is_open:
            return
        self._listing.add(last, budget)
        if scheduled:
            self._rows.drop(scheduled.place, budget, scheduled.version)

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """One request."""
        part, begin = layout.run(workspace, run)
        found = self._rows.between(part, begin, begin[:-1] + layout.AFTER)
        continuations = self.unreadable.readable(found, records.continuation_of)
        return sorted(continuations, key=lambda c: (c.created_at, c.key))

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """One request for the schedule, one for the days, one per open row and one per day."""
        return self._listing.recent(since, limit)

    def keep(self, letter: Letter) -> None:
        """One request."""
        place = layout.letter(letter.id)
        self._rows.insert(place, records.letter_row(letter), self._rows.budget())

    def letters(self, limit: int) -> Sequence[Letter]:
        """One request per thousand letters, five at most."""
        found = self._rows.find("PartitionKey eq @part", self._rows.budget(), part=layout.INBOX)
        letters = self.unreadable.readable(islice(found, MOST_SORTED), records.letter_of)
        return sorted(letters, key=lambda letter: (letter.received_at, letter.id))[:limit]

    def discard(self, letter_id: str) -> None:
        """One request."""
        self._rows.drop(layout.letter(letter_id), self._rows.budget())

    def shared(self, name: str) -> Shared:
        """One request."""
        found = self._rows.get(layout.shared(name), self._rows.budget())
        return (
            records.shared_of(name, found.columns, found.version)
            if found
            else Shared(name, {}, None)
        )

    def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
        """One request, two if it is refused."""
        signed = _signed(records.shared_row(row.name, value))
        version = self._replace(layout.shared(row.name), signed, row.version)
        return Shared(row.name, dict(value), version)

    def prune(self, before: datetime, limit: int) -> int:
        """Remove continuations that ended and were claimed on a day before that of `before`.

        Removes at most `limit`, the oldest day first, and says how many. One request for the
        days, one per day, and three per continuation.
        """
        return self._listing.prune(before, limit)

    def _known(self, row: records.Row, new: Continuation, budget: Budget) -> Claim:
        found = self._rows.get(layout.continuation(new.key), budget)
        if found is None:
            raise LedgerUnavailable(f"{new.key.text} was there and is gone")
        return Claim(_entry(found), fresh=found.columns.get("writer") == row["writer"])

    def _schedule(self, c: Continuation, budget: Budget) -> None:
        self._rows.put(layout.open_row(c.key), records.schedule_row(c), budget)

    def _replace(self, place: layout.Place, row: records.Row, version: str | None) -> str:
        """The row's new version; without an old one it must not be there. Raises Lost."""
        budget = self._rows.budget()
        if version is None:
            written = self._rows.insert(place, row, budget)
        else:
            written = self._rows.replace(place, row, version, budget)
        if written:
            return written
        found = self._rows.get(place, budget)
        if found is None or found.columns.get("writer") != row["writer"]:
            raise Lost(f"{place.row} was written by another")
        return found.version

    def _scheduled(self, condition: str, value: str, limit: int) -> list[Key]:
        condition = f"PartitionKey eq @part and {condition}"
        found = self._rows.find(condition, self._rows.budget(), part=layout.OPEN, value=value)
        rows = sorted(islice(found, MOST_SORTED), key=_due)
        return list(islice(self.unreadable.readable(rows, records.key_of), limit))


def _signed(row: records.Row) -> records.Row:
    return {**row, "writer": uuid.uuid4().hex}


def _due(row: Stored) -> tuple[str, str]:
    return row.columns.get("due_at", ""), row.place.row


def _entry(found: Stored) -> Entry:
    return Entry(records.continuation_of(found.columns), found.version)
