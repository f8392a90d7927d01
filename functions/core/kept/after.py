"""What a continuation that goes on by an end knows of the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.terms.runs import Key, RunEvent

AFTER_END = "pipeline"  # what the facts of the end are called
CLAIMS = "then, after "  # how the history of what goes on by an end begins


def end(event: RunEvent) -> dict[str, Any]:
    """The facts of the end by which it goes on; empty where it began with an event."""
    found: dict[str, Any] = event.given.get(AFTER_END, {})
    return found


def taken_back(c: Continuation, first: Continuation) -> str:
    """Why it does not go on, since the one before has not ended so any more; "" where it has.

    An operator said that its pipeline run is another one.
    """
    told = end(c.event)
    if first.ended and _told(first) == (told.get("run"), told.get("end")):
        return ""
    return f"{AFTER_END}.end: that of pipeline run {told.get('run')} was taken back"


def _told(first: Continuation) -> tuple[int | None, str]:
    ended = first.ended
    return (ended and ended.run) or first.pipeline_run, str(ended.how) if ended else ""


def before(c: Continuation) -> Key | None:
    """The continuation whose pipeline run's end it goes on by; None where there is none."""
    route = str(end(c.event).get("route", ""))
    return replace(c.key, route=route) if route else None


def behind(c: Continuation) -> Key | None:
    """The continuation that goes on by its end, if one does."""
    return replace(c.key, route=c.then) if c.then else None
