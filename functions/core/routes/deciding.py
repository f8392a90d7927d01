"""Which routes an event concerns, and what a route makes of the facts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from functions.core.events import parents
from functions.core.facts import building, placeholders
from functions.core.facts.unusable import Unusable
from functions.core.gates.gate import Verdict
from functions.core.kept.continuation import GATE_IGNORED
from functions.core.routes import filters, needs
from functions.core.routes.requests import making
from functions.core.terms.errors import Permanent
from functions.core.terms.policy import NOT_FINAL_FOR
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from functions.core.facts.building import Facts
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.pipelines import PipelineRequest
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key, Run, RunEvent


class Go(NamedTuple):
    """Start this, which needs a place in the row `group`; `saw` is what the gate looked at."""

    request: PipelineRequest
    saw: str = ""
    group: str = ""


class End(NamedTuple):
    """It ends here: held, skipped or failed."""

    state: State
    reason: Reason
    detail: str = ""


class PutOff(NamedTuple):
    """What is needed may still come; held with the same reason when `patience` is used up."""

    reason: Reason
    detail: str
    patience: timedelta


class Changed(NamedTuple):
    """The run ended otherwise than the event said."""

    outcome: Outcome


UNGATED = Verdict(holds=True)  # what a route without a gate says
IGNORED = Verdict(holds=True, explain=GATE_IGNORED)

Decision = Go | End | PutOff
Screened = End | PutOff | Changed


def matching(event: RunEvent, routes: Routes) -> tuple[Route, ...]:
    """The routes that may start a pipeline for it, as far as the event alone can tell. No I/O."""
    return tuple(
        route for route in routes.routes if route.start and filters.misfit(event, route) is None
    )


def completing(event: RunEvent, routes: Routes) -> bool:
    """Whether a route may answer a task that waits for the run, however it ended."""
    ended = replace(event, outcome=Outcome.COMPLETED)
    return event.outcome.ends_run and any(
        route.complete and filters.misfit(ended, route) is None for route in routes.routes
    )


def screen(route: Route, event: RunEvent, outcome: Outcome, run: Run) -> Screened | None:
    """What the run read back says before any fact is looked at; None: go on."""
    gone = End(State.HELD, Reason.DELETED, "the run read back was deleted") if run.deleted else None
    if route.after:  # it was judged before the pipeline run by whose end this goes on
        return gone
    if not route.children and parents.has_parent(run.id, run.tags):
        return End(State.SKIPPED, Reason.NOT_ROOT, "the run read back has a parent")
    left = filters.untold(event, route.match.tags, event.tags)
    if filters.unlike("tags", left, run.tags):
        return End(State.SKIPPED, Reason.NOT_MATCHED, "the tags of the run read back do not fit")
    if gone or (run.outcome is None and outcome is not Outcome.NOT_RESPONDING):
        return gone or PutOff(Reason.NOT_FINAL, f"the run is still {run.status}", NOT_FINAL_FOR)
    if run.outcome is None or run.outcome is outcome:
        return None
    return Changed(run.outcome)


def asks_job(route: Route, event: RunEvent) -> bool:
    """Whether a filter is on a property that the event may tell otherwise than the run has it."""
    return bool(filters.untold(event, route.match.properties, event.properties))


def screen_job(route: Route, event: RunEvent, properties: Mapping[str, str]) -> End | PutOff | None:
    """What the properties of the run's job say of those filters; None: go on."""
    left = filters.untold(event, route.match.properties, event.properties)
    if (odd := filters.unlike("properties", left, properties)) is None:
        return None
    if odd.found is None:
        told = placeholders.alike(event.properties, odd.filter.partition(".")[2])
        why = building.untold(event.properties[told] if told else "")
        return PutOff(Reason.FACTS_MISSING, f"run.{odd.filter}: {why}", route.wait_for_facts)
    said = "the properties of the run's job do not fit"
    return End(State.SKIPPED, Reason.NOT_MATCHED, said)


def ungated(route: Route) -> Route:
    """The route as if it had no gate: what only the gate looks at is not needed either."""
    by = route.join.by if route.join else ""
    needed = needs.of(route.match, None, route.start, route.concurrency, by)
    return replace(route, when=None, needs=needed)


def only_gate(route: Route) -> Route:
    """The route as if it started nothing: what only a start would need is not needed."""
    return replace(route, start=None, needs=needs.of(route.match, route.when, None))


def decide(
    route: Route, key: Key, known: Facts, policy: Policy, *, ignore_gate: bool = False
) -> Decision:
    """Gate first, then the request."""
    asked = replace(route, when=None) if ignore_gate else route
    verdict = IGNORED if ignore_gate else _gated(route, known)
    if stopped := _stopped(verdict, route, known):
        return stopped
    if route.start is None:
        return End(State.HELD, Reason.NOT_SERVED, "the route starts no pipeline")
    try:
        asks = making.request(route, route.start, key, known, policy)
        return Go(asks, verdict.told(asked.when), _group(route, known))
    except Permanent as error:
        return End(State.FAILED, error.reason, error.detail)
    except Unusable as wrong:
        return End(State.HELD, wrong.reason, wrong.detail)
    except placeholders.MissingFact as missing:
        detail = str(missing) + building.unread(missing.name, known)
        return PutOff(Reason.FACTS_MISSING, detail, route.wait_for_facts)


def shown(decision: Decision) -> End | PutOff:
    """The same by a route in the shadow, which shows what it would ask for and starts nothing."""
    if not isinstance(decision, Go):
        return decision
    return End(State.SKIPPED, Reason.SHADOW, making.summary(decision.request))


def _stopped(verdict: Verdict, route: Route, known: Facts) -> End | PutOff | None:
    """What the gate keeps from starting, and why; None where it holds."""
    if verdict.unusable:
        return End(State.HELD, verdict.unusable.reason, verdict.told(route.when))
    if verdict.missing:
        detail = verdict.missing + building.unread(verdict.missing, known)
        return PutOff(Reason.FACTS_MISSING, detail, route.wait_for_facts)
    if verdict.error or not verdict.holds:
        reason = Reason.GATE_ERROR if verdict.error else Reason.GATE
        return End(State.HELD, reason, verdict.told(route.when))
    return None


def _gated(route: Route, known: Facts) -> Verdict:
    return route.gate.evaluate(known) if route.gate else UNGATED


def _group(route: Route, known: Facts) -> str:
    if route.concurrency is None:
        return ""
    from functions.core.routes import group_names  # noqa: PLC0415 - few routes have one

    return group_names.of(route.concurrency, known)
