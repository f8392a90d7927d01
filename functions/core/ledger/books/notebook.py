"""Notices in any store of rows: those that wait by channel, what became of each by its subject.

What became of them lies among the shared rows, which are forgotten in time. A notice is in its
place until that is known, and what is known keeps one that is written again from being sent.
"""

from __future__ import annotations

from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING

from functions.core.kept.notice import Notice, Told
from functions.core.ledger import decoding, places, records
from functions.core.ledger.places import NOTICES, SHARED
from functions.core.ports.ledger import PAGE, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.ports.ledger import Rows, Stored

decoding.describe(Notice, Told)
NOBODY = "nobody"  # in a key, where no channel is known yet
TOLD = "told."
MOST_SHOWN = 100


class RowNoticeBook:
    """The port `NoticeBook`; the requests that a method costs are those of Table storage.

    What cannot be read is passed over, and named in `unreadable`.
    """

    def __init__(self, rows: Callable[[], Rows], unreadable: set[str]) -> None:
        self._rows = rows
        self._unreadable = unreadable

    def keep(self, notice: Notice) -> None:
        """One request."""
        copies = {"channel": notice.channel, "about": notice.about, "of": notice.of}
        row = records.row_of(copies, notice=notice)
        self._rows().put(_place(notice), row)

    def waiting(self, limit: int, channel: str | None = None) -> Sequence[Notice]:
        """One request for each thousand."""
        low, high = ("", "~") if channel is None else _range(channel)
        found = self._rows().find(NOTICES, low, high, page=min(limit, PAGE))
        return list(records.readable(islice(found, limit), _notice, self._unreadable))

    def is_told(self, notice: Notice) -> bool:
        """One request."""
        return self._rows().get(Place(SHARED, _name(notice))) is not None

    def settle(self, notice: Notice, told: Told, until: str) -> None:
        """Two requests; what is in between is known, and waits."""
        name = _name(notice)
        copies = {"name": name, "until": until, "channel": told.channel, "why": told.why}
        self._rows().put(Place(SHARED, name), records.row_of(copies, told=told))
        self.drop(notice)

    def drop(self, notice: Notice) -> None:
        """One request."""
        self._rows().drop(_place(notice))

    def of(self, of: str) -> tuple[Sequence[Told], Sequence[Notice]]:
        """Two requests."""
        rows = self._rows()
        known = islice(rows.find(SHARED, f"{TOLD}{of}.", f"{TOLD}{of}.~"), MOST_SHOWN)
        waits = islice(rows.find(NOTICES, of, of, "of"), MOST_SHOWN)
        told = sorted(records.readable(known, _told, self._unreadable), key=lambda one: one.at)
        return told, list(records.readable(waits, _notice, self._unreadable))


def _place(notice: Notice) -> Place:
    at = f"{notice.at.astimezone(UTC):%Y%m%dT%H%M%S}"
    return Place(NOTICES, f"{_part(notice.channel)}_{at}_{notice.id}")


def _range(channel: str) -> tuple[str, str]:
    part = _part(channel)
    return f"{part}_", f"{part}{places.AFTER}"


def _part(channel: str) -> str:
    return places.safe(channel or NOBODY)


def _name(notice: Notice) -> str:
    """What is known of one subject lies together; `forget` finds a row by its name."""
    return f"{TOLD}{notice.of}.{notice.id}"


def _notice(stored: Stored) -> Notice:
    return records.unpacked(stored.row, "notice", Notice)


def _told(stored: Stored) -> Told:
    return records.unpacked(stored.row, "told", Told)
