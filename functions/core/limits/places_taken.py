"""Places of which so many can be taken: who takes one, who gives it back, and who waits in line.

A limit's place is given back (`windows`); a group's never is (`groups`).

    ROW   {"taken": 3, "by": [TAKER, ...], "closed": true, "until": TIME}

A place is taken by ETag before the ask. `by` names the newest takers (HASH.BEGUN.ATTEMPTS), so
that who died after taking it finds its place again: it is then that of the later attempt, and an
earlier one that wakes up gives back none.

The line are those whose row in the schedule waits on the name of the lot's line: the reconciler
calls them as places are free, who was claimed first goes first. `closed` tells who comes new to
look whether anybody waits before it takes a place: it is set with the first place and with the
last one, and where the reconciler finds somebody waiting. docs/adr/0019-limits-and-lines.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from functions.core.kept.continuation import CLAIMED, REPLAYED
from functions.core.limits.turns import is_claimed_before, pause
from functions.core.terms.errors import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger, Shared
    from functions.core.terms.deadline import Clock
    from functions.core.terms.reasons import Reason
    from functions.core.terms.runs import Key

    Value = Mapping[str, Any]
    Change = Callable[[Value], Value]

MOST_NAMED = 200  # takers that a row remembers: a place is given back within seconds, or never
TRIES = 5  # of a change that others were faster with


class Full(NamedTuple):
    """No place: why, the line, `until` when; the group that it `wants`, and what names that."""

    reason: Reason
    said: str
    line: str
    until: datetime | None = None
    wants: str = ""
    group_by: str = ""


class Lot(Protocol):
    """Places that are counted in one row, at most so many; `until` then the row is of use."""

    @property
    def row(self) -> str:
        """The name of the shared row."""

    @property
    def line(self) -> str:
        """What those wait on who find no place."""

    @property
    def most(self) -> int:
        """How many places there are."""

    @property
    def until(self) -> datetime:
        """How long the row is of use."""

    def left(self, value: Value, but: Key | None = None) -> Value:
        """The row without those who need their places no more; asked where it seems full.

        `but`: without this one either, unless its place counts however few there are by now.
        """

    def noted(self, value: Value, c: Continuation) -> Value:
        """What the row says besides, now that this one takes a place."""


class Places:
    """Takes and gives back places, whoever else does."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def take(
        self, c: Continuation, lot: Lot, *, called: bool = False, waited: bool = False
    ) -> Value | None:
        """None if a place could be had, else what its row says; so it is if others are faster.

        Two requests, three where the row is closed, and what the lot asks where it seems full. Who
        is `called` goes before all others; who has `waited` for a place in another lot, and has it,
        before those claimed later, so that no two let each other go first for ever.
        """
        there: Value = {}
        for tried in range(TRIES):
            row = self._ledger.shared(lot.row)
            own, there, looks = earlier(row.value, c), row.value, False
            if taken(there) >= lot.most + bool(own):
                there = lot.left(there, c.key)
                own = earlier(there, c)
            closed = there.get("closed") and not called
            value: Value
            if own:
                value = _with_for(there, own, c)
            elif taken(there) >= lot.most or (closed and self._is_behind(lot, c, waited=waited)):
                return there
            else:
                looks = row.version is None and not called
                value = joined(there, c, lot.most, opens=not (called or looks))
            value = lot.noted(value, c)
            if value == row.value or self._put(row, {**value, "until": lot.until.isoformat()}):
                return there if looks and self._stands_back(lot, c, waited=waited) else None
            self._clock.sleep(pause(c.key, tried))
        return there

    def give_back(self, c: Continuation, row: str, *, any_attempt: bool = False) -> None:
        """Let another have the place that it (or `any_attempt` at it) took. Two requests."""
        self._change(c.key, row, lambda value: _without(value, c, any_attempt=any_attempt))

    def call(self, lot: Lot, most: int, but: Collection[Key] = ()) -> Sequence[Key]:
        """Who may go now `but` these, those first that were claimed first.

        One request while all places are taken, else a listing of the line as well.
        """
        row = self._ledger.shared(lot.row)
        free = lot.most - taken(row.value)
        if free <= 0:
            return []
        keys = self.first(lot.line, min(free, most), but)
        if keys:
            self.close(row, lot)
        return keys

    def close(self, row: Shared, lot: Lot) -> None:
        """Have who comes new look for those who wait: one request, if that is not said yet."""
        if not row.value.get("closed"):
            self._put(row, {"until": lot.until.isoformat(), **row.value, "closed": True})

    def first(self, name: str, most: int, but: Collection[Key] = ()) -> Sequence[Key]:
        """The first who wait on what has this name, `but` these. One listing."""
        found = self._ledger.waiting_on(name, most + len(but))
        return [key for key in found if key not in but][:most]

    def _stands_back(self, lot: Lot, c: Continuation, *, waited: bool) -> bool:
        """Whether the first of a row gives its place back, since somebody has waited longer.

        It is taken before that is known, so that of many who come first one only has to look.
        """
        waits = self._is_behind(lot, c, waited=waited)
        if waits:
            self._change(c.key, lot.row, lambda value: _without(value, c))
        return waits

    def _is_behind(self, lot: Lot, c: Continuation, *, waited: bool) -> bool:
        others_wait = self._ledger.is_awaited(lot.line, c.key)
        return others_wait and not (waited and is_claimed_before(self._ledger, c, lot.line))

    def _change(self, key: Key, name: str, to: Change) -> None:
        """If others are faster again and again, the place stays taken."""
        for tried in range(TRIES):
            row = self._ledger.shared(name)
            value = to(row.value)
            if value == row.value or self._put(row, value):
                return
            self._clock.sleep(pause(key, tried))

    def _put(self, row: Shared, value: Value) -> bool:
        try:
            self._ledger.share(row, value)
        except Lost:
            return False
        return True


