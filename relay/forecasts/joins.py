"""What becomes of one of several runs that are joined, and of what goes on for all. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.facts.placeholders import MissingFact, as_text, look_up
from functions.core.facts.unusable import Unusable
from functions.core.routes import deciding
from functions.core.routes.deciding import End, Go, PutOff
from functions.core.routes.joins import coming, members
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State

if TYPE_CHECKING:
    from functions.core.facts.building import Facts
    from functions.core.routes.definition import Route
    from functions.core.terms.pipelines import PipelineRequest
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import RunEvent

    Found = tuple[End | PutOff, PipelineRequest | None]


def member(route: Route, event: RunEvent, known: Facts, policy: Policy) -> Found:
    """It is one of several; with the request of all of them, as far as this one tells it."""
    join = route.join
    assert join is not None  # noqa: S101 - see `Forecast`
    if other := join.is_for_others(event.experiment):
        return End(State.SKIPPED, Reason.NOT_JOINED, other), None
    try:
        value = as_text(look_up(join.by, known))
    except MissingFact as missing:
        return PutOff(Reason.FACTS_MISSING, str(missing), route.wait_for_facts), None
    except Unusable as wrong:
        return End(State.HELD, wrong.reason, wrong.detail), None
    joint, told = members.key_of(event.key(route.name), value), members.sample(value, event.run)
    facts = known | {members.FACTS: told}
    asked = deciding.decide(route, joint, facts, policy, ignore_gate=True)
    joined = End(State.SKIPPED, Reason.JOINED, joint.text)
    return joined, asked.request if isinstance(asked, Go) else None


def retold(route: Route, event: RunEvent) -> RunEvent:
    """What the joint one is about by what the route says now."""
    assert route.join is not None  # noqa: S101 - the same
    return members.told_anew(event, route.join)


def without(route: Route, event: RunEvent) -> End | None:
    """How the joint one ends without a start, once nobody is waited for."""
    assert route.join is not None  # noqa: S101 - the same
    return coming.without(event, route.join)
