"""Which routes a run that has ended should have met, and which of them never heard of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.values import RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.continuation import Continuation
    from functions.core.routes import Route
    from functions.core.values import Run, Workspace

TYPE = "sweep"  # what stands where an event's type would


def news(workspace: Workspace, run: Run, experiment: str) -> RunEvent:
    """What an event would have told of a run that ended, as far as the run itself tells it.

    `experiment` is the name of its experiment, "" where nobody knows it. Run type and properties
    come with events only: they stay empty.
    """
    assert run.outcome is not None  # noqa: S101 - it ended, for the type checker
    return RunEvent(
        id=f"{TYPE}-{run.id}",
        type=TYPE,
        subject=f"experiments/{run.experiment_id}/runs/{run.id}",
        time=run.end_time,
        workspace=workspace,
        run=run.id,
        outcome=run.outcome,
        experiment=experiment,
        experiment_id=run.experiment_id,
        tags=dict(run.tags),
    )


def missing(
    event: RunEvent, matching: Iterable[Route], known: Iterable[Continuation]
) -> tuple[Route, ...]:
    """Of the routes that match the news, those that have no continuation of this outcome."""
    met = {c.key.route for c in known if c.key.outcome is event.outcome}
    return tuple(route for route in matching if route.name not in met)
