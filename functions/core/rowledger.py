"""The ledger's promises, kept with writes of single rows in any store of rows.

A continuation's row holds the truth and is written first; the row that schedules it follows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from functions.core import lists, places, pruning, records
from functions.core.errors import Lost
from functions.core.ledger import Backlog, Claim, Entry
from functions.core.places import INBOX, OPEN, SHARED, WAITS, Place, safe
from functions.core.pruning import MOST_SORTED
from functions.core.values import Key, Letter, Shared, State, parse_time
from functions.core.waitbook import RowWaitBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from functions.core.continuation import Continuation
    from functions.core.listed import Listed
    from functions.core.places import Rows, Stored
    from functions.core.records import Row


T = TypeVar("T")

_STATES = frozenset(State)
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
        """One request, two if it is refused.

        Raises Unreadable for a row in a state that this version does not know.
        """
        records.check_state(entry.continuation)
        place, row = places.continuation(changed.key), records.continuation_row(changed)
        return Entry(changed, self._rows().replace(place, row, entry.version))

    def schedule(self, continuation: Continuation) -> None:
        """One request."""
        row = records.schedule_row(continuation)
        self._rows().put(places.scheduled(continuation.key), row)

    def due(self, now: datetime, limit: int) -> Sequence[Key]:
        """One request per thousand that are due, five at most."""
        return self._scheduled("", records.time_text(now), "due_at", limit)

    def put_off(self, key: Key, until: datetime) -> None:
        """Two requests."""
        rows, place = self._rows(), places.scheduled(key)
        if stored := rows.get(place):
            rows.put(place, {**stored.row, "due_at": records.time_text(until)})

    def backlog(self) -> Backlog:
        """One request per thousand that are scheduled, five at most."""
        listed = self._listed(OPEN)
        since = sorted(filter(None, (stored.row.get("open_since") for stored in listed)))
        oldest = parse_time(since[0]) if since else None
        return Backlog(len(since), oldest, len(listed) < MOST_SORTED)

    def waiting_on(self, name: str, limit: int) -> Sequence[Key]:
        """One request per thousand that wait, five at most."""
        return self._scheduled(safe(name), safe(name), "waits_on", limit)

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
            if c.state.may_be_open:
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
        return lists.recent(self._rows(), since, limit, self.unreadable)

    def listed(self, since: datetime, limit: int) -> Sequence[Listed]:
        """One request per thousand that are scheduled, five at most, and as many of the ended."""
        return lists.listed(self._rows(), since, limit, self.unreadable)

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

    def _scheduled(self, low: str, high: str, column: str, limit: int) -> list[Key]:
        found = sorted(self._listed(OPEN, low, high, column), key=_by("due_at"))
        return list(islice(self._readable(filter(self._is_ours, found), _key), limit))

    def _is_ours(self, stored: Stored) -> bool:
        """Whether this version knows its state; what it does not know stays due as it is."""
        state = stored.row.get("state", State.OPEN)
        known = state in _STATES
        if not known and len(self.unreadable) < records.MOST_NAMED:
            self.unreadable.add(records.unknown_state(_named(stored), state))
        return known

    def _listed(self, *where: str) -> list[Stored]:
        return list(islice(self._rows().find(*where), MOST_SORTED))

    def _readable(self, found: Iterable[Stored], read: Callable[[Row], T]) -> Iterator[T]:
        return records.readable(found, lambda stored: read(stored.row), self.unreadable)


def _entry(stored: Stored) -> Entry:
    return Entry(records.continuation_of(stored.row), stored.version)


def _named(stored: Stored) -> str:
    return "/".join(stored.row.get(part, "?") for part in ("route", "run", "outcome"))


def _age(c: Continuation) -> tuple[datetime, Key]:
    return c.created_at, c.key


def _by(column: str) -> Callable[[Stored], str]:
    return lambda stored: stored.row.get(column, "")
