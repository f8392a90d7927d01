"""Who waits to be called: for a place in a limit or a group, or for the app to go on.

Such a continuation costs nothing until then: it is neither due nor read. Its row in the schedule
says what it waits on, and who was claimed first is called first. Now and then it is looked
after, so that a call that never came costs that long and not the start.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from functions.core.limits.admission import account_of
from functions.core.limits.places_taken import Places
from functions.core.limits.taking import Taking, names_another
from functions.core.limits.turns import may_be_older_for
from functions.core.memory.file_order import may_be_older
from functions.core.ports.ledger import Backlog
from functions.core.ports.services import Level
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import in_words
from functions.core.terms.words import GROUP, LINE, PAUSED, line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.admission import Admission
    from functions.core.limits.queues import Queue
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key

MOST_LEFT = 1000  # that another version knows
MOST_LETTING_GO = 10  # rounds, one after the other, in which the latest wait for who lines up yet
CALLING = 0.5  # of the time that a round has for continuations, to find out whose turn has come
KNOWN_FOR = 660.0  # seconds for which it is believed who waits, as the last round counted it


class Called(NamedTuple):
    """Whose turn has come, and what each waited on; who is not to go at all is among them.

    `gone`: who waits for what goes to a later one, and which. `cut`: there was no time for all; the
    next round begins with the others.
    """

    waited_on: dict[Key, str]
    gone: dict[Key, Key]
    cut: bool = False


class Lines:
    """Calls those whose turn has come, a round at a time; rounds may overlap.

    Which lines there are is known from the backlog that the last round counted: where nobody
    waits, nothing is asked. Where that is not known, or is not all, it is asked for groups, whose
    names no route file tells.
    """

    def __init__(self, ports: Ports, policy: Policy, admission: Admission) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._policy = policy
        self._admission = admission
        self._places = Places(ports.ledger, ports.clock)
        self.taking = Taking(ports.ledger, ports.clock)
        self._last, self._known = Backlog(0, None, whole=False), Deadline(ports.clock, 0)
        self._left: set[Key] = set()
        self._begins, self._letting_go = "", 0
        self._most, self._lining_up = 0, frozenset[str]()

    def note(self, backlog: Backlog) -> None:
        """Remember who waits."""
        self._last, self._known = backlog, Deadline(self._clock, KNOWN_FOR)

    def leave(self, key: Key) -> None:
        """Call it no more: it is another version's, and must not stand before others in a line."""
        if len(self._left) < MOST_LEFT:
            self._left.add(key)

    def called(
        self, routes: Routes | None, most: int, begins: Deadline, released: Collection[Key]
    ) -> Called:
        """Whose turn has come, at most so many of each line, in a round that lets these go as well.

        What is called must still begin in the time that is left, and so must all that is due.
        """
        self._most, self._lining_up = most, self._line_up(released)
        return self._called(self._in_turn(routes), routes, begins)

    def called_on(self, names: Iterable[str], routes: Routes | None, begins: Deadline) -> Called:
        """The same of these lines once more in the same round."""
        return self._called(sorted(names), routes, begins)

    def _called(self, names: Iterable[str], routes: Routes | None, begins: Deadline) -> Called:
        share, most = Deadline(self._clock, begins.left * CALLING), self._most
        found: dict[Key, str] = {}
        gone: dict[Key, Key] = {}
        queue = cache(partial(self._queue, routes, gone, self._lining_up))
        for name in [] if self._policy.paused else names:
            if share.has_passed:
                self._begins = name
                return Called(found, gone, cut=True)
            found |= dict.fromkeys(self._next(name, routes, most, queue), name)
        return Called(found, gone)

    def waits(self, c: Continuation, routes: Routes | None) -> bool:
        """Whether it is in a line that calls it, now or later."""
        self._left.discard(c.key)  # by now it is what this version knows
        if c.waits_on == PAUSED:
            return self._policy.paused
        if not c.waits_on.startswith((LINE, GROUP)):
            return False
        route = routes.named(c.key.route) if routes else None
        if routes is None or route is None:
            return routes is None
        holds: object = route.limit
        if c.waits_on.startswith(GROUP):
            holds = None if names_another(c, route) else route.concurrency
        return holds is not None or may_be_older(self._ledger, c, routes, self._clock.now())

    def _in_turn(self, routes: Routes | None) -> Iterable[str]:
        """The lines, from the one on that the last round had no time for."""
        return sorted(self._names(routes), key=lambda name: (name < self._begins, name))

    def _names(self, routes: Routes | None) -> set[str]:
        """The lines where somebody may wait; those of routes that are gone as well."""
        last = self._last
        known = {n for n in last.awaited if n == PAUSED or n.startswith((LINE, GROUP))}
        if not last.whole:
            limited = [route.name for route in routes.every if route.limit] if routes else []
            known |= {PAUSED, *map(line, limited)}
        if last.whole and not self._known.has_passed:
            return known
        return known.union(self._ledger.awaited(GROUP))

    def _next(
        self, name: str, routes: Routes | None, most: int, queue: Callable[[], Queue]
    ) -> Sequence[Key]:
        try:
            if name == PAUSED:
                return self._places.first(name, most, self._left)
            if routes is None:
                return []
            if name.startswith(GROUP):
                return self._of_group(name, most, queue())
            if route := routes.named(name.removeprefix(LINE)):
                return self._of_limit(route, routes, most, queue)
            return self._places.first(name, most, self._left)
        except Exception as error:  # noqa: BLE001 - one line must not cost a round
            self._log.write(Level.ERROR, {"line": name, "detail": in_words(error)})
            return []

    def _of_group(self, name: str, most: int, queue: Queue) -> Sequence[Key]:
        """Who may go, and behind them who is not to go at all: that is written where it is read."""
        keys = queue.called(name, most, self._left)
        for one in queue.over:
            line = {"place": "let go", "group": name.removeprefix(GROUP), "of": one.key.text}
            self._log.write(Level.WARNING, {**line, "detail": "nobody knows how it ended"})
        return keys

    def _line_up(self, released: Collection[Key]) -> frozenset[str]:
        """The routes of these, which line up in this round; now and then nobody waits for them.

        An account may be asked to slow down again and again.
        """
        self._letting_go = self._letting_go % MOST_LETTING_GO + 1 if released else 0
        is_heeded = self._letting_go < MOST_LETTING_GO
        return frozenset(key.route for key in released if is_heeded)

    def _queue(
        self, routes: Routes | None, gone: dict[Key, Key], line_up: Collection[str]
    ) -> Queue:
        from functions.core.limits.queues import Queue  # noqa: PLC0415 - where somebody waits so

        assert routes is not None  # noqa: S101 - nobody asks before, for the type checker
        return Queue(self._ledger, self.taking, routes, self._may_start, gone, line_up)

    def _of_limit(
        self, route: Route, routes: Routes, most: int, queue: Callable[[], Queue]
    ) -> Sequence[Key]:
        """Unless nothing is sent by the route's account just now: they would wait for it.

        Nor where a newer file may have the limit that this one has not.
        """
        keys, now = self.taking.limits.call(route, most, self._left), self._clock.now()
        if not keys:
            return []
        if route.limit is None and may_be_older_for(self._ledger, keys[0], routes, now):
            return []
        if not self._may_start(route):
            return []
        if not (route.concurrency and route.concurrency.latest):
            return keys
        return queue().behind_limit(route, len(keys), most, self._left)

    def _may_start(self, route: Route) -> bool:
        start = route.start
        return not (start and self._admission.blocked(account_of(start, self._policy)))
