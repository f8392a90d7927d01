"""Which routes a run that has ended should have met, and which of them never heard of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core import routing
from functions.core.values import RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.continuation import Continuation
    from functions.core.routes import Route, Routes
    from functions.core.values import Ended, Run, Workspace

TYPE = "sweep"  # what stands where an event's type would


def news(workspace: Workspace, run: Run, ended: Ended) -> RunEvent:
    """What an event would have told of a run that ended, as far as the run itself tells it.

    Run type and properties come with events only: they stay empty.
    """
    assert run.outcome is not None  # noqa: S101 - `Ended` says so, for the type checker
    return RunEvent(
        id=f"{TYPE}-{run.id}",
        type=TYPE,
        subject=f"experiments/{run.experiment_id}/runs/{run.id}",
        time=run.end_time,
        workspace=workspace,
        run=run.id,
        outcome=run.outcome,
        experiment=ended.experiments.get(run.experiment_id, ""),
        experiment_id=run.experiment_id,
        tags=dict(run.tags),
    )


def missing(event: RunEvent, routes: Routes, known: Iterable[Continuation]) -> tuple[Route, ...]:
    """The routes that the news concerns and that have no continuation of this outcome."""
    met = {(c.key.outcome, c.key.route) for c in known}
    wanted = routing.matching(event, routes)
    return tuple(route for route in wanted if (event.outcome, route.name) not in met)
