"""The places of a route's `limit`: who takes one, who gives it back, and who waits in line.

    limit/ROUTE/WINDOW   {"taken": 3, "by": [TAKER, ...], "closed": true, "until": TIME}

A place is taken by ETag before the ask, and given back once it is written that nothing was
queued. `by` names the newest takers (HASH.REPLAYS.ATTEMPTS), so that who died after taking it finds
its place again: it is then that of the later attempt, and an earlier one that wakes up gives back
none.

The line are those whose row in the schedule waits on `limit/ROUTE`: the reconciler calls them as
places are free, who was claimed first goes first. `closed` tells who comes new to look whether
anybody waits before it takes a place: it is set with a window's first place and with its last
one, and where the reconciler finds somebody waiting. docs/adr/0019-limits-and-lines.md
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from functions.core.kept.continuation import REPLAYED
from functions.core.ports.ledger import Entry
from functions.core.terms.errors import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger, Shared
    from functions.core.routes.definition import Route
    from functions.core.terms.deadline import Clock
    from functions.core.terms.runs import Key

    Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]

LINE = "limit/"
PAUSED = "paused"  # what those wait on who wait for the app to go on
MOST_NAMED = 200  # takers that a row remembers: a place is given back within seconds, or never
TRIES = 5  # of a change that others were faster with
KEPT_FOR = timedelta(hours=1)  # a window that is over by one clock may go on by another
FIRST_PAUSE = 1.0  # seconds, at most, before the second try; then twice as long, four at most


class Full(NamedTuple):
    """There is no place `until` the next window begins: so many are taken."""

    until: datetime
    taken: int
    most: int
    hours: int

    @property
    def said(self) -> str:
        """How many are used, and since when."""
        others = ", and others wait for the rest" if self.taken < self.most else ""
        begins = self.until - timedelta(hours=self.hours)
        return f"{self.taken} of {self.most} used since {begins:%H:%M} UTC{others}"


def line(route: str) -> str:
    """What those wait on who wait for the route's limit."""
    return f"{LINE}{route}"


