"""Which routes a run would have met but for what can change after its end: its tags. Pure.

Outcome, workspace and what a run is part of stay as they are; that AML renames an experiment is
not documented. https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.events import model_events, parsing
from functions.core.routes import filters
from functions.core.routes.filters import Misfit
from functions.core.terms.words import Outcome
from functions.core.texts.bounds import bounded
from functions.core.texts.times import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.runs import RunEvent
    from functions.core.terms.standing import Promotion

MOST_TOLD = 3  # routes, of those that do not match
CHANGING = tuple(one for one in filters.FILTERS if one.may_change)


def is_swept(route: Route) -> bool:
    """Whether the sweep can find runs for the route; which do not respond only events tell."""
    is_about_ends = route.is_about_runs and route.outcomes != {Outcome.NOT_RESPONDING}
    return route.start is not None and is_about_ends and not route.needs.only_event


def is_served(route: Route | None, outcome: Outcome) -> bool:
    """Whether the route starts something for what is about that; a joint one only if it joins."""
    if route is None or route.start is None:
        return False
    return outcome is not Outcome.JOINED or bool(route.join or route.after)


def meant(c: Continuation, routes: Routes) -> Route | None:
    """The route that it is on; None where there is none, or where another one has its name by now.

    What goes on by an end is never on a route that events concern, nor the other way round; and
    what began with an event is on none that does not follow it any more.
    """
    route = _namesake(c, routes)
    return route if route and not _strays(c, route, routes) else None


def lacking(c: Continuation, routes: Routes) -> str:
    """Why there is no route that it is on, in words."""
    name = c.key.route
    if (route := _namesake(c, routes)) and (odd := _strays(c, route, routes)):
        whose = "version" if route.promoted else "run"
        has = f"and the {whose} has {_has(odd)}"
        if odd.by and odd.by.only_event and not c.event.was_sent:
            has = "which only an event tells, and the sweep found the run without one"
        wants = f"{odd.filter} {odd.wanted}, {has}"
        return bounded(f"the route {name} of today does not follow it: it wants {wants}")
    return (
        f"the route {name} of today is another" if routes.named(name) else f"no route {name} today"
    )


def _namesake(c: Continuation, routes: Routes) -> Route | None:
    from functions.core.kept import after  # noqa: PLC0415 - for rounds, not for events

    route = routes.named(c.key.route)
    return route if route and bool(route.after) is bool(after.end(c.event)) else None


def _strays(c: Continuation, route: Route, routes: Routes) -> Misfit | None:
    """What its news, as the row has it, does not fit of a route that may have been changed since.

    Where the row had no room for a text, tags and properties say nothing. What is joined, and what
    goes on by an end, was judged before.
    """
    if route.after or c.key.outcome is Outcome.JOINED or c.file == routes.file:
        return None
    odd = filters.misfit(c.event, route)
    if odd and odd.by and odd.by.asked_again:
        texts = (*c.event.properties.values(), *(c.event.tags or {}).values())
        return None if LEFT_OUT in texts else odd
    return odd or (_promoted_otherwise(c.event, route.promoted) if route.promoted else None)


def _promoted_otherwise(event: RunEvent, wanted: Promotion) -> Misfit | None:
    """What the news of a promotion does not fit of the one that a route is about by now.

    It tells the value, and not whether an alias, a tag or a stage has it.
    """
    name = str(event.given.get(model_events.PROMOTED.root, {}).get("name", ""))
    if not filters.fits(wanted.model, name):
        return Misfit("promoted.model", str(wanted.model), name)
    has, value = model_events.promoted_as(event), model_events.escaped(wanted.value)
    is_other = has and has.casefold() != value.casefold()
    return Misfit("promoted", str(wanted), has) if is_other else None


def matching(event: RunEvent, routes: Routes) -> Iterator[tuple[Route, str]]:
    """The routes that the sweep would take the run up on with other tags, and why not now."""
    for route in routes.routes:
        if why := missed_by(event, route):
            yield route, why


class Unmatched:
    """Why no route takes an event: told only where somebody reads it, since most events are so."""

    def __init__(self, event: RunEvent, routes: Routes) -> None:
        self._event, self._routes = event, routes

    def __str__(self) -> str:
        """Of the first routes what each wants, those first that are about such an outcome."""
        asked = ((route, filters.misfit(self._event, route)) for route in self._routes.routes)
        unlike = [(route.name, one) for route, one in asked if one]
        unlike.sort(key=lambda pair: pair[1].filter == "outcome")
        told = [f"{name} wants {one.filter} {one.wanted}, not {_has(one)}" for name, one in unlike]
        more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
        return f"no route matches: {'; '.join([*told[:MOST_TOLD], *more])}".rstrip(": ")


def missed_by(event: RunEvent, route: Route) -> str:
    """What keeps the run from a route that it nearly fits; "" where it fits or is far from it."""
    if not any(one.wanted(route.match) for one in CHANGING):  # most routes, at each event
        return ""
    unlike = filters.misfit(event, route)
    if unlike is None or unlike.by not in CHANGING:
        return ""
    if not is_swept(route) or (parsing.is_child(event) and not route.children):
        return ""
    return f"its filter {unlike.filter} wants {unlike.wanted}, and the run has {_has(unlike)}"


def _has(unlike: Misfit) -> str:
    return "none" if unlike.found is None else unlike.found or "an empty one"
