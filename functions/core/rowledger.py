"""The ledger's promises, kept with writes of single rows in any store of rows.

A continuation's row holds the truth and is written first; the row that schedules it follows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from functions.core import places, pruning, records
from functions.core.errors import Lost
from functions.core.ledger import Backlog, Claim, Entry
from functions.core.places import AFTER, ENDED, INBOX, OPEN, SHARED, WAITS, Place, safe, unsafe
from functions.core.pruning import MOST_SORTED
from functions.core.records import KEY_COLUMNS, LISTED
from functions.core.values import Key, Letter, Shared, parse_time
from functions.core.waitbook import RowWaitBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from functions.core.continuation import Continuation
    from functions.core.listed import Listed
    from functions.core.places import Rows, Stored
    from functions.core.records import Row

MOST_IN_LINE = 30_000  # rows looked at to find who has waited longest; the time of one call
LINED_UP = ("open_since", *KEY_COLUMNS)

T = TypeVar("T")

_key = partial(records.unpacked, part="key", kind=Key)
_letter = partial(records.unpacked, part="letter", kind=Letter)


class RowLedger:
    """The port `Ledger`; the requests that a method costs are those of Table storage.

    `unreadable` tells of rows that were passed over since this version cannot read them.
    """

    def __init__(self, rows: Callable[[], Rows]) -> None:
        self._rows = rows
        self.unreadable: set[str] = set()
        self.waits = RowWaitBook(rows, self.unreadable)

    def claim(self, new: Continuation) -> Claim:
        """Two requests if it is fresh, else two if it has ended and three if it is open."""
        rows, row = self._rows(), records.continuation_row(new)
        stored, fresh = rows.insert(places.continuation(new.key), row)
        entry = Entry(new, stored.version) if fresh else _entry(stored)
        if entry.continuation.is_open:
            rows.put(places.scheduled(new.key), records.schedule_row(entry.continuation))
        return Claim(entry, fresh)

    def record(self, ended: Continuation) -> Claim:
        """Two requests if it is fresh or is claimed, else three."""
        rows = self._rows()
        stored, fresh = rows.insert(places.continuation(ended.key), records.continuation_row(ended))
        entry = Entry(ended, stored.version) if fresh else _entry(stored)
        if entry.continuation.was_passed_over:  # who wrote it may have died before this
            key = records.schedule_row(entry.continuation)
            rows.put(places.passed(entry.continuation), key)
        return Claim(entry, fresh)

    def read(self, key: Key) -> Entry | None:
        """One request."""
        stored = self._rows().get(places.continuation(key))
        return _entry(stored) if stored else None

    def write(self, entry: Entry, changed: Continuation) -> Entry:
        """One request, two if it is refused."""
        place, row = places.continuation(changed.key), records.continuation_row(changed)
        return Entry(changed, self._rows().replace(place, row, entry.version))

    def schedule(self, continuation: Continuation) -> None:
        """One request."""
        row = records.schedule_row(continuation)
        self._rows().put(places.scheduled(continuation.key), row)

    def due(self, now: datetime, limit: int) -> Sequence[Key]:
        """One request per thousand that are due, five at most."""
        return self._scheduled("", records.time_text(now), "due_at", limit)

    def put_off(self, key: Key, until: datetime, *, waits: bool = True) -> None:
        """Two requests."""
        rows, place = self._rows(), places.scheduled(key)
        if stored := rows.get(place):
            row = {**stored.row, "due_at": records.time_text(until)}
            rows.put(place, row if waits else {n: row[n] for n in row if n != "waits_on"})

    def backlog(self) -> Backlog:
        """One request per thousand that are scheduled, five at most."""
        found = self._rows().find(OPEN, only=("open_since", "waits_on"))
        listed = [stored.row for stored in islice(found, MOST_SORTED)]
        since = sorted(filter(None, (row.get("open_since") for row in listed)))
        oldest = parse_time(since[0]) if since else None
        awaited = frozenset(unsafe(row["waits_on"]) for row in listed if "waits_on" in row)
        return Backlog(len(since), oldest, len(listed) < MOST_SORTED, awaited)

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """One request per thousand that wait, thirty at most."""
        waiting = islice(self._waiting(name), MOST_IN_LINE)
        first = nsmallest(limit, waiting, lambda stored: _claimed(stored.row))
        return list(self._readable(first, _key))

    def is_awaited(self, name: str, but: Key) -> bool:
        """One request."""
        first = islice(self._waiting(name), 2)
        return any(key != but for key in self._readable(first, _key))

    def retire(self, key: Key) -> None:
        """Four requests, two if it is open by now.

        The schedule is read before the truth and removed only in that version: who claims or
        replays the continuation meanwhile writes the truth first and then the schedule.
        """
        rows = self._rows()
        scheduled = rows.get(places.scheduled(key))
        truth = rows.get(places.continuation(key))
        if truth:
            c = _entry(truth).continuation
            if c.is_open:
                return
            rows.put(places.ended(c), truth.row)
        if scheduled:
            rows.drop(places.scheduled(key), scheduled.version)

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """One request."""
        found = self._rows().find(*places.of_run(workspace, run))
        return sorted(self._readable(found, records.continuation_of), key=_age)

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """One request for the schedule, one per scheduled row, one per thousand that ended."""
        known = {c.key: c for c in self._still_scheduled(since, limit)}
        high = places.newest_first(since) + AFTER
        found = self._rows().find(ENDED, high=high)
        ended = self._readable(found, records.continuation_of)
        others = (c for c in ended if c.key not in known)
        chosen = [*known.values(), *islice(others, limit - len(known))]
        return sorted(chosen, key=_age, reverse=True)

    def listed(self, since: datetime, limit: int) -> Sequence[Listed]:
        """One request per thousand that are scheduled, five at most, and per thousand that ended.

        A row of the schedule may have been replaced by that of the end, or the other way round:
        what was written last counts.
        """
        rows, high = self._rows(), places.newest_first(since) + AFTER
        scheduled = islice(rows.find(OPEN, only=LISTED), MOST_SORTED)
        latest = {one.key: one for one in self._readable(scheduled, records.listed_of)}
        ended = self._readable(rows.find(ENDED, high=high, only=LISTED), records.listed_of)
        for one in islice(ended, limit):
            latest[one.key] = max(one, latest.get(one.key, one), key=_written)
        newest = sorted(latest.values(), key=lambda one: (one.created_at, one.key), reverse=True)
        others = (one for one in newest if not one.is_open and one.created_at >= since)
        chosen = {one.key for one in islice(others, limit)}
        return [one for one in newest if one.is_open or one.key in chosen]

    def keep(self, letter: Letter) -> None:
        """One request, two if it is there."""
        place = Place(INBOX, safe(letter.id))
        self._rows().insert(place, records.letter_row(letter))

    def letters(self, limit: int) -> Sequence[Letter]:
        """One request per thousand letters, five at most."""
        letters = self._readable(self._listed(INBOX), _letter)
        return sorted(letters, key=lambda letter: (letter.received_at, letter.id))[:limit]

    def discard(self, letter_id: str) -> None:
        """One request."""
        self._rows().drop(Place(INBOX, safe(letter_id)))

    def shared(self, name: str) -> Shared:
        """One request."""
        stored = self._rows().get(Place(SHARED, safe(name)))
        if stored is None:
            return Shared(name, {}, None)
        return Shared(name, records.unpacked(stored.row, "value", dict), stored.version)

    def share(self, row: Shared, value: Mapping[str, object]) -> Shared:
        """One request, two if it is refused."""
        place, columns = Place(SHARED, safe(row.name)), records.shared_row(row.name, value)
        if row.version is not None:
            return Shared(row.name, dict(value), self._rows().replace(place, columns, row.version))
        stored, fresh = self._rows().insert(place, columns)
        if not fresh:
            raise Lost(f"{place.key} was written by another")
        return Shared(row.name, dict(value), stored.version)

    def prune(self, before: datetime, limit: int) -> int:
        """Remove what was claimed before then, has ended, and was not written since.

        At most `limit`, the oldest first; returns how many. Three requests for each, and one
        for each thousand that are as old, five at most, of those in lists and of the others.
        """
        return pruning.prune(self._rows(), before, limit, self.unreadable)

    def forget(self, now: datetime, limit: int) -> int:
        """One request per row, and one for each thousand, five at most."""
        rows, first = self._rows(), records.time_text(datetime.min.replace(tzinfo=UTC))
        forgotten = 0
        for partition in (SHARED, WAITS):
            for stored in self._listed(partition, first, records.time_text(now), "until"):
                if forgotten < limit:
                    rows.drop(Place(partition, safe(stored.row["name"])), stored.version)
                    forgotten += 1
        return forgotten

    def _waiting(self, name: str) -> Iterator[Stored]:
        return self._rows().find(OPEN, safe(name), safe(name), "waits_on", only=LINED_UP)

    def _still_scheduled(self, since: datetime, limit: int) -> Iterator[Continuation]:
        """What is scheduled, the newest, as it stands now."""
        newest = sorted(self._listed(OPEN), key=_by("created_at"), reverse=True)
        keys = islice(self._readable(newest, _key), limit)
        read = (self._rows().get(places.continuation(key)) for key in keys)
        now = self._readable(filter(None, read), records.continuation_of)
        return (c for c in now if c.is_open or c.created_at >= since)

    def _scheduled(self, low: str, high: str, column: str, limit: int) -> list[Key]:
        found = sorted(self._listed(OPEN, low, high, column), key=_by("due_at"))
        return list(islice(self._readable(found, _key), limit))

    def _listed(self, *where: str) -> list[Stored]:
        return list(islice(self._rows().find(*where), MOST_SORTED))

    def _readable(self, found: Iterable[Stored], read: Callable[[Row], T]) -> Iterator[T]:
        return records.readable(found, lambda stored: read(stored.row), self.unreadable)


def _entry(stored: Stored) -> Entry:
    return Entry(records.continuation_of(stored.row), stored.version)


def _written(one: Listed) -> tuple[datetime, bool]:
    return one.updated_at or one.created_at, not one.is_open


def _age(c: Continuation) -> tuple[datetime, Key]:
    return c.created_at, c.key


def _claimed(row: Row) -> tuple[str, str]:
    """When it was claimed, or replayed last; and what decides between those of one moment."""
    return row.get("open_since", ""), row.get("key", "")


def _by(column: str) -> Callable[[Stored], str]:
    return lambda stored: stored.row.get(column, "")
