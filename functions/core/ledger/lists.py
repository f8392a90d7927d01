"""Lists of continuations: what is scheduled, what ended, and all that was written lately."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.core.kept.summary import Listed
from functions.core.ledger import places, records
from functions.core.ledger.places import AFTER, ENDED, MOST_SORTED, OPEN
from functions.core.ledger.records import LISTED
from functions.core.terms.runs import Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary
    from functions.core.ports.ledger import Rows, Stored


def recent(rows: Rows, since: datetime, limit: int, unreadable: set[str]) -> Sequence[Continuation]:
    """See `functions.core.ports.ledger.Ledger.recent`."""
    known = {c.key: c for c in _still_scheduled(rows, since, limit, unreadable)}
    found = rows.find(ENDED, high=places.newest_first(since) + AFTER)
    ended = records.readable(found, _continuation, unreadable)
    others = (c for c in ended if c.key not in known)
    chosen = [*known.values(), *islice(others, limit - len(known))]
    return sorted(chosen, key=lambda c: (c.created_at, c.key), reverse=True)


def listed(
    rows: Rows, since: datetime, limit: int, unreadable: set[str], route: str = ""
) -> Listed:
    """See `functions.core.ports.ledger.Ledger.listed`.

    A row of the schedule may have been replaced by that of the end, or the other way round:
    what was written last counts.
    """
    high = places.newest_first(since) + AFTER
    if route:
        waits = rows.find(OPEN, route, route, "route", LISTED)
        others = rows.find(ENDED, route, route, "route", LISTED, within=("", high))
    else:
        waits, others = rows.find(OPEN, only=LISTED), rows.find(ENDED, high=high, only=LISTED)
    scheduled = list(islice(waits, MOST_SORTED))
    latest = {one.key: one for one in records.readable(scheduled, _listed, unreadable)}
    ended = records.readable(others, _listed, unreadable)
    for one in islice(ended, limit):
        latest[one.key] = max(one, latest.get(one.key, one), key=_written)
    newest = sorted(latest.values(), key=lambda one: (one.created_at, one.key), reverse=True)
    rest = (o for o in newest if not o.state.may_be_open and o.created_at >= since)
    chosen = {one.key for one in islice(rest, limit)}
    those = (one for one in newest if one.state.may_be_open or one.key in chosen)
    return Listed(those, whole=len(scheduled) < MOST_SORTED)


def written(
    rows: Rows, since: datetime, shelf: int, unreadable: set[str]
) -> Sequence[Continuation]:
    """See `functions.core.ports.ledger.Ledger.written`.

    It reads the truth alone: lists are told late, and have nothing of a run that was passed over.
    """
    found = rows.find(places.shelf(shelf), records.time_text(since), column="updated_at")
    return list(records.readable(found, _continuation, unreadable))


def _still_scheduled(
    rows: Rows, since: datetime, limit: int, unreadable: set[str]
) -> Iterator[Continuation]:
    """What is scheduled, the newest, as it stands now."""
    found = islice(rows.find(OPEN), MOST_SORTED)
    newest = sorted(found, key=lambda stored: stored.row.get("created_at", ""), reverse=True)
    keys = islice(records.readable(newest, _key, unreadable), limit)
    read = (rows.get(places.continuation(key)) for key in keys)
    now = records.readable(filter(None, read), _continuation, unreadable)
    return (c for c in now if c.state.may_be_open or c.created_at >= since)


def _key(stored: Stored) -> Key:
    return records.unpacked(stored.row, "key", Key)


def _continuation(stored: Stored) -> Continuation:
    return records.continuation_of(stored.row)


def _listed(stored: Stored) -> Summary:
    return records.listed_of(stored.row)


def _written(one: Summary) -> tuple[datetime, bool]:
    return one.updated_at or one.created_at, not one.is_open
