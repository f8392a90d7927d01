"""The ledger's promises, kept with writes of single rows in any store of rows.

A continuation's row holds the truth and is written first; the row that schedules it follows.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.core.ledger import places, records
from functions.core.ledger.places import INBOX, MOST_SORTED, NEXT, SHARED, safe
from functions.core.ledger.rowschedule import RowSchedule
from functions.core.ports.ledger import PAGE, Claim, Entry, Inbox, Place, Shared
from functions.core.terms.errors import Lost
from functions.core.terms.words import State
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.letter import Letter
    from functions.core.kept.summary import Listed
    from functions.core.ledger.pruning import Pruning
    from functions.core.ports.following import FollowBook
    from functions.core.ports.ledger import Rows, Stored
    from functions.core.ports.notices import NoticeBook
    from functions.core.ports.waits import WaitBook
    from functions.core.terms.runs import Key


class RowLedger(RowSchedule):
    """The port `Ledger`; the requests that a method costs are those of Table storage.

    `patient`: the same rows for a call that may take long, since nobody waits for it.
    """

    def __init__(self, rows: Callable[[], Rows], patient: Callable[[], Rows] | None = None) -> None:
        super().__init__(rows)
        self._patient = patient or rows
        self._waits: WaitBook | None = None
        self._known_pruning: Pruning | None = None

    @property
    def waits(self) -> WaitBook:
        """See `functions.core.ports.ledger.Ledger.waits`."""
        if self._waits is None:
            from functions.core.ledger.books.waitbook import RowWaitBook  # noqa: PLC0415 - few apps have waits

            self._waits = RowWaitBook(self._rows, self.unreadable)
        return self._waits

    @property
    def followed(self) -> FollowBook:
        """See `functions.core.ports.ledger.Ledger.followed`."""
        from functions.core.ledger.books.followbook import RowFollowBook  # noqa: PLC0415 - rounds

        return RowFollowBook(self._rows, self.unreadable)

    @property
    def notices(self) -> NoticeBook:
        """See `functions.core.ports.ledger.Ledger.notices`."""
        from functions.core.ledger.books.notebook import RowNoticeBook  # noqa: PLC0415 - rounds

        return RowNoticeBook(self._rows, self.unreadable)

    @property
    def _pruning(self) -> Pruning:
        if self._known_pruning is None:
            from functions.core.ledger.pruning import Pruning  # noqa: PLC0415 - not for events

            self._known_pruning = Pruning(self._rows, self.unreadable)
        return self._known_pruning

    def claim(self, new: Continuation, first: Iterable[Callable[[], None]] = ()) -> Claim:
        """Two requests if it is fresh, else two if it has ended and three if it is open."""
        rows, row = self._rows(), records.continuation_row(new)
        stored, fresh = rows.insert(places.continuation(new.key), row)
        entry = Entry(new, stored.version) if fresh else _entry(stored)
        for call in first if fresh else ():
            call()
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

        Raises Unreadable for a row in a state or an outcome that this version does not know.
        """
        c = entry.continuation
        records.check_known(c.key.text, c.state, c.key.outcome)
        place, row = places.continuation(changed.key), records.continuation_row(changed)
        return Entry(changed, self._rows().replace(place, row, entry.version))

    def retire(self, key: Key, known: str = "") -> None:
        """Four requests, two if it is open by now, one more for what may still be replayed.

        The schedule is read before the truth and removed only in that version: who claims or
        replays the continuation meanwhile writes the truth first and then the schedule. Whoever
        stood still meanwhile must not list what it was before, nor take off what it was not `known`
        as: what is to be done before that was done for another version.
        """
        rows, place = self._rows(), places.continuation(key)
        scheduled, listed = rows.get(places.scheduled(key)), ""
        while (truth := rows.get(place)) and truth.version != listed:
            c = _entry(truth).continuation
            if c.state.may_be_open:
                return
            rows.put(places.ended(c), truth.row)
            if c.state is State.STARTED:
                break
            listed = truth.version
        if scheduled and (truth is None or known in {"", truth.version}):
            rows.drop(places.scheduled(key), scheduled.version)

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """One request."""
        found = self._rows().find(*places.of_run(workspace, run))
        return sorted(self._readable(found, records.continuation_of), key=_age)

    def recent(self, since: datetime, limit: int) -> Sequence[Continuation]:
        """One request for the schedule, one per scheduled row, one per thousand that ended."""
        from functions.core.ledger import lists  # noqa: PLC0415 - for people, not for events

        return lists.recent(self._rows(), since, limit, self.unreadable)

    def listed(self, since: datetime, limit: int, route: str = "") -> Listed:
        """One request per thousand that are scheduled, five at most, and as many of the ended."""
        from functions.core.ledger import lists  # noqa: PLC0415 - the same

        return lists.listed(self._rows(), since, limit, self.unreadable, route)

    def written(self, since: datetime, shelf: int) -> Sequence[Continuation]:
        """One request per thousand, or for as many as it takes some seconds to look through."""
        from functions.core.ledger import lists  # noqa: PLC0415 - the same

        return lists.written(self._patient(), since, shelf, self.unreadable)

    def keep(self, letter: Letter) -> None:
        """One request, two if it is there."""
        place = Place(INBOX, safe(letter.id))
        self._rows().insert(place, records.letter_row(letter))

    def letters(self, limit: int, after: str = "") -> Sequence[Letter]:
        """One request per thousand letters; one that cannot be read is not counted."""
        low = f"{safe(after)}{NEXT}" if after else ""
        found = self._rows().find(INBOX, low, page=max(1, min(limit, PAGE)))
        letters = islice(self._readable(found, records.letter_of), limit)
        return sorted(letters, key=lambda letter: (letter.received_at, letter.id))

    def inbox(self) -> Inbox:
        """One request per thousand letters, five at most."""
        found = self._rows().find(INBOX, only=("received_at",))
        since = [stored.row.get("received_at") for stored in islice(found, MOST_SORTED)]
        oldest = parse_time(min(filter(None, since), default=None))
        return Inbox(len(since), oldest, len(since) < MOST_SORTED)

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
        each thousand that were claimed before then, until five thousand are found that are as old,
        of those in lists and of the others, once for all calls that it takes to remove these.
        """
        return self._pruning.prune(before, limit)

    def forget(self, now: datetime, limit: int) -> int:
        """One request per row, and two."""
        return self._pruning.forget(now, limit)


def _entry(stored: Stored) -> Entry:
    return Entry(records.continuation_of(stored.row), stored.version)


def _age(c: Continuation) -> tuple[datetime, Key]:
    return c.created_at, c.key
