"""Who of those that wait for a group goes next, and who never will: what a round asks of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.memory.file_order import may_be_older_for
from functions.core.terms.errors import Unreadable
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.groups import Groups, Holder
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Concurrency, Route, Routes

MOST_LISTED = 1000


class Queue:
    """Reads those who wait for groups, as far as their routes want it.

    `may_start` says of a route whether anything is sent by its account just now. `over`: who was
    found to have had a place for so long that it is free, though no end was seen.
    """

    def __init__(
        self, ledger: Ledger, groups: Groups, routes: Routes, may_start: Callable[[Route], bool]
    ) -> None:
        self._ledger, self._groups, self._routes = ledger, groups, routes
        self._may_start = may_start
        self.over: list[Holder] = []

    def called(
        self, name: str, most: int, but: Collection[Key]
    ) -> tuple[Sequence[Key], dict[Key, Key]]:
        """Who may go now, those first that were claimed first; who never will, and for whom.

        A listing, the group's row and one request for each who has a place; where a route wants
        the latest only and several of it wait, one for each of these, so many at most.
        """
        keys = self._groups.places.first(name, MOST_LISTED, but)
        if not keys:
            return [], {}
        gone, unread = self._superseded(name, keys, most)
        stay = [key for key in keys if key not in gone and key not in unread]
        return self._free(name, stay, most), gone

    def behind_limit(
        self, name: str, free: int, most: int, but: Collection[Key]
    ) -> tuple[Sequence[Key], dict[Key, Key]]:
        """The same of a line of a limit that has so many places, whose route wants the latest only.

        Those are compared that want one group. A listing, and one request for each that waits, so
        many at most: of more the others are compared first, in another round.
        """
        keys = self._groups.places.first(name, MOST_LISTED, but)
        read = (self._read(key, name) for key in keys[:most])
        gone = _before([c for c in read if c and c.wants])
        if gone and len(keys) > most:
            return [], gone
        return [key for key in keys if key not in gone][:free], gone

    def _free(self, name: str, keys: Sequence[Key], most: int) -> Sequence[Key]:
        """As many as there are places; one whose route has no group any more needs none.

        Who could not be sent lets those behind it go: their secret may be another. One that has a
        place does not wait: its row in the schedule is behind, which who takes it up puts right.
        """
        row = self._ledger.shared(name)
        lot = self._groups.lot(name, 1)
        lot.left(row.value)
        self._groups.places.close(row, lot)
        self.over = lot.over
        has = {holder.key for holder in lot.held}
        taken, called = len(has), [key for key in keys if key in has]
        for key in (key for key in keys if key not in has):
            route = self._routes.named(key.route)
            wants = route.concurrency if route else None
            if len(called) >= most or (wants and taken >= wants.at_most):
                break
            if not wants and may_be_older_for(self._ledger, key, self._routes, self._groups.now):
                break  # a newer file may have the group that this one has not
            if route is None or self._may_start(route):
                taken += wants is not None
                called.append(key)
        return called

    def _superseded(
        self, name: str, keys: Sequence[Key], most: int
    ) -> tuple[dict[Key, Key], set[Key]]:
        """Who waits before a later run of its route, which wants the latest only; who is not read.

        Of more than can be read the first are, and the last: the others are another round's.
        """
        among: dict[str, list[Key]] = {}
        for key in keys:
            if (wants := self._of(key.route)) and wants.latest:
                among.setdefault(key.route, []).append(key)
        gone, unread = dict[Key, Key](), set[Key]()
        for own in among.values():
            read = own if len(own) <= most else [*own[: most - 1], own[-1]]
            found = [c for key in read if len(own) > 1 and (c := self._read(key, name))]
            gone |= _before(found)
            if len(read) < len(own):
                unread |= {*own} - gone.keys()
        return gone, unread

    def _read(self, key: Key, name: str) -> Continuation | None:
        """The continuation if it waits for this group still; one that does not is looked after."""
        try:
            entry = self._ledger.read(key)
        except Unreadable:
            return None
        c = entry.continuation if entry else None
        return c if c and c.is_open and c.waits_on == name else None

    def _of(self, route: str) -> Concurrency | None:
        known = self._routes.named(route)
        return known.concurrency if known else None


def _before(waiting: Sequence[Continuation]) -> dict[Key, Key]:
    """All of one route but the latest, and the latest: which ended last, as the events tell it.

    So it is for each group that they want.
    """
    latest = {c.wants: c for c in sorted(waiting, key=_ended)}
    return {c.key: latest[c.wants].key for c in waiting if c is not latest[c.wants]}


def _ended(c: Continuation) -> tuple[datetime, datetime, Key]:
    """An end after its claim is not believed: whoever ends a run says when that was.

    Of several runs that are joined the app says it, when the last of them has come.
    """
    told = c.event.time or c.created_at
    if c.key.outcome is Outcome.JOINED:
        return told, c.open_since, c.key
    return told if told <= c.created_at + CLOCK_SKEW else c.created_at, c.open_since, c.key
