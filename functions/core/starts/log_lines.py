"""What a line of the log says. One line per outcome, in named fields; never a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.summary import Summary
from functions.core.ports.services import Level
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.kept.continuation import Continuation
    from functions.core.routes.definition import Route
    from functions.core.terms.errors import NotARunEvent
    from functions.core.terms.runs import Key, RunEvent

Line = dict[str, object]

_ALERTS = frozenset(
    {
        Reason.CREDENTIAL_REFUSED,
        Reason.IN_DOUBT,
        Reason.LOOK_FAILED,
        Reason.REFUSED,
        Reason.SECRET_EXPIRED,
        Reason.SECRET_UNREADABLE,
        Reason.UNFORESEEN,
    }
)


_LASTS = 5  # attempts after which what passes by itself has not passed


def level(c: Continuation) -> Level:
    """Errors want a person today, warnings tell that something waits."""
    lasts = c.reason is Reason.UNAVAILABLE and c.attempts >= _LASTS
    if c.state is State.FAILED or (c.is_open and (lasts or c.reason in _ALERTS)):
        return Level.ERROR
    if c.state is State.STARTED and c.detail:  # it exists, and is not quite what was asked
        return Level.WARNING
    if c.state is State.STARTED or c.state is State.SKIPPED or c.reason is Reason.GATE:
        return Level.INFO
    return Level.WARNING


def outcome(c: Continuation, ms: int) -> Line:
    """The line for a continuation that was settled or parked."""
    latency = Summary.of(c).latency
    line: Line = {
        "continuation": c.told_as,
        "route": c.key.route,
        "run": c.key.run,
        "outcome": c.key.outcome,
        "workspace": c.event.workspace.name,
        "experiment": c.event.experiment,
        "reason": c.reason,
        "in_doubt": "yes" if c.in_doubt else None,
        "detail": c.detail,
        "pipeline_run": c.pipeline_run,
        "latency_s": None if latency is None else round(latency),
        "due": c.due_at if c.is_open else None,
        "attempts": c.attempts,
        "event": c.event.id,
        "ms": ms,
    }
    return {name: value for name, value in line.items() if value not in {None, ""}}


def pipeline_ended(c: Continuation) -> tuple[Level, Line]:
    """The line that says how the pipeline run of a continuation ended."""
    end, started = c.ended, Summary.of(c).started_at
    took = None
    if end and started:
        took = max(0, round((end.at - started).total_seconds()))
    line: Line = {
        "pipeline_run": c.pipeline_run,
        "ended": end and end.how,
        "route": c.key.route,
        "run": c.key.run,
        "outcome": c.key.outcome,
        "workspace": c.event.workspace.name,
        "experiment": c.event.experiment,
        "detail": (end and end.detail) or None,
        "at": end and end.at,
        "after_s": took,
    }
    well = end is not None and end.how is Ending.SUCCEEDED
    return Level.INFO if well else Level.WARNING, line


def duplicate(c: Continuation) -> Line:
    """The line that says that more than one pipeline run exists for a continuation."""
    return {
        "duplicate": c.key.route,
        "run": c.key.run,
        "outcome": c.key.outcome,
        "pipeline_run": c.pipeline_run,
        "others": ",".join(map(str, c.duplicates)),
    }


def not_looked(c: Continuation, why: str) -> Line:
    """The line that says that nobody looks for a second pipeline run any more."""
    run = {"route": c.key.route, "run": c.key.run, "pipeline_run": c.pipeline_run}
    return {"second_look": "given up", **run, "detail": bounded(why)}


def unavailable(key: Key, error: Exception) -> Line:
    """The line for a continuation whose row could not be written: the lease will run out."""
    return {"ledger": "unavailable", "run": key.run, "route": key.route, "detail": error}


def unwanted(event: RunEvent, why: object) -> Line:
    """The line for a run event that starts nothing; `why` becomes text where the line is read."""
    return {
        "event": event.id,
        "ignored": why,
        "type": event.type,
        "run": event.run,
        "outcome": event.outcome,
        "experiment": event.experiment,
    }


def missed(event: RunEvent, routes: Iterable[Route]) -> Line:
    """The line for a run whose event never came, where it is only to be told."""
    return {
        "missed": event.run,
        "outcome": event.outcome,
        "workspace": event.workspace.name,
        "experiment": event.experiment,
        "ended": event.time,
        "routes": ",".join(route.name for route in routes),
    }


def refused(error: NotARunEvent) -> Line:
    """The line for a payload that is no run event."""
    return {"event": error.event_id, "ignored": str(error), "type": error.event_type}
