"""Looks whether what a route expects has come, and tells people and the log where it has not.

What is known of a route is a row that all processes share. What is told is told first and noted
then: whoever dies in between has a line written twice, rather than never; people are told once.
docs/adr/0038-what-should-have-come.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from functions.core.ledger import decoding
from functions.core.ports import shared
from functions.core.ports.services import Level
from functions.core.rounds.expecting import awaited, held
from functions.core.rounds.expecting.awaited import Awaited
from functions.core.rounds.notices.noticing import Noticing, of_continuation, of_route
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import LedgerUnavailable, Lost, Permanent, Unreadable, in_words
from functions.core.terms.words import Happening, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.rounds.expecting.awaited import Happened
    from functions.core.rounds.expecting.held import Held
    from functions.core.routes.definition import Route, Routes
    from functions.core.routes.expectation import Expectation

SECONDS = 10.0  # of a round's
OFTEN = timedelta(minutes=5)  # while something is late, and where one may be held
SELDOM = timedelta(hours=1)  # otherwise: the route file may be another one
MOST_RUNS = 1000  # of a route, the newest first
KEPT_FOR = timedelta(days=60)  # what is known of a route that nobody looks at any more
LEVELS = {Happening.OVERDUE: Level.ERROR, Happening.STILL_HELD: Level.ERROR}

Row = dict[str, Any]


class Expecting:
    """Looks after what routes expect."""

    def __init__(self, ports: Ports) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._noticing = Noticing(ports)
        self._next: dict[str, datetime] = {}

    def take_up(self, c: Continuation, routes: Routes | None) -> None:
        """Note one that is held where none is to be for long, before the schedule forgets it.

        Two requests. Raises LedgerUnavailable.
        """
        route = routes.named(c.key.route) if routes and c.state is State.HELD else None
        if not route or not route.expectation or not route.expectation.held:
            return
        kept = {"until": self._kept()}
        row = shared.change(
            self._ledger, name_of(c.key.route), lambda value: held.noted({**value, **kept}, c)
        )
        if all(one.key != c.key for one in held.known(row.value)):
            line: Row = {"expect": "full", "route": route.name, "most": held.MOST}
            self._log.write(Level.WARNING, line)

    def look(self, routes: Routes | None, left: float) -> None:
        """Look at the routes whose time has come; no request where there are none."""
        deadline = Deadline(self._clock, min(SECONDS, left))
        for route in routes.routes if routes else ():
            if route.expectation and self._is_due(route.name) and not deadline.has_passed:
                self._guarded(route, route.expectation)

    def _is_due(self, route: str) -> bool:
        now = self._clock.now()
        return now >= self._next.get(route, now)

    def _guarded(self, route: Route, what: Expectation) -> None:
        """What goes wrong with one route is a line, and costs the others nothing."""
        again = self._clock.now() + OFTEN
        try:
            again = self._look_at(route, what)
        except Lost:  # another process looked just now
            pass
        except (LedgerUnavailable, Permanent, Unreadable) as error:
            line: Row = {"expect": "unavailable", "route": route.name, "detail": in_words(error)}
            self._log.write(Level.ERROR, line)
        self._next[route.name] = again

    def _look_at(self, route: Route, what: Expectation) -> datetime:
        """Returns when to look again. One request, two more where something may have happened."""
        row, now = self._ledger.shared(name_of(route.name)), self._clock.now()
        value, again = dict(row.value), now + (OFTEN if what.held else SELDOM)
        if what.awaits_runs:
            one = self._awaited(route.name, what, known(value))
            value["awaited"] = msgspec.to_builtins(one)
            again = min(again, now + OFTEN if one.missed else awaited.looks_again(one))
        those = held.known(value)
        value = held.written(value, list(self._held(those, what.held)) if what.held else [])
        if value != row.value:
            self._ledger.share(row, value | {"until": self._kept()})
        return again

    def _awaited(self, route: str, what: Expectation, one: Awaited | None) -> Awaited:
        """What is awaited by now; what has happened meanwhile is told."""
        now = self._clock.now()
        if one is None or not awaited.is_current(one, what, now):
            one = awaited.begun(what, now)
        if not one.missed and now < awaited.looks_again(one):
            return one
        one, happened = awaited.judged(one, what, self._ends(route, one.since), now)
        for each in happened:
            self._tell(route, each)
        return one

    def _ends(self, route: str, since: datetime) -> Iterable[datetime]:
        """When its runs ended, as far as that is believed: not after they were claimed."""
        for one in self._ledger.listed(since, MOST_RUNS, route):
            yield min(one.run_ended_at or one.created_at, one.created_at)

    def _tell(self, route: str, happened: Happened) -> None:
        about, at, due = happened
        line: Row = {"expect": about, "route": route, "due": due}
        line |= {"ended": at} if about is Happening.CAME else {}
        self._log.write(LEVELS.get(about, Level.INFO), line)
        self._noticing.notice(of_route(route, about, due, self._clock.now()))

    def _held(self, those: Iterable[Held], longest: timedelta) -> Iterable[Held]:
        """Those that are still to be looked after, each as it is known by now; a request each."""
        for one in those:
            if self._clock.now() < one.at + longest:
                yield one
                continue
            entry = self._ledger.read(one.key)
            c = entry.continuation if entry else None
            if one.still(c):
                if c and not one.told:
                    self._tell_held(c, Happening.STILL_HELD, one.at)
                yield replace(one, told=True)
            elif c and one.told:
                self._tell_held(c, Happening.GOES_ON, one.at)

    def _tell_held(self, c: Continuation, about: Happening, since: datetime) -> None:
        line: Row = {"expect": about, "route": c.key.route, "run": c.key.run, "held_since": since}
        self._log.write(LEVELS.get(about, Level.INFO), line)
        notice = of_continuation(c, about, self._clock.now())
        self._noticing.notice(replace(notice, at=since))

    def _kept(self) -> str:
        return (self._clock.now() + KEPT_FOR).isoformat()


def name_of(route: str) -> str:
    """The shared row of what is known of it."""
    return f"expect/{route}"


def known(value: Mapping[str, Any]) -> Awaited | None:
    """What is awaited by the row; None where it says nothing that this version knows."""
    try:
        return decoding.decoded(value["awaited"], Awaited)
    except (KeyError, msgspec.ValidationError):
        return None
