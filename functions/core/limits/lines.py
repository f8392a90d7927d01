"""Who waits to be called: for a place in the limit of its route, or for the app to go on.

Such a continuation costs nothing until then: it is neither due nor read. Its row in the schedule
says what it waits on, and who was claimed first is called first. Now and then it is looked
after, so that a call that never came costs that long and not the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.limits.places_taken import LINE, PAUSED, line
from functions.core.ports.services import Level
from functions.core.terms.errors import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.admission import Admission
    from functions.core.ports.ledger import Backlog
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key

MOST_LEFT = 1000  # that another version knows


class Lines:
    """Calls those whose turn has come, a round at a time.

    Which lines there are is known from the backlog that the last round counted: where nobody
    waits, nothing is asked.
    """

    def __init__(self, ports: Ports, policy: Policy, admission: Admission) -> None:
        self._ledger, self._log = ports.ledger, ports.journal
        self._policy = policy
        self._admission, self._limits = admission, admission.limits
        self._last: Backlog | None = None
        self._left: set[Key] = set()

    def note(self, backlog: Backlog) -> None:
        """Remember who waits."""
        self._last = backlog

    def leave(self, key: Key) -> None:
        """Call it no more: it is another version's, and must not stand before others in a line."""
        if len(self._left) < MOST_LEFT:
            self._left.add(key)

    def called(self, routes: Routes | None, most: int) -> dict[Key, str]:
        """Whose turn has come, at most so many of each line, and what they waited on."""
        if self._policy.paused:
            return {}
        return {key: name for name in self._names(routes) for key in self._next(name, routes, most)}

    def waits(self, c: Continuation, routes: Routes | None) -> bool:
        """Whether it is in a line that calls it, now or later."""
        self._left.discard(c.key)  # by now it is what this version knows
        if c.waits_on == PAUSED:
            return self._policy.paused
        if not c.waits_on.startswith(LINE):
            return False
        route = routes.named(c.key.route) if routes else None
        return routes is None or (route is not None and route.limit is not None)

    def _names(self, routes: Routes | None) -> Iterable[str]:
        """The lines where somebody may wait; those of routes that are gone as well."""
        limited = [route.name for route in routes.routes if route.limit] if routes else []
        today = [PAUSED, *map(line, limited)]
        if self._last is None:
            return today
        awaited = {name for name in self._last.awaited if name == PAUSED or name.startswith(LINE)}
        return sorted(awaited if self._last.whole else awaited.union(today))

    def _next(self, name: str, routes: Routes | None, most: int) -> Sequence[Key]:
        try:
            if name == PAUSED:
                return self._limits.first(name, most, self._left)
            if routes is None:
                return []
            if route := routes.named(name.removeprefix(LINE)):
                return self._let(route, self._limits.call(route, most, self._left))
            return self._limits.first(name, most, self._left)
        except Exception as error:  # noqa: BLE001 - one line must not cost a round
            self._log.write(Level.ERROR, {"line": name, "detail": in_words(error)})
            return []

    def _let(self, route: Route, keys: Sequence[Key]) -> Sequence[Key]:
        """These, unless nothing is sent by the route's account just now: they would wait for it."""
        start = route.start if keys else None
        blocked = start and self._admission.blocked(self._admission.account_of(start))
        return [] if blocked else keys
