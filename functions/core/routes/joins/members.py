"""The members of a joint continuation, which stand in its own row. Pure.

    given.join   {"by": VALUE, "runs": [RUN, ...], "failed": [RUN, ...], "missing": 1,
                  "members": [[RUN, OUTCOME, EXPERIMENT], ...]}

All but `members` are the facts that gates and parameters may name. docs/adr/0039
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from functions.core.routes.joins.join import identity
from functions.core.terms.words import Outcome
from functions.core.texts import bounds
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.routes.joins.join import Join
    from functions.core.terms.runs import Key, RunEvent

FACTS = "join"  # what the facts of a join are called
BEGUN = "join, begun by run "  # how the history of a joint continuation begins
_MEMBERS = "members"
NO_JOIN = "the route joins no runs any more"
_MOST_NAMED = 3


class Member(NamedTuple):
    """A run that has ended, and its experiment, as the route names it where it does."""

    run: str
    outcome: str
    experiment: str


def key_of(member: Key, value: str) -> Key:
    """The joint continuation of those on the route that have this value."""
    return replace(member, run=identity(value), outcome=Outcome.JOINED)


def joint_of(member: Key, told: str) -> Key:
    """The same by what is said of a member: `ROUTE/VALUE/Joined: 2 of 3`."""
    text = bounds.meant(told.rpartition(": ")[0]).removesuffix(f"/{Outcome.JOINED}")
    return replace(member, run=text.removeprefix(f"{member.route}/"), outcome=Outcome.JOINED)


def members(event: RunEvent) -> list[Member]:
    """Those that it has."""
    return [Member(*told) for told in event.given.get(FACTS, {}).get(_MEMBERS, ())]


def counted(join: Join, there: Sequence[Member]) -> list[Member]:
    """Those that the route asks for today: the route file may have changed since they came."""
    if not join.experiments:
        return [*there]
    found: dict[str, Member] = {}
    for one in there:
        place = join.place(one.experiment)
        known = found.get(place)
        if known is None or one.outcome in join.well or known.outcome not in join.well:
            found[place] = one._replace(experiment=place)
    return [one for place, one in found.items() if place]


def is_whole(join: Join, event: RunEvent) -> bool:
    """Whether all have ended."""
    return len(counted(join, members(event))) >= join.number


def facts(join: Join, value: str, there: Sequence[Member]) -> dict[str, Any]:
    """What gates and parameters may name, as the route has it today, and all members."""
    own = counted(join, there)
    return {
        "by": value,
        "runs": [one.run for one in own if one.outcome in join.well],
        "failed": [one.run for one in own if one.outcome not in join.well],
        "missing": max(0, join.number - len(own)),
        _MEMBERS: [list(one) for one in there],
    }


def told_anew(event: RunEvent, join: Join) -> RunEvent:
    """The news of a joint one, with its facts as the route has them today."""
    value, there = str(event.given.get(FACTS, {}).get("by", "")), members(event)
    return replace(event, given={**event.given, FACTS: facts(join, value, there)})


def is_lacking(event: RunEvent) -> bool:
    """Whether a run that failed or is missing may still come, by what was known last."""
    told = event.given.get(FACTS, {})
    return bool(told.get("missing") or told.get("failed"))


def left_over(event: RunEvent) -> str:
    """Why it does not go on by itself on a route that joins nothing any more; "" if it does."""
    told = event.given.get(FACTS, {})
    if not is_lacking(event):
        return ""
    failed, missing = len(told.get("failed", ())), told.get("missing")
    return f"{NO_JOIN}: {failed} of this join failed, {missing} are missing"


def waiting_for(join: Join, event: RunEvent) -> str:
    """How many are there, and who is waited for, in words."""
    there = counted(join, members(event))
    have = {one.experiment for one in there}
    left = [name for name in join.experiments if name not in have]
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    named = f"; waits for {', '.join(left[:_MOST_NAMED])}{more}" if left else ""
    return bounded(f"{len(there)} of {join.number}{named}")


def told_of(join: Join, event: RunEvent) -> str:
    """How many are there, and who failed, in words."""
    there = counted(join, members(event))
    failed = [f"{one.run} {one.outcome}" for one in there if one.outcome not in join.well]
    more = f" and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    named = f"; failed: {', '.join(failed[:_MOST_NAMED])}{more}" if failed else ""
    return bounded(f"{waiting_for(join, event)}{named}")


def sample(value: str, run: str) -> dict[str, Any]:
    """The facts as they may be once all have ended, where that is not known yet."""
    return {"by": value, "runs": [run], "failed": [], "missing": 0}
