"""The places of a `concurrency` group: so many starts whose pipeline runs have not ended.

    group/NAME   {"taken": 1, "by": [TAKER], "keys": {HASH: [WORKSPACE, RUN, OUTCOME, ROUTE]},
                  "at": TIME, "closed": true, "until": TIME}

A place is taken as one in a limit is, and never given back: whoever wants one reads the rows of
those who have taken all, and who needs its place no more is not counted. So nothing that is left
undone can keep a place. docs/adr/0033-one-at-a-time.md
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from functions.core.kept.continuation import HASTENED, PARKED, REPLAYED
from functions.core.kept.history import last
from functions.core.limits.places_taken import Full, Places, earlier, joined, of, taken
from functions.core.ports.ledger import Entry
from functions.core.terms.errors import Unreadable
from functions.core.terms.policy import FOLLOWED_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import GROUP, Outcome, State

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.limits.places_taken import Value
    from functions.core.ports.ledger import Ledger
    from functions.core.terms.deadline import Clock

LET_GO = FOLLOWED_FOR + timedelta(days=5)  # after the last request: by then its end is `lost`
_AT_REST = frozenset({PARKED, HASTENED, REPLAYED, State.HELD})  # from here a place is taken anew
_MOST_TOLD = 3


class Holder(NamedTuple):
    """Who has a place: its key, and the continuation where this version can read it."""

    key: Key
    continuation: Continuation | None = None

    def __str__(self) -> str:
        """As people read it."""
        c = self.continuation
        if c is None:
            return self.key.text
        where = f"pipeline run {c.pipeline_run}" if c.pipeline_run else f"{c.state}, {c.reason}"
        return f"{self.key.text} ({where})"


class Groups:
    """Takes places in groups, and knows who has them."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self.places = Places(ledger, clock)

    def take(
        self, entry: Entry, name: str, most: int, *, called: bool = False, waited: bool = False
    ) -> Entry | Full:
        """Take a place in the group of this name, of so many, or tell who has them.

        Three requests, and where all seem to be taken one for each who has one. Who goes first is
        as `Places.take` has it.
        """
        c = entry.continuation
        if c.group != name:
            lot = self.lot(name, most)
            there = self.places.take(c, lot, called=called, waited=waited)
            if there is not None:
                return Full(Reason.CONCURRENCY, lot.said(taken(there)), name)
        return Entry(msgspec.structs.replace(c, group=name), entry.version)

    def hold(self, c: Continuation) -> None:
        """Have its place count from now on, also one that was free: its end was another's.

        Two requests.
        """
        from functions.core.ports import shared  # noqa: PLC0415 - few starts need it

        lot = self.lot(c.group, 1)

        def held(value: Value) -> Value:
            has = earlier(value, c)
            by = value if has else lot.noted(joined(value, c, lot.most, opens=False), c)
            return {**by, "until": lot.until.isoformat()}

        shared.change(self._ledger, c.group, held)

    @property
    def now(self) -> datetime:
        """The time of day."""
        return self._clock.now()

    def lot(self, name: str, most: int) -> GroupLot:
        """The places of a group."""
        return GroupLot(self._ledger, self._clock.now(), name, most)

    def holders(self, name: str) -> list[Holder]:
        """Who has a place by now: a request, and one for each who took one."""
        lot = self.lot(name, 1)
        lot.left(self._ledger.shared(name).value)
        return lot.held


class GroupLot:
    """A lot of places, each of which is free once who took it needs it no more.

    `held`: who had one when it was last asked what is `left`; `over`: who had one for so long that
    nobody waits for its end any more.
    """

    def __init__(self, ledger: Ledger, now: datetime, name: str, most: int) -> None:
        self._ledger, self._now = ledger, now
        self.row = self.line = name
        self.most = most
        self.until = now + LET_GO + timedelta(days=1)
        self.held: list[Holder] = []
        self.over: list[Holder] = []

    def left(self, value: Value, but: Key | None = None) -> Value:
        """Only who needs its place: one request for each; `but` this one, who asks for one."""
        self.over.clear()
        found = {taker: self._holder(key) for taker, key in _taken_by(value) if key != but}
        needed = {taker: holder for taker, holder in found.items() if holder}
        self.held = [*needed.values()]
        return {**value, "taken": len(needed), "by": [*needed]}

    def noted(self, value: Value, c: Continuation) -> Value:
        """Whose the places are, and when it was written, so that no two writes are the same."""
        key, by = c.key, {of(taker) for taker in value["by"]}
        keys = {hashed: named for hashed, named in value.get("keys", {}).items() if hashed in by}
        own = [key.workspace, key.run, key.outcome, key.route]
        return {**value, "keys": {**keys, key.hash: own}, "at": self._now.isoformat()}

    def said(self, count: int) -> str:
        """Who has the places, in words."""
        shown = self.row.removeprefix(GROUP)
        if count < self.most:
            return f"others of the group {shown} wait for its turn before"
        more = f" and {len(self.held) - _MOST_TOLD} more" if len(self.held) > _MOST_TOLD else ""
        names = ", ".join(map(str, self.held[:_MOST_TOLD]))
        return f"{count} of {self.most} of the group {shown}: {names}{more}"

    def _holder(self, key: Key) -> Holder | None:
        """Who has the place that was taken for this key, if it still needs it."""
        try:
            entry = self._ledger.read(key)
        except Unreadable:  # a newer version's: nobody here can tell that it has ended
            return Holder(key)
        c = entry.continuation if entry else None
        if c is None or not _needs(c, self.row):
            return None
        asked_at = c.sent_at or c.asked_at
        if asked_at and self._now - asked_at >= LET_GO:
            self.over.append(Holder(key, c))
            return None
        return Holder(key, c)


def _taken_by(value: Value) -> list[tuple[str, Key]]:
    """The takers whose keys are known; one without cannot be asked, and has none."""
    keys = value.get("keys", {})
    known = ((taker, keys.get(of(taker))) for taker in value.get("by", ()))
    return [(taker, Key(k[0], k[1], Outcome(k[2]), k[3])) for taker, k in known if k]


def _needs(c: Continuation, name: str) -> bool:
    """Whether it needs its place in this group.

    Who was asked for does until its pipeline run has ended, also where it may only have been
    queued; who was not does while a process may be at work on it: it may write the mark.
    """
    if c.ended or c.group not in {"", name}:
        return False
    is_asked = c.asked_at is not None or c.state is State.STARTED
    step = last(c)
    return is_asked or (c.state.may_be_open and step is not None and step.what not in _AT_REST)
