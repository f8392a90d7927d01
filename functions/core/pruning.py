"""What ended long ago leaves the ledger: the row that holds the truth, and that which lists it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.core import places, records
from functions.core.places import AFTER, ENDED, PASSED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.core.continuation import Continuation
    from functions.core.places import Rows, Stored
    from functions.core.values import Key

MOST_SORTED = 5000  # rows looked at to find the first; those beyond are left to chance


def prune(rows: Rows, before: datetime, limit: int, unreadable: set[str]) -> int:
    """See `functions.core.rowledger.RowLedger.prune`."""
    removed = sum(islice(_old(rows, before, unreadable), limit))
    return removed + sum(islice(_passed_over(rows, before, unreadable), limit - removed))


def _old(rows: Rows, before: datetime, unreadable: set[str]) -> Iterator[int]:
    listed = _oldest(rows, ENDED, before)
    for c in records.readable(listed, lambda s: records.continuation_of(s.row), unreadable):
        if _is_removed(rows, c.key, before, unreadable, c):
            rows.drop(places.ended(c))
            yield 1


def _passed_over(rows: Rows, before: datetime, unreadable: set[str]) -> Iterator[int]:
    """Their rows go in any case: who has claimed the run since is listed as what it became."""
    listed = _oldest(rows, PASSED, before)
    for one in records.readable(listed, lambda s: records.listed_of(s.row), unreadable):
        _is_removed(rows, one.key, before, unreadable)
        rows.drop(places.passed(one))
        yield 1


def _oldest(rows: Rows, partition: str, before: datetime) -> list[Stored]:
    found = rows.find(partition, places.newest_first(before) + AFTER)
    return list(islice(found, MOST_SORTED))[::-1]


def _is_removed(
    rows: Rows, key: Key, before: datetime, unreadable: set[str], gone: Continuation | None = None
) -> bool:
    """Remove the truth if it is that old; `gone`: what to go by where there is none any more."""
    place = places.continuation(key)
    truth = rows.get(place)
    read = records.readable(
        [truth] if truth else [], lambda s: records.continuation_of(s.row), unreadable
    )
    for last in read if truth else filter(None, [gone]):
        if not last.state.may_be_open and last.updated_at < before:
            if truth:
                rows.drop(place, truth.version)
            return True
    return False
