"""The places of a route's `limit`: so many in each clock hour or day, in the row of that window.

    limit/ROUTE/WINDOW   {"taken": 3, "by": [TAKER, ...], "closed": true, "until": TIME}

A place is given back once it is written that nothing was queued, and counts in its window else.
docs/adr/0019-limits-and-lines.md
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from functions.core.limits.places_taken import Full, Places, taken
from functions.core.ports.ledger import Entry
from functions.core.terms.reasons import Reason
from functions.core.terms.words import line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.limits.places_taken import Value
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Limit, Route
    from functions.core.terms.deadline import Clock
    from functions.core.terms.runs import Key

KEPT_FOR = timedelta(hours=1)  # a window that is over by one clock may go on by another


class Limits:
    """Counts the starts of each clock hour or day in a shared row."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._clock = clock
        self._places = Places(ledger, clock)

    def take(
        self, entry: Entry, route: Route, *, called: bool = False, waited: bool = False
    ) -> Entry | Full:
        """Pay for one start of the route's limit, or tell when the next window begins.

        Two requests, three where the row is closed. Who goes first is as `Places.take` has it. What
        is paid stays paid within its window.
        """
        c = entry.continuation
        if route.limit is None:
            return entry
        window = _window(route.name, route.limit, self._clock.now())
        if c.slot != window.row:
            there = self._places.take(c, window, called=called, waited=waited)
            if there is not None:
                return Full(Reason.LIMIT, window.said(taken(there)), window.line, window.ends)
        return Entry(msgspec.structs.replace(c, slot=window.row), entry.version)

    def give_back(self, c: Continuation, *, any_attempt: bool = False) -> None:
        """Let another have the place that it took, since nothing was queued. Two requests."""
        if c.slot:
            self._places.give_back(c, c.slot, any_attempt=any_attempt)

    def call(self, route: Route, most: int, but: Collection[Key] = ()) -> Sequence[Key]:
        """Who may go now `but` these, those first that were claimed first.

        One request while all places are taken, else a listing of the line as well.
        """
        if route.limit is None:
            return self._places.first(line(route.name), most, but)
        return self._places.call(_window(route.name, route.limit, self._clock.now()), most, but)


class _Window(NamedTuple):
    """One clock hour or day of a limit: a lot of places that needs nobody to free them."""

    row: str
    line: str
    most: int
    hours: int
    ends: datetime

    @property
    def until(self) -> datetime:
        """How long its row is of use."""
        return self.ends + KEPT_FOR

    def left(self, value: Value, but: Key | None = None) -> Value:
        """All who took a place need it until the window ends."""
        del but
        return value

    def noted(self, value: Value, c: Continuation) -> Value:
        """Nothing besides."""
        del c
        return value

    def said(self, count: int) -> str:
        """How many are used, and since when."""
        others = ", and others wait for the rest" if count < self.most else ""
        begins = self.ends - timedelta(hours=self.hours)
        return f"{count} of {self.most} used since {begins:%H:%M} UTC{others}"


def _window(route: str, limit: Limit, now: datetime) -> _Window:
    """The clock hour or day of the limit."""
    hour, own = now.replace(minute=0, second=0, microsecond=0), line(route)
    if limit.per == "h":
        name, ends = f"{own}/{hour:%Y-%m-%dT%H}", hour + timedelta(hours=1)
        return _Window(name, own, limit.count, 1, ends)
    name, ends = f"{own}/{hour:%Y-%m-%d}", hour.replace(hour=0) + timedelta(days=1)
    return _Window(name, own, limit.count, 24, ends)
