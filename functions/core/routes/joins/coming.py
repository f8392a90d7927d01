"""What becomes of a joint continuation with each member that comes, and when it goes on. Pure.

docs/adr/0039-several-runs-are-joined.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.kept.continuation import CLAIMED, PARKED, Continuation, Step
from functions.core.kept.history import JOINED, fitting
from functions.core.routes.deciding import End
from functions.core.routes.joins import members
from functions.core.routes.joins.join import IfOneFails, waits_on
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import RunEvent
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.routes.joins.join import Join
    from functions.core.routes.joins.members import Member

ASKED_OTHERWISE = "the route asks for others by now"  # what lets a held one go on


def opened(c: Continuation, join: Join, value: str, now: datetime) -> Continuation:
    """A new one without members, which ends its waiting when `within` is over."""
    key = members.key_of(c.key, value)
    given = {members.FACTS: members.facts(join, value, [])}
    event = RunEvent(
        id=key.text,
        type=members.FACTS,
        subject="",
        time=now,
        workspace=c.event.workspace,
        run=key.run,
        outcome=key.outcome,
        given=given,
    )
    return Continuation(
        key=key,
        event=event,
        created_at=now,
        updated_at=now,
        due_at=now + join.within,
        reason=Reason.INCOMPLETE,
        detail=members.waiting_for(join, event),
        waits_on=waits_on(key.route),
        file=c.file,
        history=(Step(now, CLAIMED, bounded(f"{members.BEGUN}{c.key.run}", 200)),),
    )


def taken_in(c: Continuation, join: Join, new: Member, now: datetime) -> Continuation | str:
    """With one more; itself where it is there already; or why it is not to be one."""
    there = members.members(c.event)
    own = members.counted(join, there)
    if new in there:
        return c
    if c.asked_at is not None or c.state not in {State.OPEN, State.HELD}:
        return f"comes after that was {'asked for' if c.asked_at else c.state}"
    known = _known(own, join, new)
    stays = known and (known.outcome in join.well or new.outcome not in join.well)
    if known and stays and known.run != new.run:
        return f"has run {known.run} already, which is {known.outcome}"
    if known is None and len(own) >= join.number:
        return f"has {join.number} already"
    gone = {new.run, known.run if known else ""}
    return _with([*(one for one in there if one.run not in gone), new], c, join, now)


def woken(c: Continuation, join: Join, now: datetime) -> Continuation:
    """Due at once, where it waits, or is held, for others that the route asks for no more."""
    if not members.is_whole(join, c.event) or not _waits(c) or c.asked_at is not None:
        return c
    if c.is_open:
        waits = c.waits_on == waits_on(c.key.route)
        return replace(awaits_nobody(c, now), due_at=now, waits_on="") if waits else c
    event = members.told_anew(c.event, join)
    if c.state is not State.HELD or event.given[members.FACTS]["failed"]:
        return c
    step = Step(now, PARKED, f"{Reason.INCOMPLETE} {ASKED_OTHERWISE}")
    more = replace(c, event=event, updated_at=now, history=fitting(*c.history, step))
    return _again(more, now, members.told_of(join, event))


def asked_anew(c: Continuation, join: Join, now: datetime) -> Continuation:
    """One that waits, as the route has it today: due at once, or sooner, or as it was."""
    to = woken(c, join, now)
    if to is not c or not c.is_open or c.waits_on != waits_on(c.key.route):
        return to
    due, said = min(c.due_at, c.created_at + join.within), members.waiting_for(join, c.event)
    return c if (due, said) == (c.due_at, c.detail) else replace(c, due_at=due, detail=said)


def awaits_nobody(c: Continuation, now: datetime) -> Continuation:
    """The same, with since when that is so, unless it is known."""
    return replace(c, since={**c.since, Reason.JOINED: c.since.get(Reason.JOINED, now)})


def _known(there: Sequence[Member], join: Join, new: Member) -> Member | None:
    """The one whose place it would take: its own, its experiment's, or one that failed."""
    if own := next((one for one in there if one.run == new.run), None):
        return own
    if join.experiments:
        return next((one for one in there if one.experiment == new.experiment), None)
    failed = (one for one in there if one.outcome not in join.well)
    may = len(there) >= join.number and new.outcome in join.well
    return next(failed, None) if may else None


def _with(there: list[Member], c: Continuation, join: Join, now: datetime) -> Continuation:
    """As it is with these: due at once where it waited for this, open again where it was held.

    Whatever held it: it is asked anew once all have ended well, and with each that comes where it
    may start without some. What stays held is so since then.
    """
    new = there[-1]
    told = members.facts(join, c.event.given[members.FACTS]["by"], there)
    event = replace(c.event, given={**c.event.given, members.FACTS: told}, time=now)
    step = Step(now, JOINED, bounded(f"run {new.run} {new.outcome}", 200))
    more = replace(c, event=event, updated_at=now, history=fitting(*c.history, step))
    whole = members.is_whole(join, event)
    if not c.is_open:
        if join.if_one_fails is IfOneFails.START or (whole and not told["failed"]):
            return _again(more, now, members.told_of(join, event))
        return replace(more, detail=members.told_of(join, event)) if _waits(c) else more
    if not _waits(c):
        return more
    if not whole:
        return replace(more, detail=members.waiting_for(join, event))
    said = members.told_of(join, event)
    return replace(awaits_nobody(more, now), detail=said, due_at=now, waits_on="")


def _waits(c: Continuation) -> bool:
    return c.reason is Reason.INCOMPLETE


def _again(c: Continuation, now: datetime, said: str) -> Continuation:
    """Open again, from the beginning."""
    return replace(
        c,
        state=State.OPEN,
        reason=Reason.INCOMPLETE,
        detail=said,
        due_at=now,
        since={Reason.JOINED: now},
        waits_on="",
    )


def judged(c: Continuation, join: Join, now: datetime) -> End | datetime | None:
    """How it ends without a start, until when it waits for others, or None: it goes on."""
    until = c.created_at + join.within
    if not members.is_whole(join, c.event) and now < until and not c.ignore_gate:
        return until
    return None if c.ignore_gate else without(c.event, join)


def without(event: RunEvent, join: Join) -> End | None:
    """How it ends without a start once nobody is waited for; None: it goes on."""
    there = members.counted(join, members.members(event))
    fine = members.is_whole(join, event) and all(one.outcome in join.well for one in there)
    if fine or join.if_one_fails is IfOneFails.START:
        return None
    held = join.if_one_fails is IfOneFails.HOLD
    state = State.HELD if held else State.FAILED
    return End(state, Reason.INCOMPLETE, members.told_of(join, event))
