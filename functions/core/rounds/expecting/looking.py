"""Looks whether what a route expects has come, and tells people and the log where it has not.

What is known of a route is a row that all processes share. What is to be told of runs that are
awaited is noted there first, told, and taken away then, so that all go on from the same; of one
that is held it is told first. Whoever dies in between has a line written twice, rather than never;
people are told once.
docs/adr/0038-what-should-have-come.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.core.memory import file_order
from functions.core.ports import shared
from functions.core.ports.services import Level
from functions.core.rounds.expecting import awaited, came, held, row
from functions.core.rounds.expecting.awaited import Happened
from functions.core.rounds.notices.noticing import Noticing, of_continuation, of_route
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import LedgerUnavailable, Lost, Permanent, Unreadable, in_words
from functions.core.terms.words import Happening, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Shared
    from functions.core.ports.services import Ports
    from functions.core.rounds.expecting.awaited import Awaited
    from functions.core.rounds.expecting.held import Held
    from functions.core.routes.definition import Route, Routes
    from functions.core.routes.expectation import Expectation

SECONDS = 10.0  # of a round's
OFTEN = timedelta(minutes=5)  # while something is late, and where one may be held
SELDOM = timedelta(hours=1)  # otherwise: the route file may be another one
LEVELS = {Happening.OVERDUE: Level.ERROR, Happening.STILL_HELD: Level.ERROR}

Line = dict[str, Any]


class Expecting:
    """Looks after what routes expect."""

    def __init__(self, ports: Ports) -> None:
        self._ledger, self._log, self._clock = ports.ledger, ports.journal, ports.clock
        self._noticing = Noticing(ports)
        self._next: dict[str, tuple[Expectation, datetime]] = {}

    def take_up(self, c: Continuation, routes: Routes | None) -> None:
        """Note one that is held where none is to be for long, before the schedule forgets it.

        So is each while nobody can say what the routes expect. Two requests. Raises
        LedgerUnavailable.
        """
        if c.state is not State.HELD or not _may_be_looked_after(c.key.route, routes):
            return
        name, now = row.name_of(c.key.route), self._clock.now()
        try:
            those = shared.change(self._ledger, name, lambda value: row.noted(value, c, now))
            is_noted = any(one.key == c.key for one in held.known(those.value))
        except Permanent:  # their names are so long
            is_noted = False
        if not is_noted:
            line: Line = {"expect": "full", "route": c.key.route, "most": held.MOST}
            self._log.write(Level.WARNING, line)

    def look(self, routes: Routes | None, left: float, until: datetime | None = None) -> None:
        """Look at the routes whose time has come; no request where there are none.

        `until`: what was told later lies in the inbox, and was not looked at yet.
        """
        deadline = Deadline(self._clock, min(SECONDS, left))
        if routes is None:
            return
        for route in routes.routes:
            what = route.expectation
            if what and self._is_due(route.name, what) and not deadline.has_passed:
                self._guarded(route, what, routes, until)

    def _is_due(self, route: str, what: Expectation) -> bool:
        """At once where it expects something else by now, or the clock was put back."""
        now = self._clock.now()
        known, again = self._next.get(route, (what, now))
        return known != what or not now < again <= now + SELDOM

    def _guarded(
        self, route: Route, what: Expectation, routes: Routes, until: datetime | None
    ) -> None:
        """What goes wrong with one route is a line, and costs the others nothing."""
        again = self._clock.now() + OFTEN
        try:
            again = self._look_at(route, what, routes, until)
        except Lost:  # another process looked just now
            pass
        except (LedgerUnavailable, Permanent, Unreadable) as error:
            line: Line = {"expect": "unavailable", "route": route.name, "detail": in_words(error)}
            self._log.write(Level.ERROR, line)
        self._next[route.name] = (what, again)

    def _look_at(
        self, route: Route, what: Expectation, routes: Routes, until: datetime | None
    ) -> datetime:
        """Returns when to look again. One request, two more where something may have happened."""
        was = self._told(route.name, self._ledger.shared(row.name_of(route.name)))
        now, value = self._clock.now(), was.value
        again = now + (OFTEN if what.held else SELDOM)
        one, happened = row.known(value), list[Happened]()
        if self._is_newer_ones(one, what, routes):
            again = now + OFTEN
        elif what.awaits_runs:
            one, happened = self._awaited(route, what, one, until)
            again = min(again, now + OFTEN if one.missed else awaited.looks_again(one))
        else:
            one = None
        those = held.known(value)  # also those that another version's file has noted
        those = list(self._held(those, what.held)) if what.held else those
        value = row.written(value, one, happened, those)
        if value != was.value or row.is_soon_forgotten(value, now):
            self._told(route.name, self._ledger.share(was, row.lasting(value, now)))
        return again

    def _is_newer_ones(self, one: Awaited | None, what: Expectation, routes: Routes) -> bool:
        """Whether a newer route file awaits it, whose instances are coming up: it goes by that."""
        is_anothers = one is not None and one.says != what.digest
        return is_anothers and file_order.gives_way(self._ledger, routes, self._clock.now())

    def _told(self, route: str, was: Shared) -> Shared:
        """The row once all is told that anybody has noted to be told."""
        telling = row.telling(was.value)
        for each in telling:
            self._tell(route, each)
        return self._ledger.share(was, row.without_telling(was.value)) if telling else was

    def _awaited(
        self, route: Route, what: Expectation, one: Awaited | None, until: datetime | None
    ) -> tuple[Awaited, list[Happened]]:
        """What is awaited by now, and what has happened meanwhile."""
        now = self._clock.now()
        is_known = one is not None and awaited.is_current(one, what, now)
        one = one if one and is_known else awaited.begun(what, now)
        told = min(now, until or now)
        if is_known and not one.missed and told < awaited.looks_again(one):
            return one, []
        return awaited.judged(one, what, came.ends(self._ledger, route, one.since), told)

    def _tell(self, route: str, happened: Happened) -> None:
        about, at, due = happened
        line: Line = {"expect": about, "route": route, "due": due}
        line |= {"ended": at} if about is Happening.CAME else {}
        self._log.write(LEVELS.get(about, Level.INFO), line)
        self._noticing.notice(of_route(route, about, due, self._clock.now()))

    def _held(self, those: Iterable[Held], longest: timedelta) -> Iterable[Held]:
        """Those that are still to be looked after, each as it is known by now; a request each."""
        for one in those:
            if self._clock.now() < one.at + longest:
                yield one
                continue
            try:
                entry = self._ledger.read(one.key)
            except Unreadable:  # as long as another version is at it
                yield one
                continue
            c = entry.continuation if entry else None
            if one.still(c):
                if c and not one.told:
                    self._tell_held(c, Happening.STILL_HELD, one.at)
                yield replace(one, told=True)
            elif c and one.told:
                self._tell_held(c, Happening.GOES_ON, one.at)

    def _tell_held(self, c: Continuation, about: Happening, since: datetime) -> None:
        line: Line = {"expect": about, "route": c.key.route, "run": c.key.run, "held_since": since}
        self._log.write(LEVELS.get(about, Level.INFO), line)
        notice = of_continuation(c, about, self._clock.now())
        self._noticing.notice(replace(notice, at=since))


def _may_be_looked_after(route: str, routes: Routes | None) -> bool:
    """Whether none of the route is to be held for long, or nobody can say."""
    if routes is None:
        return True
    known = routes.named(route)
    return bool(known and known.expectation and known.expectation.held)
