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


def before(c: Continuation) -> Key | None:
    """The continuation whose pipeline run's end it goes on by; None where there is none."""
    route = str(end(c.event).get("route", ""))
    return replace(c.key, route=route) if route else None


def behind(c: Continuation) -> Key | None:
    """The continuation that goes on by its end, if one does."""
    return replace(c.key, route=c.then) if c.then else None
