"""What became of a run that ended: a verdict, and how each route comes into it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from functions.core.memory import missed
from functions.core.memory.knowledge import SWEPT_OFF, WORKSPACE_UNHEARD
from functions.core.routes import deciding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.memory.knowledge import Memory
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.runs import Ended, Run, RunEvent, Workspace

ONLY_EVENT = "no continuation, and only its event could start it"
NEVER = "no continuation: its event never came"
IN_INBOX = "its event lies in the inbox: the reconciler takes it up"


class Became(StrEnum):
    """What became of a run, in the order in which people list them."""

    STARTED = "started"
    HELD = "held"
    SKIPPED = "skipped"
    FAILED = "failed"
    OPEN = "open"
    NO_ROUTE = "no route"
    MISSING = "missing"


_FIRST = (
    *(Became.MISSING, Became.FAILED, Became.OPEN, Became.HELD),
    *(Became.STARTED, Became.SKIPPED, Became.NO_ROUTE),
)


class OnRoute(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run on one route."""

    route: str
    outcome: str
    became: Became
    why: str = ""
    pipeline_run: int | None = None


class Told(NamedTuple):
    """A run, and what became of it on each route that came into it."""

    event: RunEvent
    routes: tuple[OnRoute, ...]

    @property
    def became(self) -> Became:
        """One verdict for the run: that of the route that most wants to be looked at."""
        kinds = {one.became for one in self.routes}
        return next((kind for kind in _FIRST if kind in kinds), Became.NO_ROUTE)

    @property
    def ended_at(self) -> str:
        """When the run ended: ISO 8601, UTC."""
        return self.event.time.isoformat(timespec="seconds") if self.event.time else ""

    def rows(self) -> Iterator[tuple[str, ...]]:
        """A line for each route, or one for the run: what it became, the run last."""
        event = self.event
        ended = self.ended_at[:16].replace("T", " ")
        for one in self.routes:
            started = f"pipeline run {one.pipeline_run}" if one.pipeline_run else ""
            why = " ".join(filter(None, (started, one.why)))
            yield (ended, one.became, one.route, one.outcome, event.experiment, why, event.run)
        if not self.routes:
            yield (ended, Became.NO_ROUTE, "", event.outcome, event.experiment, "", event.run)

    def builtins(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "workspace": self.event.workspace.id,
            "run": self.event.run,
            "experiment": self.event.experiment,
            "outcome": self.event.outcome,
            "ended_at": self.ended_at,
            "became": self.became,
            "routes": msgspec.to_builtins(self.routes),
        }


def of(
    workspace: Workspace,
    run: Run,
    ended: Ended,
    known: Sequence[Continuation],
    routes: Routes,
    memory: Memory,
    undecided: Collection[str] = (),
) -> Told:
    """What became of a run: its continuations, and the routes that never heard of it.

    What the sweep leaves alone, since the ledger came to know the route or the workspace only
    after the run's end, is not missing; where the ledger has not yet noted any route, or never
    heard of the workspace, every route is. What ended while the sweep was off is. All of it is open
    where an event of it lies in the inbox, as those do whose hashes are `undecided`.
    """
    event = missed.news(workspace, run, ended.experiment(run))
    at = run.known_to_last_until or datetime.max.replace(tzinfo=UTC)
    there = {c.key.route for c in known if c.key.outcome is event.outcome}
    missing = missed.missing(event, deciding.matching(event, routes), known)
    if event.key("").hash in undecided:
        lacking = [_told(route, event, Became.OPEN, IN_INBOX) for route in missing]
    else:
        lacking = [
            _lacking(route, event, at, memory)
            for route in missing
            if route.name not in there or not memory.kept_out(event, route.name, at)
        ]
    return Told(event, (*map(_continued, known), *lacking))


def _continued(c: Continuation) -> OnRoute:
    is_known = c.state.is_known  # what another version knows may go on
    doubt = "in doubt, " if c.in_doubt else ""
    why = f"{doubt}{c.reason} {c.detail}".strip() if is_known else f"it is {c.state}"
    return OnRoute(
        route=c.key.route,
        outcome=c.key.outcome,
        became=Became(c.state) if is_known else Became.OPEN,
        why=why,
        pipeline_run=c.pipeline_run,
    )


def _never(route: Route) -> str:
    return ONLY_EVENT if route.needs.only_event else NEVER


def _lacking(route: Route, event: RunEvent, at: datetime, memory: Memory) -> OnRoute:
    kept_out = memory.kept_out(event, route.name, at) if memory.born else ""
    if kept_out and kept_out not in {SWEPT_OFF, WORKSPACE_UNHEARD}:
        kind, why = Became.NO_ROUTE, kept_out
    else:
        kind, why = Became.MISSING, kept_out or _never(route)
    return _told(route, event, kind, why)


def _told(route: Route, event: RunEvent, became: Became, why: str) -> OnRoute:
    return OnRoute(route=route.name, outcome=event.outcome, became=became, why=why)
