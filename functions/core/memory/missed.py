"""Which routes a run that has ended should have met, and which of them never heard of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.memory import first_seen
from functions.core.memory.knowledge import FORGOTTEN
from functions.core.routes import deciding, near_misses
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.terms.runs import SWEPT, RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.memory.knowledge import Memory
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.runs import Ended, Run, Workspace


MOST_NAMED = 5  # runs and routes, in a line


def news(workspace: Workspace, run: Run, experiment: str) -> RunEvent:
    """What an event would have told of a run that ended, as far as the run itself tells it.

    `experiment` is the name of its experiment, "" where nobody knows it. Run type and properties
    come with events only: they stay empty.
    """
    assert run.outcome is not None  # noqa: S101 - it ended, for the type checker
    return RunEvent(
        id=f"{SWEPT}-{run.id}",
        type=SWEPT,
        subject=f"experiments/{run.experiment_id}/runs/{run.id}",
        time=run.end_time,
        workspace=workspace,
        run=run.id,
        outcome=run.outcome,
        experiment=experiment,
        experiment_id=run.experiment_id,
        tags=dict(run.tags),
    )


def at(run: Run, now: datetime) -> datetime | None:
    """The time by which it counts: its end, else its start.

    One that is still to come is not believed: whoever ends a run says when it ended.
    """
    latest = now + CLOCK_SKEW
    return next((told for told in (run.end_time, run.start_time) if told and told <= latest), None)


def timed(runs: Iterable[Run], now: datetime) -> Iterator[tuple[datetime, Run]]:
    """Those that say when, each with the time by which it counts."""
    for run in runs:
        if when := at(run, now):
            yield when, run


def believed(ended: Ended, now: datetime) -> Ended:
    """The same, with those whose times are all still to come among those that say none."""
    runs = tuple(run for _, run in timed(ended.runs, now))
    odd = [run.id for run in ended.runs if at(run, now) is None]
    return replace(ended, runs=runs, untimed=(*ended.untimed, *odd))


def wanted(event: RunEvent, at: datetime, routes: Routes, memory: Memory) -> tuple[Route, ...]:
    """The routes that the sweep may take a run up on that ended then."""
    return tuple(
        route
        for route in deciding.matching(event, routes)
        if near_misses.is_swept(route) and memory.knew(event, route.name, at)
    )


def forgotten(event: RunEvent, at: datetime, routes: Routes, memory: Memory) -> tuple[Route, ...]:
    """The routes that are owed it, by which it may have been started: it ended before a date."""
    return tuple(
        route
        for route in deciding.matching(event, routes)
        if near_misses.is_swept(route) and memory.kept_out(event, route.name, at) == FORGOTTEN
    )


def nearly_wanted(
    event: RunEvent, at: datetime, routes: Routes, memory: Memory
) -> tuple[tuple[Route, str], ...]:
    """The same but for its tags, and why not."""
    return tuple(
        (route, why)
        for route, why in near_misses.matching(event, routes)
        if memory.knew(event, route.name, at)
    )


def missing(
    event: RunEvent, matching: Iterable[Route], known: Iterable[Continuation]
) -> tuple[Route, ...]:
    """Of the routes that match the news, those that have no continuation of this outcome.

    Nor is one enough that was skipped because the run read otherwise then, until a sweep that
    reads it as told has taken it up once; nor a trace of a route that matched something else, which
    an older version left that was told of the run.
    """
    own = {c.key.route: c for c in known if c.key.outcome is event.outcome}
    return tuple(r for r in matching if r.name not in own or not _is_met(own[r.name], r))


def named(names: Sequence[str]) -> str | None:
    """The first of these, and how many there are; None: there are none."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ",".join(names[:MOST_NAMED]) + more if names else None


def _is_met(c: Continuation, route: Route) -> bool:
    if c.is_doubted:
        return c.claims(swept=True) > 0
    return not c.was_passed_over or c.was_passed_over_by(first_seen.digest(route))
