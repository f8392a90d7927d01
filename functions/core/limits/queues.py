"""Who of those that wait for a group goes next, and who never will: what a round asks of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.limits.taking import names_another
from functions.core.limits.turns import ended, may_be_older_for
from functions.core.memory.file_order import may_be_older
from functions.core.routes import near_misses
from functions.core.terms.errors import Unreadable
from functions.core.terms.runs import Key
from functions.core.terms.words import PAUSED, line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.groups import Holder
    from functions.core.limits.taking import Taking
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Route, Routes

MOST_LISTED, MOST_PAUSED = 1000, 30_000


class Queue:
    """Reads those who wait for groups, as far as their routes want it; for one round.

    `may_start` says of a route whether anything is sent by its account just now. `over`: who was
    found to have had a place for so long that it is free, though no end was seen. `gone`: who is
    not to go at all, and for whom. `line_up`: the routes of which others are let go just now.
    """

    def __init__(
        self,
        ledger: Ledger,
        taking: Taking,
        routes: Routes,
        may_start: Callable[[Route], bool],
        gone: dict[Key, Key],
        line_up: Collection[str],
    ) -> None:
        self._ledger, self._limits, self._groups = ledger, taking.limits, taking.groups
        self._places, self._routes = taking.groups.places, routes
        self._may_start = may_start
        self._beside: dict[tuple[str, str], list[Continuation]] = {}
        self._line_up = line_up
        self._held_back: set[str] | None = None
        self._strayed: set[Key] = set()
        self.over: list[Holder] = []
        self.gone = gone

    def called(self, name: str, most: int, but: Collection[Key]) -> Sequence[Key]:
        """Who may go now, those first that were claimed first, and who never will.

        A listing, the group's row and one request for each who has a place; where a route wants
        the latest only and several of it wait, one for each of these, so many at most; and a
        listing of those that wait for the app to go on, of whom it calls none before.
        """
        keys = self._places.first(name, MOST_LISTED, but)
        if not keys:
            return []
        moved, unread = self._superseded(name, keys, most, but)
        unread |= {*moved, *(needless := self._needless(keys))}
        stay = [key for key in keys if key not in unread]
        return [*moved, *self._free(name, stay, most), *needless]

    def behind_limit(
        self, route: Route, free: int, most: int, but: Collection[Key]
    ) -> Sequence[Key]:
        """The same of the line of a limit that has so many places, whose route wants the latest.

        Those are compared that want one group, with those of the route that wait for it. A listing,
        and one request for each that waits, so many at most: of more the others are compared first,
        in another round. So they are where some are asked anew which group is theirs.
        """
        name = line(route.name)
        keys = self._places.first(name, MOST_LISTED, but)
        found = self._read_all(name, keys[:most])
        if moved := self._moved(found, route):
            return moved
        own = [c for c in found if c.wants]
        groups = {c.wants: None for c in own}
        self._end(route, own, [c for g in groups for c in self._waits(g, route, most, but)])
        needless = self._needless(keys)
        if (needless and len(keys) > most) or self._line_up_yet(route, but):
            return needless
        return [*[key for key in keys if key not in needless][:free], *needless]

    def _needless(self, keys: Sequence[Key]) -> list[Key]:
        """Those of them that need no place: who gives way, and whom its route follows no more."""
        return [key for key in keys if key in self.gone or key in self._strayed]

    def _free(self, name: str, keys: Sequence[Key], most: int) -> Sequence[Key]:
        """As many as there are places; one whose route has no group any more needs none.

        Who could not be sent lets those behind it go: their secret may be another. One that has a
        place does not wait: its row in the schedule is behind, which who takes it up puts right.
        """
        row = self._ledger.shared(name)
        lot = self._groups.lot(name, 1)
        lot.left(row.value)
        self._places.close(row, lot)
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
        self, name: str, keys: Sequence[Key], most: int, but: Collection[Key]
    ) -> tuple[Sequence[Key], set[Key]]:
        """Finds who waits before a later run of its route, which wants the latest only.

        Returns who is asked anew which group is its, and who is not read. Of more than can be read
        the first are, and the last: the others are another round's.
        """
        among: dict[str, list[Key]] = {}
        for key in keys:
            among.setdefault(key.route, []).append(key)
        moved, unread = list[Key](), set[Key]()
        for told, own in among.items():
            route = self._routes.named(told)
            if route is None or route.concurrency is None or not route.concurrency.latest:
                continue
            beside = self._behind_its_limit(name, route, most, but)
            read = self._read_all(name, _ends_of(own, most) if len(own) > 1 or beside else [])
            moved += self._moved(read, route)
            self._end(route, read, beside)
            if len(own) > most or self._line_up_yet(route, but):
                unread |= {*own} - self.gone.keys()
        return moved, unread

    def _line_up_yet(self, route: Route, but: Collection[Key]) -> bool:
        """Whether others of it are let go by this round or by the next ones."""
        if self._held_back is None:
            listed = self._places.first(PAUSED, MOST_PAUSED, but)
            self._held_back = {key.route for key in listed}
        return route.name in self._line_up or route.name in self._held_back

    def _behind_its_limit(
        self, group: str, route: Route, most: int, but: Collection[Key]
    ) -> list[Continuation]:
        """Who wants this group and waits for its route's limit, if that has places just now."""
        name = line(route.name)
        if route.limit is None or not self._limits.call(route, 1, but):
            return []
        return [c for c in self._waits(name, route, most, but) if c.wants == group]

    def _waits(
        self, name: str, route: Route, most: int, but: Collection[Key]
    ) -> list[Continuation]:
        """Those of a route in another line than the one that is called; read once a round."""
        if (name, route.name) not in self._beside:
            listed = self._places.first(name, MOST_LISTED, but)
            keys = [key for key in listed if key.route == route.name]
            self._beside[name, route.name] = self._read_all(name, _ends_of(keys, most))
        return self._beside[name, route.name]

    def _read_all(self, name: str, keys: Iterable[Key]) -> list[Continuation]:
        return [c for key in keys if (c := self._read(key, name))]

    def _read(self, key: Key, name: str) -> Continuation | None:
        """The continuation if it waits for this still; one that does not is looked after.

        Nobody gives way to one that its route does not follow any more, nor waits behind it.
        """
        try:
            entry = self._ledger.read(key)
        except Unreadable:
            return None
        c = entry.continuation if entry else None
        c = c if c and c.is_open and c.waits_on == name else None
        if c is None or near_misses.meant(c, self._routes):
            return c
        if not self._is_older(c):
            self._strayed.add(key)
        return None

    def _moved(self, those: Iterable[Continuation], route: Route) -> list[Key]:
        """Whose route has named its group otherwise since: each is asked anew which one it is."""
        return [c.key for c in those if names_another(c, route) and not self._is_older(c)]

    def _end(
        self, route: Route, own: Iterable[Continuation], beside: Iterable[Continuation]
    ) -> None:
        """All of one route and group but the latest: which ended last, as the events tell it."""
        fine = [[c for c in those if not names_another(c, route)] for those in (own, beside)]
        latest = {_group(c): c.key for c in sorted([*fine[0], *fine[1]], key=self._ended)}
        for c in fine[0]:
            if latest[_group(c)] != c.key and not self._is_older(c):
                self.gone[c.key] = latest[_group(c)]

    def _ended(self, c: Continuation) -> tuple[datetime, datetime, Key]:
        """When the run ended that it is about, and who came last of several that did at once."""
        return ended(self._ledger, c), c.open_since, c.key

    def _is_older(self, c: Continuation) -> bool:
        """Whether a newer file may say otherwise of it, by which none is to be ended or asked."""
        return may_be_older(self._ledger, c, self._routes, self._groups.now)


def _ends_of(keys: Sequence[Key], most: int) -> Sequence[Key]:
    """The first of these, and the last: so many."""
    return keys if len(keys) <= most else [*keys[: most - 1], keys[-1]]


def _group(c: Continuation) -> str:
    return c.wants or c.waits_on
