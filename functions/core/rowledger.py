"""The ledger's promises, kept with writes of single rows in any store of rows.

A continuation's row holds the truth and is written first; the row that schedules it follows.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from functions.core import places, records
from functions.core.errors import Lost
from functions.core.ledger import Claim, Entry
from functions.core.places import AFTER, ENDED, INBOX, NEXT, OPEN, PAGE, SHARED, Place, safe
from functions.core.pruning import MOST_SORTED, Pruning
from functions.core.records import LISTED
from functions.core.rowschedule import RowSchedule, key_of
from functions.core.values import Key, Letter, Shared
from functions.core.waitbook import RowWaitBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.continuation import Continuation
    from functions.core.listed import Listed
    from functions.core.places import Rows, Stored

_letter = partial(records.unpacked, part="letter", kind=Letter)


class RowLedger(RowSchedule):
    """The port `Ledger`; the requests that a method costs are those of Table storage."""

    def __init__(self, rows: Callable[[], Rows]) -> None:
        super().__init__(rows)
        self.waits = RowWaitBook(rows, self.unreadable)
        self._pruning = Pruning(rows, self.unreadable)

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

    def letters(self, limit: int, after: str = "") -> Sequence[Letter]:
        """One request per thousand letters; one that cannot be read is not counted."""
        low = f"{safe(after)}{NEXT}" if after else ""
        found = self._rows().find(INBOX, low, page=max(1, min(limit, PAGE)))
        letters = islice(self._readable(found, _letter), limit)
        return sorted(letters, key=lambda letter: (letter.received_at, letter.id))

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

        At most `limit`, the oldest first; returns how many. Three requests for each; and one for
        each thousand that are as old, five at most, of those in lists and of the others, once for
        all calls that it takes to remove what was listed.
        """
        return self._pruning.prune(before, limit)

    def forget(self, now: datetime, limit: int) -> int:
        """One request per row, and two."""
        return self._pruning.forget(now, limit)

    def _still_scheduled(self, since: datetime, limit: int) -> Iterator[Continuation]:
        """What is scheduled, the newest, as it stands now."""
        newest = sorted(self._listed(OPEN), key=_by("created_at"), reverse=True)
        keys = islice(self._readable(newest, key_of), limit)
        read = (self._rows().get(places.continuation(key)) for key in keys)
        now = self._readable(filter(None, read), records.continuation_of)
        return (c for c in now if c.is_open or c.created_at >= since)


def _entry(stored: Stored) -> Entry:
    return Entry(records.continuation_of(stored.row), stored.version)


def _written(one: Listed) -> tuple[datetime, bool]:
    return one.updated_at or one.created_at, not one.is_open


def _age(c: Continuation) -> tuple[datetime, Key]:
    return c.created_at, c.key


def _by(column: str) -> Callable[[Stored], str]:
    return lambda stored: stored.row.get(column, "")
