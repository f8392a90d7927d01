"""The listing of what ended, by day, and with it what is still open."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.adapters.tables import layout
from functions.adapters.tables.rows import PAGE
from functions.core import columns, records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.adapters.tables.budget import Budget
    from functions.adapters.tables.rows import Rows, Stored
    from functions.core.continuation import Continuation
    from functions.core.unreadable import PassedOver

MOST_SORTED = 5 * PAGE  # rows looked at to find the first; those beyond are left to chance


class Listing:
    """Copies of ended continuations, one partition per day, and one row that names each day."""

    def __init__(self, rows: Rows, passed_over: PassedOver) -> None:
        self._rows = rows
        self._passed_over = passed_over

    def add(self, c: Continuation, budget: Budget) -> None:
        """Two requests: the day first, so that no row is on a day that is not known."""
        place = layout.listed(c)
        self._rows.put(layout.day(c.created_at), {"day": place.partition}, budget)
        self._rows.put(place, records.continuation_row(c), budget)

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """Open ones first, then what ended, until the limit; all in all newest first."""
        known = {c.key: c for c in self._scheduled(since, limit)}
        for c in self._listed(since, limit):
            if len(known) >= limit:
                break
            known.setdefault(c.key, c)
        return sorted(known.values(), key=lambda c: (c.created_at, c.key), reverse=True)

    def prune(self, before: datetime, limit: int) -> int:
        """Forget what ended, the oldest day first; how many that were."""
        removed = 0
        for day in self._days_before(before):
            listed = self._rows.between(day.columns["day"], "", layout.AFTER, page=limit - removed)
            rows = list(islice(listed, limit - removed))
            removed += sum(self._forgotten(row, before) for row in rows)
            if not rows:
                self._rows.drop(day.place, self._rows.budget())
            if removed >= limit:
                break
        return removed

    def _scheduled(self, since: datetime, limit: int) -> Iterator[Continuation]:
        """What is scheduled, the newest, as it stands now."""
        found = self._rows.find("PartitionKey eq @part", self._rows.budget(), part=layout.OPEN)
        rows = sorted(islice(found, MOST_SORTED), key=_claimed, reverse=True)
        keys = list(islice(self._passed_over.readable(rows, records.key_of), limit))
        read = (self._rows.get(layout.continuation(key), self._rows.budget()) for key in keys)
        truths = (row for row in read if row is not None)
        for c in self._passed_over.readable(truths, records.continuation_of):
            if c.is_open or c.created_at >= since:
                yield c

    def _listed(self, since: datetime, limit: int) -> Iterator[Continuation]:
        """What is listed of the days since then, newest first."""
        last = layout.newest_first(since) + layout.AFTER
        for day in self._rows.between(layout.DAYS, "", layout.day(since).row + layout.AFTER):
            rows = self._rows.between(day.columns["day"], "", last, page=limit)
            yield from self._passed_over.readable(rows, records.continuation_of)

    def _days_before(self, before: datetime) -> list[Stored]:
        begin = layout.day(before).row + layout.AFTER
        return list(self._rows.between(layout.DAYS, begin, layout.AFTER))[::-1]

    def _forgotten(self, row: Stored, before: datetime) -> bool:
        """Whether it was removed: not if it is open again, was touched since, or is unreadable."""
        for c in self._passed_over.readable([row], records.continuation_of):
            budget = self._rows.budget()
            truth = self._rows.get(layout.continuation(c.key), budget)
            if truth is None or _ended(truth, before):
                if truth:
                    self._rows.drop(truth.place, budget, truth.version)
                self._rows.drop(row.place, budget)
                return True
        return False


def _claimed(row: Stored) -> tuple[str, str]:
    return row.columns.get("created_at", ""), row.place.row


def _ended(truth: Stored, before: datetime) -> bool:
    is_old = truth.columns.get("updated_at", "") < columns.time_text(before)
    return is_old and truth.columns.get("state") != "open"