def taken(value: Value) -> int:
    """How many places are taken."""
    return int(value.get("taken", 0))


def of(taker: str) -> str:
    """The hash of the continuation that a taker is an attempt at."""
    return taker.partition(".")[0]


def _taker(c: Continuation) -> str:
    """Stands for this attempt at it: each belongs to one process."""
    begun = sum(step.what in {CLAIMED, REPLAYED} for step in c.history) - 1
    return f"{c.key.hash}.{begun}.{c.attempts}"


def earlier(value: Value, c: Continuation) -> str:
    """Who took a place for it before, in this attempt or in one that died; "" if nobody did."""
    takers: Sequence[str] = value.get("by", ())
    return next((taker for taker in takers if of(taker) == c.key.hash), "")


def _with_for(value: Value, taker: str, c: Continuation) -> dict[str, Any]:
    """The place that this one took for it is this attempt's from now on."""
    return {**value, "by": [_taker(c) if known == taker else known for known in value["by"]]}


def joined(value: Value, c: Continuation, count: int, *, opens: bool) -> dict[str, Any]:
    """With one more taker. Who looked and found nobody waiting `opens` the row to others."""
    now, by = taken(value) + 1, [*value.get("by", ()), _taker(c)][-MOST_NAMED:]
    closed = now >= count or (not opens and bool(value.get("closed", True)))
    return {**value, "taken": now, "by": by, "closed": closed}


def _without(value: Value, c: Continuation, *, any_attempt: bool = False) -> dict[str, Any]:
    """Without this taker, if it is known as such."""
    by, own = [*value.get("by", ())], _taker(c)
    if any_attempt and (known := earlier(value, c)).startswith(own.rpartition(".")[0] + "."):
        own = known
    if own not in by:
        return dict(value)
    by.remove(own)
    return {**value, "taken": max(0, taken(value) - 1), "by": by}
