"""What ended long ago leaves the ledger: the row that holds the truth, and that which lists it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from functions.core.ledger import places, records
from functions.core.ledger.places import AFTER, ENDED, MOST_SORTED, PASSED, SHARED, WAITS, safe
from functions.core.ledger.records import LISTED
from functions.core.ports.ledger import PAGE, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary
    from functions.core.ports.ledger import Row, Rows, Stored

T = TypeVar("T")


class Pruning:
    """Removes what is old, some at a time: what was listed for one call serves those after it."""

    def __init__(self, rows: Callable[[], Rows], unreadable: set[str]) -> None:
        self._rows = rows
        self._unreadable = unreadable
        self._listed: dict[str, tuple[datetime, list[Summary]]] = {}

    def prune(self, before: datetime, limit: int) -> int:
        """See `functions.core.ledger.rowledger.RowLedger.prune`."""
        rows, removed = self._rows(), 0
        for partition, remove in ((ENDED, self._ended), (PASSED, self._passed_over)):
            listed = self._left(rows, partition, before) if removed < limit else []
            while listed and removed < limit:
                removed += remove(rows, listed.pop(), before)
        return removed

    def forget(self, now: datetime, limit: int) -> int:
        """See `functions.core.ledger.rowledger.RowLedger.forget`."""
        rows, ever = self._rows(), records.time_text(datetime.min.replace(tzinfo=UTC))
        left = limit
        for partition in (SHARED, WAITS):
            until, page = records.time_text(now), max(1, min(left, PAGE))
            for stored in islice(rows.find(partition, ever, until, "until", page=page), left):
                rows.drop(Place(partition, safe(stored.row["name"])), stored.version)
                left -= 1
        return limit - left

    def _left(self, rows: Rows, partition: str, before: datetime) -> list[Summary]:
        """What was listed as older and not looked at since, the oldest last; else listed anew.

        What its own list says was heard of since is none of it: whose pipelines run for long are
        so many, claimed just before then, that nothing older would ever be among those listed.
        """
        of, left = self._listed.get(partition, (before, []))
        if not left or of != before:
            found = rows.find(partition, places.newest_first(before) + AFTER, only=LISTED)
            told = self._readable(found, records.listed_of)
            left = list(islice((one for one in told if _is_as_old(one, before)), MOST_SORTED))
            self._listed[partition] = before, left
        return left

    def _ended(self, rows: Rows, one: Summary, before: datetime) -> bool:
        if removed := self._is_removed(rows, one, before):
            rows.drop(places.ended(one))
        return removed

    def _passed_over(self, rows: Rows, one: Summary, before: datetime) -> bool:
        """Its row goes in any case: who has claimed the run since is listed as what it became."""
        self._is_removed(rows, one, before)
        rows.drop(places.passed(one))
        return True

    def _is_removed(self, rows: Rows, one: Summary, before: datetime) -> bool:
        """Remove the truth if it has ended and was not written since; it may be gone already."""
        place = places.continuation(one.key)
        if (truth := rows.get(place)) is None:
            return not one.state.may_be_open
        for c in self._readable([truth], records.continuation_of):
            if not c.state.may_be_open and _last_heard_of(c) < before:
                rows.drop(place, truth.version)
                return True
        return False

    def _readable(self, found: Iterable[Stored], read: Callable[[Row], T]) -> Iterator[T]:
        return records.readable(found, lambda stored: read(stored.row), self._unreadable)


def _last_heard_of(c: Continuation) -> datetime:
    """When it was written, or its run ended: a clock that was wrong may have told the former."""
    return max(c.updated_at, c.event.time or c.updated_at)


def _is_as_old(one: Summary, before: datetime) -> bool:
    """The same of what a list says, which may be behind."""
    written = one.updated_at or one.created_at
    return max(written, one.run_ended_at or written) < before
