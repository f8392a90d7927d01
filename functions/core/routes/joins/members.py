"""The members of a joint continuation, which stand in its own row. Pure.

    given.join   {"by": VALUE, "runs": [RUN, ...], "failed": [RUN, ...], "missing": 1,
                  "members": [[RUN, OUTCOME, EXPERIMENT], ...]}

All but `members` are the facts that gates and parameters may name. docs/adr/0039
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from functions.core.kept.continuation import CLAIMED, Continuation, Step
from functions.core.kept.history import fitting
from functions.core.routes.deciding import End
from functions.core.routes.joins.join import IfOneFails, identity, waits_on
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key, RunEvent
from functions.core.terms.words import Outcome, State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.routes.joins.join import Join

FACTS = "join"  # what the facts of a join are called
BEGUN = "join, begun by run "  # how the history of a joint continuation begins
JOINED = "joined"
_MEMBERS = "members"
_MOST_NAMED = 3


class Member(NamedTuple):
    """A run that has ended, and which of the experiments that are waited for it is of."""

    run: str
    outcome: str
    experiment: str


def key_of(member: Key, value: str) -> Key:
    """The joint continuation of those on the route that have this value."""
    return replace(member, run=identity(value), outcome=Outcome.JOINED)


def opened(c: Continuation, join: Join, value: str, now: datetime) -> Continuation:
    """A new one without members, which ends its waiting when `within` is over."""
    key = key_of(c.key, value)
    given = {FACTS: _facts(join, value, [])}
    event = RunEvent(
        id=key.text,
        type=FACTS,
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
        detail=waiting_for(join, event),
        waits_on=waits_on(key.route),
        file=c.file,
        history=(Step(now, CLAIMED, bounded(f"{BEGUN}{c.key.run}", 200)),),
    )


def members(event: RunEvent) -> list[Member]:
    """Those that it has."""
    return [Member(*told) for told in event.given.get(FACTS, {}).get(_MEMBERS, ())]


def is_whole(join: Join, event: RunEvent) -> bool:
    """Whether all have ended."""
    return len(members(event)) >= join.number


def taken_in(c: Continuation, join: Join, new: Member, now: datetime) -> Continuation | str:
    """With one more; itself where it is there already; or why it is not to be one."""
    there = members(c.event)
    if new in there:
        return c
    if c.asked_at is not None or c.state not in {State.OPEN, State.HELD}:
        return f"comes after that was {'asked for' if c.asked_at else c.state}"
    known = _known(there, join, new)
    stays = known and (known.outcome in join.well or new.outcome not in join.well)
    if known and stays and known.run != new.run:
        return f"has run {known.run} already, which is {known.outcome}"
    if known is None and len(there) >= join.number:
        return f"has {join.number} already"
    return _with([*(one for one in there if one != known), new], c, join, now)


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
    """As it is with these: due at once where it waited for this, open again where it was held."""
    new = there[-1]
    told = _facts(join, c.event.given[FACTS]["by"], there)
    event = replace(c.event, given={**c.event.given, FACTS: told}, time=now)
    step = Step(now, JOINED, bounded(f"run {new.run} {new.outcome}", 200))
    more = replace(c, event=event, updated_at=now, history=fitting(*c.history, step))
    if c.reason is not Reason.INCOMPLETE:
        return more
    goes = is_whole(join, event) and (c.is_open or not told["failed"])
    if not (goes or c.is_open):
        return replace(more, detail=_said(join, event))
    detail = _said(join, event) if goes else waiting_for(join, event)
    return replace(
        more,
        state=State.OPEN,
        detail=detail,
        due_at=now if goes else c.due_at,
        waits_on="" if goes else c.waits_on,
    )


def _facts(join: Join, value: str, there: Sequence[Member]) -> dict[str, Any]:
    well = [one.run for one in there if one.outcome in join.well]
    return {
        "by": value,
        "runs": well,
        "failed": [one.run for one in there if one.outcome not in join.well],
        "missing": max(0, join.number - len(there)),
        _MEMBERS: [list(one) for one in there],
    }


def judged(c: Continuation, join: Join, now: datetime) -> End | datetime | None:
    """How it ends without a start, until when it waits for others, or None: it goes on."""
    until = c.created_at + join.within
    if not is_whole(join, c.event) and now < until and not c.ignore_gate:
        return until
    return None if c.ignore_gate else without(c.event, join)


def without(event: RunEvent, join: Join) -> End | None:
    """The same once nobody is waited for."""
    fine = is_whole(join, event) and all(one.outcome in join.well for one in members(event))
    if fine or join.if_one_fails is IfOneFails.START:
        return None
    held = join.if_one_fails is IfOneFails.HOLD
    state = State.HELD if held else State.FAILED
    return End(state, Reason.INCOMPLETE, _said(join, event))


def retold(event: RunEvent, join: Join) -> RunEvent | None:
    """What it would be by another `join`, of the members that it has; None where nobody can say.

    Of which experiment they are is not known of those that were counted.
    """
    there = members(event)
    if join.experiments and not all(one.experiment for one in there):
        return None
    fit = [one for one in there if not join.experiments or join.place(one.experiment)]
    told = _facts(join, event.given[FACTS]["by"], fit[: join.number])
    return replace(event, given={**event.given, FACTS: told})


def waiting_for(join: Join, event: RunEvent) -> str:
    """How many are there, and who is waited for, in words."""
    there = members(event)
    have = {one.experiment for one in there}
    left = [name for name in join.experiments if name not in have]
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    named = f"; waits for {', '.join(left[:_MOST_NAMED])}{more}" if left else ""
    return bounded(f"{len(there)} of {join.number}{named}")


def _said(join: Join, event: RunEvent) -> str:
    """How many are there, and who failed, in words."""
    failed = [f"{one.run} {one.outcome}" for one in members(event) if one.outcome not in join.well]
    more = f" and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    named = f"; failed: {', '.join(failed[:_MOST_NAMED])}{more}" if failed else ""
    return bounded(f"{waiting_for(join, event)}{named}")


def sample(value: str, run: str) -> dict[str, Any]:
    """The facts as they may be once all have ended, where that is not known yet."""
    return {"by": value, "runs": [run], "failed": [], "missing": 0}
