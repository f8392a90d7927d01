"""The schedule in any store of rows: who is due, who waits for what, and how many are open."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from functions.core.ledger import places, records
from functions.core.ledger.places import MOST_SORTED, OPEN, safe, unsafe
from functions.core.ledger.records import KEY_COLUMNS
from functions.core.ports.ledger import PAGE, Backlog
from functions.core.terms.errors import Lost
from functions.core.terms.policy import CLOCKS_DIFFER
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from functions.core.texts.bounds import meant
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Row, Rows, Stored
    from functions.core.terms.deadline import Since
    from functions.core.terms.part import Part

MOST_IN_LINE = 30_000  # rows looked at to find who has waited longest: the time of one call
GOLDEN = 0x9E37  # odd: its multiples spread evenly over four hex digits, at each minute another
COUNTED = ("open_since", "waits_on", "reason", "due_at", "updated_at", "state", *records.NAMED_BY)
LINED_UP = ("open_since", "state", "outcome", *KEY_COLUMNS)

T = TypeVar("T")
_WORDS = frozenset[str]((*State, *Outcome))
key_of = partial(records.unpacked, part="key", kind=Key)


class RowSchedule:
    """What the port `Ledger` says of the schedule.

    `unreadable` tells of rows that were passed over since this version cannot read them.
    """

    def __init__(self, rows: Callable[[], Rows]) -> None:
        self._rows = rows
        self.unreadable: set[str] = set()

    def schedule(self, continuation: Continuation, since: Since | None = None) -> None:
        """One request, unless it was written, or read, `since` then, and that is long ago.

        Who stood still meanwhile says what was so then: what another has started by now would stand
        there as waiting, for hours, and nobody would follow it until then. So it is read once more:
        another request, and one where it does stand otherwise.
        """
        row = records.schedule_row(continuation)
        self._rows().put(places.scheduled(continuation.key), row)
        if since and since.is_long:
            since = since.anew()
            stored = self._rows().get(places.continuation(continuation.key))
            if stored and (stands := records.continuation_of(stored.row)) != continuation:
                self.schedule(stands, since)

    def due(self, now: datetime, limit: int, part: Part | None = None) -> Sequence[Key]:
        """One request per thousand that are due, five at most.

        Where more are due, as many from another place of the schedule at each minute: those that
        fail again and again are due sooner than all are tried, and must not hide the others.
        """
        high = records.time_text(now)
        begin, end = part.keys if part else ("", "")
        found = self._listed(high, (begin, end))
        if len(found) == MOST_SORTED:
            turn = int(now.timestamp()) // 60 * GOLDEN % 0x10000
            found += self._listed(high, (part.place(turn) if part else f"{turn:04x}", end))
        ordered = sorted(filter(self._is_ours, found), key=_by("due_at"))
        return list(islice(dict.fromkeys(self._readable(ordered, key_of)), limit))

    def parts_due(self, now: datetime, of: int) -> Sequence[Part]:
        """One request for each part."""
        from functions.core.terms.part import parts  # noqa: PLC0415 - for timers, not for events

        high, rows = records.time_text(now), self._rows()
        only = partial(rows.find, OPEN, "", high, "due_at", ("due_at",), 1)
        return [part for part in parts(of) if any(only(part.keys))]

    def put_off(self, key: Key, until: datetime, *, waits: bool = True) -> None:
        """Two requests, three where another wrote it meanwhile, who knows more."""
        rows, place = self._rows(), places.scheduled(key)
        if stored := rows.get(place):
            row = {**stored.row, "due_at": records.time_text(until)}
            kept = row if waits else {n: row[n] for n in row if n != "waits_on"}
            with suppress(Lost):
                rows.replace(place, kept, stored.version)

    def backlog(self, now: datetime, ended: Collection[Key] = ()) -> Backlog:
        """One request per thousand that are scheduled, five at most."""
        found = self._rows().find(OPEN, only=COUNTED)
        listed = [stored.row for stored in islice(found, MOST_SORTED)]
        gone = {tuple(records.named(key).values()) for key in ended}
        waits = (r for r in listed if not (_is_elsewhere(r, now) or _named_by(r) in gone))
        since = sorted(filter(None, (row.get("open_since") for row in waits)))
        oldest = parse_time(since[0]) if since else None
        awaited = frozenset(unsafe(row["waits_on"]) for row in listed if "waits_on" in row)
        ahead = frozenset(_key_of(row) for row in listed if _is_ahead(row, now))
        return Backlog(len(since), oldest, len(listed) < MOST_SORTED, awaited, ahead)

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """One request per thousand that wait, thirty at most."""
        return [key for _, key in nsmallest(limit, islice(self._waiting(name), MOST_IN_LINE))]

    def is_awaited(self, name: str, but: Key | None = None) -> bool:
        """One request, for two rows."""
        return any(key != but for _, key in islice(self._waiting(name, page=2), 2))

    def awaited(self, begins: str) -> Collection[str]:
        """One request per thousand that wait so, thirty at most."""
        low = safe(begins)
        found = self._rows().find(OPEN, low, f"{low}~", "waits_on", only=("waits_on",))
        return {unsafe(stored.row["waits_on"]) for stored in islice(found, MOST_IN_LINE)}

    def _waiting(self, name: str, page: int = PAGE) -> Iterator[tuple[str, Key]]:
        """Since when each waits, as it was claimed or replayed last, and its key."""
        found = self._rows().find(
            OPEN, safe(name), safe(name), "waits_on", only=LINED_UP, page=page
        )
        ours = filter(self._is_ours, found)
        return self._readable(ours, lambda row: (row.get("open_since", ""), key_of(row)))

    def _is_ours(self, stored: Stored) -> bool:
        """Whether this version knows its words; what it does not know stays due as it is."""
        words = (stored.row.get("state", State.OPEN), stored.row.get("outcome", Outcome.COMPLETED))
        strange = next((word for word in words if word not in _WORDS), None)
        if strange is not None and len(self.unreadable) < records.MOST_NAMED:
            self.unreadable.add(records.unknown_word(_named(stored), strange))
        return strange is None

    def _listed(self, high: str, within: tuple[str, str]) -> list[Stored]:
        found = self._rows().find(OPEN, "", high, "due_at", within=within)
        return list(islice(found, MOST_SORTED))

    def _readable(self, found: Iterable[Stored], read: Callable[[Row], T]) -> Iterator[T]:
        return records.readable(found, lambda stored: read(stored.row), self.unreadable)


def _is_elsewhere(row: Row, now: datetime) -> bool:
    """Whether a process has it, whose lease goes on, or it waits for runs that may still come."""
    not_by_us = row.get("reason") in {Reason.WORKING, Reason.INCOMPLETE}
    return not_by_us and row.get("due_at", "") > records.time_text(now)


def _named_by(row: Row) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in records.NAMED_BY)


def _is_ahead(row: Row, now: datetime) -> bool:
    """Whether a clock that was wrong wrote it; not of what another version alone knows."""
    told, words = row.get("updated_at", ""), {row.get("state"), row.get("outcome")}
    at = parse_time(told) if told > records.time_text(now) else None
    return at is not None and at - CLOCKS_DIFFER > now and words <= _WORDS


def _key_of(row: Row) -> Key:
    named = {name: meant(row.get(name, "")) for name in records.NAMED_BY}
    return Key(named["workspace"], named["run"], Outcome(named["outcome"]), named["route"])


def _named(stored: Stored) -> str:
    return "/".join(stored.row.get(part, "?") for part in ("route", "run", "outcome"))


def _by(column: str) -> Callable[[Stored], str]:
    return lambda stored: stored.row.get(column, "")
