"""What is followed, in any store of rows: one row each, by the time at which it is looked at next.

What is not due yet is not read: a range of keys has all that is.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from functions.core.kept.summary import Followed
from functions.core.ledger import places, records
from functions.core.ledger.places import FOLLOWED, MOST_SORTED
from functions.core.ports.ledger import PAGE, Place
from functions.core.terms.errors import Lost
from functions.core.terms.runs import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Summary
    from functions.core.ports.ledger import Rows, Stored

LATELY = timedelta(minutes=5)


class RowFollowBook:
    """The port `FollowBook`; the requests that a method costs are those of Table storage.

    What cannot be read is passed over, and named in `unreadable`.
    """

    def __init__(self, rows: Callable[[], Rows], unreadable: set[str]) -> None:
        self._rows = rows
        self._unreadable = unreadable

    def follow(self, one: Followed) -> None:
        """One request."""
        self._rows().put(_place(one), _row(one))

    def move(self, one: Followed, to: Followed) -> None:
        """One request; another where somebody was first."""
        if _place(to) == _place(one):
            self._rows().put(_place(to), _row(to))
        else:
            with suppress(Lost):
                self._rows().move(_place(one), _place(to), _row(to))

    def drop(self, one: Followed) -> None:
        """One request."""
        self._rows().drop(_place(one))

    def due(self, now: datetime, limit: int) -> Sequence[Followed]:
        """One request per thousand that are due, and where there are more than that another."""
        found = self._between("", now, limit)
        if len(found) == limit:
            found = [*found, *self._between(_text(now - LATELY), now, limit)]
        return list({_place(one): one for one in found}.values())

    def keys(self) -> frozenset[Key] | None:
        """One request per thousand, five at most."""
        found = list(islice(self._rows().find(FOLLOWED, only=records.KEY_COLUMNS), MOST_SORTED))
        read = records.readable(found, _key, self._unreadable)
        return frozenset(read) if len(found) < MOST_SORTED else None

    def lately(self, since: datetime) -> Sequence[Summary]:
        """One request."""
        high = places.newest_first(since) + places.AFTER
        found = self._rows().find(places.ENDED, high=high, only=records.LISTED)
        first = islice(found, PAGE)
        return list(records.readable(first, _listed, self._unreadable))

    def show(self, c: Continuation) -> None:
        """One request."""
        self._rows().put(places.ended(c), records.continuation_row(c))

    def _between(self, low: str, now: datetime, limit: int) -> list[Followed]:
        found = self._rows().find(FOLLOWED, low, _text(now) + places.AFTER, page=min(limit, PAGE))
        return list(records.readable(islice(found, limit), _followed, self._unreadable))


def _place(one: Followed) -> Place:
    """By the second, so that who looks at the same time puts it at the same place."""
    return Place(FOLLOWED, f"{_text(one.due_at)}_{places.continuation(one.key).key}")


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}"


def _row(one: Followed) -> dict[str, str]:
    return records.row_of({"run": one.key.run, "route": one.key.route}, key=one.key, followed=one)


def _key(stored: Stored) -> Key:
    return records.unpacked(stored.row, "key", Key)


def _followed(stored: Stored) -> Followed:
    return records.unpacked(stored.row, "followed", Followed)


def _listed(stored: Stored) -> Summary:
    return records.listed_of(stored.row)