class Limits:
    """Counts the starts of each clock hour or day in a shared row."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def take(self, entry: Entry, route: Route, *, called: bool = False) -> Entry | Full:
        """Pay for one start of the route's limit, or tell when the next window begins.

        Two requests, three where the row is closed. Who is `called` goes before all others. What
        is paid stays paid within its window.
        """
        c = entry.continuation
        if route.limit is None:
            return entry
        slot, ends = _window(route, self._clock.now())
        if c.slot != slot and (full := self._takes(c, route, slot, ends, called=called)):
            return full
        return Entry(msgspec.structs.replace(c, slot=slot), entry.version)

    def give_back(self, c: Continuation) -> None:
        """Let another have the place that it took, since nothing was queued. Two requests."""
        if c.slot:
            self._change(c.key, c.slot, lambda value: _without(value, c))

    def call(self, route: Route, most: int, but: Collection[Key] = ()) -> Sequence[Key]:
        """Who may go now `but` these, those first that were claimed first.

        One request while all places are taken, else a listing of the line as well.
        """
        if route.limit is None:
            return self.first(line(route.name), most, but)
        slot, ends = _window(route, self._clock.now())
        row = self._ledger.shared(slot)
        free = route.limit.count - _taken(row.value)
        if free <= 0:
            return []
        keys = self.first(line(route.name), min(free, most), but)
        if keys and not row.value.get("closed"):
            self._put(row, {"until": _until(ends), **row.value, "closed": True})
        return keys

    def first(self, name: str, most: int, but: Collection[Key] = ()) -> Sequence[Key]:
        """The first who wait on what has this name, `but` these. One listing."""
        found = self._ledger.waiting_on(name, most + len(but))
        return [key for key in found if key not in but][:most]

    def _takes(
        self, c: Continuation, route: Route, slot: str, ends: datetime, *, called: bool
    ) -> Full | None:
        """None if the place could be had; not, if others are faster again and again."""
        limit, full = route.limit, None
        assert limit is not None  # noqa: S101 - for the type checker
        for tried in range(TRIES):
            row = self._ledger.shared(slot)
            closed = row.value.get("closed") and not called
            full = Full(ends, _taken(row.value), limit.count, 1 if limit.per == "h" else 24)
            if own := _earlier(row.value, c):
                value, looks = _with_for(row.value, own, c), False
            elif full.taken >= limit.count or (closed and self._others_wait(route, c.key)):
                return full
            else:
                looks = row.version is None and not called
                value = _with(row.value, c, limit.count, opens=not (called or looks))
            if value == row.value or self._put(row, {**value, "until": _until(ends)}):
                return full if looks and self._stands_back(route, c, slot) else None
            self._clock.sleep(_pause(c.key, tried))
        return full

    def _stands_back(self, route: Route, c: Continuation, slot: str) -> bool:
        """Whether the first of a window gives its place back, since somebody has waited longer.

        It is taken before that is known, so that of many who come first one only has to look.
        """
        waits = self._others_wait(route, c.key)
        if waits:
            self._change(c.key, slot, lambda value: _without(value, c))
        return waits

    def _others_wait(self, route: Route, key: Key) -> bool:
        return self._ledger.is_awaited(line(route.name), key)

    def _change(self, key: Key, slot: str, to: Change) -> None:
        """If others are faster again and again, the place stays taken for its window."""
        for tried in range(TRIES):
            row = self._ledger.shared(slot)
            value = to(row.value)
            if value == row.value or self._put(row, value):
                return
            self._clock.sleep(_pause(key, tried))

    def _put(self, row: Shared, value: Mapping[str, Any]) -> bool:
        try:
            self._ledger.share(row, value)
        except Lost:
            return False
        return True


def _taken(value: Mapping[str, Any]) -> int:
    return int(value.get("taken", 0))


def _taker(c: Continuation) -> str:
    """Stands for this attempt at it: each belongs to one process."""
    replays = sum(step.what == REPLAYED for step in c.history)
    return f"{c.key.hash}.{replays}.{c.attempts}"


def _earlier(value: Mapping[str, Any], c: Continuation) -> str:
    """Who took a place for it before, in this attempt or in one that died; "" if nobody did."""
    takers: Sequence[str] = value.get("by", ())
    return next((taker for taker in takers if taker.partition(".")[0] == c.key.hash), "")


def _with_for(value: Mapping[str, Any], taker: str, c: Continuation) -> dict[str, Any]:
    """The place that this one took for it is this attempt's from now on."""
    return {**value, "by": [_taker(c) if known == taker else known for known in value["by"]]}


def _with(value: Mapping[str, Any], c: Continuation, count: int, *, opens: bool) -> dict[str, Any]:
    """With one more taker. Who looked and found nobody waiting `opens` the row to others."""
    taken, by = _taken(value) + 1, [*value.get("by", ()), _taker(c)][-MOST_NAMED:]
    closed = taken >= count or (not opens and bool(value.get("closed", True)))
    return {"taken": taken, "by": by, "closed": closed}


def _without(value: Mapping[str, Any], c: Continuation) -> dict[str, Any]:
    """Without this taker, if it is known as such."""
    by = [*value.get("by", ())]
    if _taker(c) not in by:
        return dict(value)
    by.remove(_taker(c))
    return {**value, "taken": max(0, _taken(value) - 1), "by": by}


def _until(ends: datetime) -> str:
    """How long the row of a window is of use."""
    return (ends + KEPT_FOR).isoformat()


def _window(route: Route, now: datetime) -> tuple[str, datetime]:
    """The row of the clock hour or day of the limit, and when it ends."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if route.limit and route.limit.per == "h":
        return f"{line(route.name)}/{hour:%Y-%m-%dT%H}", hour + timedelta(hours=1)
    return f"{line(route.name)}/{hour:%Y-%m-%d}", hour.replace(hour=0) + timedelta(days=1)


def _pause(key: Key, tried: int) -> float:
    """Seconds: drawn from the key, so that those who met once do not meet again."""
    drawn = hashlib.sha256(f"{key.hash}#{tried}".encode()).digest()[0] / 256
    return FIRST_PAUSE * (1, 2, 4)[min(tried, 2)] * drawn
