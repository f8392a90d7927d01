"""Versions of models as if they were promoted just now, for each route that wants to know. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.rounds.promoting import remembered
from functions.core.rounds.promoting.remembered import Promoted
from functions.core.routes import filters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.runs import RunEvent, Workspace

HOW = "say which version of which model: --promoted NAME:VERSION"


def named(typed: str) -> tuple[str, str] | None:
    """Model and version; None where it is not of that form."""
    model, _, version = typed.rpartition(":")
    return (model, version) if model and version else None


def found(
    routes: Routes, workspaces: Sequence[Workspace], model: str, version: str, now: datetime
) -> Iterator[tuple[RunEvent, list[Route]]]:
    """The news, as a sweep would make it, and the routes to which it is the same."""
    for workspace in workspaces:
        about: dict[str, list[Route]] = {}
        for route in routes.routes:
            if (one := route.promoted) and filters.fits(one.model, model):
                about.setdefault(one.value, []).append(route)
        for value, those in about.items():
            event = remembered.event(workspace, Promoted(model, version, now), value)
            if event is not None:
                yield event, those
