"""Joins that wait, or are held, looked at once more where their route asks for others than it did.

    join/ROUTE   {"says": DIGEST, "until": TIME}

The row says by which `join` all of them were looked at, so that it is done once for each change
of the route file, whoever reads it. docs/adr/0039-several-runs-are-joined.md
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from functions.core.memory import file_order
from functions.core.ports import shared
from functions.core.ports.services import Level
from functions.core.routes.joins import coming
from functions.core.routes.joins.join import waits_on
from functions.core.starts.joins.joining import MOST_OPEN, put_right
from functions.core.terms.deadline import Deadline, Since
from functions.core.terms.errors import LedgerUnavailable, Lost, Unreadable, in_words
from functions.core.terms.words import Outcome, State
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route, Routes
    from functions.core.routes.joins.join import Join
    from functions.core.terms.runs import Key

SECONDS = 15.0  # of a round's; what is left over is the next round's
DIGITS = 16
KEPT_FOR, RENEWED = timedelta(days=60), timedelta(days=30)
HELD_FOR = timedelta(days=7)  # beyond `within`; nobody expects that what is older still goes on
MOST_LISTED = 5000  # of a route, its runs among them
_MAY_GO_ON = frozenset({State.OPEN, State.HELD})  # as lists have it, which are behind


class Waking:
    """Lets go on, or tells anew until when it waits, what a changed route file asks otherwise."""

    def __init__(self, ports: Ports) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._looked: dict[str, Join] = {}
        self._done: dict[str, tuple[str, set[Key]]] = {}

    def look(self, routes: Routes, left: float) -> None:
        """Look at the joins of routes that this process has not looked at as they are.

        A request for each such route; where nobody has, two listings, four for each that waits, and
        one for each that is held. Raises nothing.
        """
        deadline = Deadline(self._clock, min(SECONDS, left))
        for route in routes.routes:
            if route.join is None or self._looked.get(route.name) == route.join:
                continue
            try:
                if not deadline.has_passed and self._is_done(route, route.join, routes, deadline):
                    self._looked[route.name] = route.join
            except LedgerUnavailable as error:
                line = {"join": "not looked at", "route": route.name, "detail": in_words(error)}
                self._log.write(Level.ERROR, line)

    def _is_done(self, route: Route, join: Join, routes: Routes, deadline: Deadline) -> bool:
        """Whether all of them were looked at; a newer route file's instances do it themselves."""
        name, now = waits_on(route.name), self._clock.now()
        said, until = {"says": digest(join)}, now + KEPT_FOR
        row = self._ledger.shared(name)
        if row.value.get("says") != said["says"] and (
            file_order.gives_way(self._ledger, routes, now) or not self._all(route, join, deadline)
        ):
            return False

        def known(value: Mapping[str, Any]) -> Mapping[str, Any]:
            kept = parse_time(value.get("until"))
            is_so = value.get("says") == said["says"] and kept and kept - now > RENEWED
            return value if is_so else {**said, "until": until.isoformat()}

        shared.change(self._ledger, name, known, row)
        return True

    def _all(self, route: Route, join: Join, deadline: Deadline) -> bool:
        """What was looked at by an earlier `join` is looked at anew."""
        says = digest(join)
        by, done = self._done.get(route.name, ("", set()))
        if by != says:
            done = set()
        self._done[route.name] = says, done
        for key in self._those(route, join):
            if deadline.has_passed:
                return False
            if key not in done:
                self._wake(key, join)
                done.add(key)
        del self._done[route.name]
        return True

    def _those(self, route: Route, join: Join) -> Iterable[Key]:
        """Those that wait, and those that are held, unless they are that for long."""
        yield from self._ledger.waiting_on(waits_on(route.name), MOST_OPEN)
        since = self._clock.now() - join.within - HELD_FOR
        for one in self._ledger.listed(since, MOST_LISTED, route.name):
            if one.key.outcome is Outcome.JOINED and one.state in _MAY_GO_ON:
                yield one.key

    def _wake(self, key: Key, join: Join) -> None:
        since = Since(self._clock)
        with suppress(Lost, Unreadable):  # who wrote it meanwhile goes by a file of today as well
            entry = self._ledger.read(key)
            if entry is None:
                return
            was = entry.continuation
            changed = coming.asked_anew(was, join, self._clock.now())
            if changed is not was:
                self._ledger.write(entry, changed)
            if changed.is_open:
                self._ledger.schedule(changed, since)  # who died before wrote what is to be so
                put_right(self._ledger, key, changed.due_at)


def digest(join: Join) -> str:
    """Stands for whom a join waits for, and how long."""
    names = sorted(name.casefold() for name in join.experiments)
    told = msgspec.json.encode((join.number, names, join.within))
    return hashlib.sha256(told).hexdigest()[:DIGITS]
