"""What a route of the right shape means, and every mistake in it at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from functions.core import gate, mentions
from functions.core.routefile import words
from functions.core.routefile.needs import needs_of
from functions.core.routefile.starting import start_of
from functions.core.routefile.wire import or_none
from functions.core.routes import WAIT_FOR_FACTS, Limit, Match, Route
from functions.core.values import Outcome, bounded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from functions.core.routefile.notes import At, Notes
    from functions.core.routefile.wire import Defaults, MatchEntry, RouteEntry


def route_of(entry: RouteEntry, defaults: Defaults, at: At, notes: Notes) -> Route:
    """The route that the entry means. It is of use only while `notes` holds no problem."""
    _check_combination(entry, at, notes)
    when = or_none(entry.when)
    start = None
    if not isinstance(entry.start, UnsetType):
        start = start_of(entry.start, defaults, (*at, "start"), notes)
    match = _match(entry.match, (*at, "match"), notes)
    return Route(
        name=fitting(entry.name, words.NAME, (*at, "name"), notes),
        outcomes=_outcomes(entry, (*at, "outcome"), notes),
        event=_event(entry, (*at, "event"), notes),
        match=match,
        children=entry.children,
        when=_when(when, (*at, "when"), notes),
        step=None if entry.step is UNSET else not_empty(entry.step, (*at, "step"), notes),
        wait_for_facts=_wait(entry.wait_for_facts, (*at, "wait_for_facts"), notes),
        limit=_limit(or_none(entry.limit), (*at, "limit"), notes),
        shadow=_mode(entry.mode, (*at, "mode"), notes) == "shadow",
        complete=entry.complete,
        start=start,
        needs=needs_of(match, when, start),
    )


def fitting(text: str, form: words.Form, at: At, notes: Notes) -> str:
    """The text, noted as a problem unless it has the form."""
    if not form.fits(text):
        notes.problem(at, f"`{bounded(text, 80)}` must be {form.allowed}")
    return text


def not_empty(text: object, at: At, notes: Notes) -> str:
    """The text, noted as a problem if nothing is in it."""
    if not str(text).strip():
        notes.problem(at, "is empty: leave it out, or say what it must be")
    return str(text)


def _check_combination(entry: RouteEntry, at: At, notes: Notes) -> None:
    if entry.start is UNSET and not entry.complete:
        notes.problem(at, "has neither `start` nor `complete: true`: nothing would follow")
    if entry.event is not UNSET and entry.outcome is not UNSET:
        notes.problem((*at, "event"), "stands beside `outcome`: a route is about one of them")


def _outcomes(entry: RouteEntry, at: At, notes: Notes) -> frozenset[Outcome]:
    if isinstance(entry.outcome, UnsetType):
        return frozenset({Outcome.COMPLETED} if entry.event is UNSET else ())
    named = [entry.outcome] if isinstance(entry.outcome, str) else entry.outcome
    if not named:
        notes.problem(at, f"is an empty list; allowed: {_list(Outcome)}")
    unknown = [name for name in named if name not in list(Outcome)]
    for name in unknown:
        notes.problem(at, _no_outcome(name))
    return frozenset(Outcome(name) for name in named if name not in unknown)


def _no_outcome(name: str) -> str:
    shown = f"`{bounded(name, 40)}`"
    if name.casefold() in (status.casefold() for status in words.GOING):
        return f"{shown} is no way to end: the run still goes on; allowed: {_list(Outcome)}"
    meant = {word.casefold(): str(outcome) for word, outcome in words.OTHER_WORDS.items()}
    meant |= {str(outcome).casefold(): str(outcome) for outcome in Outcome}
    near = difflib.get_close_matches(name.casefold(), meant, 1)
    guess = f"did you mean {meant[near[0]]}? " if near else ""
    return f"{shown} is no outcome; {guess}allowed: {_list(Outcome)}"


def _event(entry: RouteEntry, at: At, notes: Notes) -> str | None:
    name = or_none(entry.event)
    if name is not None and name not in words.EVENTS:
        allowed = f"allowed: {_list(words.EVENTS)}; for the end of a run say `outcome`"
        notes.problem(at, f"`{bounded(name, 60)}` is no event for a route; {allowed}")
    return name


def _match(entry: MatchEntry, at: At, notes: Notes) -> Match:
    for key in ("workspace", "experiment", "run_type"):
        if getattr(entry, key) is not UNSET:
            not_empty(getattr(entry, key), (*at, key), notes)
    for key, patterns in (("tags", entry.tags), ("properties", entry.properties)):
        for name, pattern in patterns.items():
            not_empty(name, (*at, key), notes)
            not_empty(pattern, (*at, key, name), notes)
    return Match(
        workspace=or_none(entry.workspace),
        experiment=or_none(entry.experiment),
        run_type=or_none(entry.run_type),
        tags=entry.tags,
        properties=entry.properties,
    )


def _when(text: str | None, at: At, notes: Notes) -> str | None:
    if text is None:
        return None
    try:
        gate.gate_of(text)
    except gate.GateRefused as refused:
        notes.problem(at, str(refused))
    else:
        for what in mentions.problems_of(text):
            notes.problem(at, what)
    return text


def _wait(text: str, at: At, notes: Notes) -> timedelta:
    found = words.duration(text)
    if found is None:
        most = f"at most {words.LONGEST_WAIT.days}d"
        notes.problem(at, f"`{bounded(text, 40)}` must be {words.DURATION.allowed}, {most}")
    return WAIT_FOR_FACTS if found is None else found


def _limit(text: str | None, at: At, notes: Notes) -> Limit | None:
    if text is None or not words.LIMIT.fits(fitting(text, words.LIMIT, at, notes)):
        return None
    count, per = text.split("/")
    return Limit(int(count), per)


def _mode(text: str, at: At, notes: Notes) -> str:
    if text not in words.MODES:
        notes.problem(at, f"`{bounded(text, 40)}` is no mode; allowed: {_list(words.MODES)}")
    return text


def _list(allowed: Iterable[str]) -> str:
    return ", ".join(str(word) for word in allowed)
