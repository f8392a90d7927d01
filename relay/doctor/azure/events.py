"""The event subscriptions: whether every end of a run leads to this app, and to no other.

https://learn.microsoft.com/azure/event-grid/event-filtering
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from functions.core.events import parsing
from functions.core.events.model_events import KINDS
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.words import Outcome
from functions.core.texts.times import parse_time
from relay.doctor.findings import failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.azure.topics import EventSubscription, Topic
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

RUNS = {"on_run_completed": parsing.COMPLETED, "on_run_status_changed": parsing.STATUS_CHANGED}
MODELS = {  # needed where a route is on such an event
    "on_model_registered": "microsoft.machinelearningservices.modelregistered",
    "on_model_deployed": "microsoft.machinelearningservices.modeldeployed",
    "on_dataset_drift_detected": "microsoft.machinelearningservices.datasetdriftdetected",
}
FAILURES = frozenset(
    str(o).lower() for o in (Outcome.FAILED, Outcome.CANCELED, Outcome.NOT_RESPONDING)
)
STATUS_KEY = "data.runstatus"
_DEPLOY = "deploy infra/events.bicep"


def subscribed(case: Case) -> Iterator[Finding]:
    """Whether each workspace has the subscriptions it needs, as they need to be."""
    mine = [topic for topic in case.topics if topic.leads_to(case.app.id)]
    known = {w.key: w.name for w in case.workspaces}
    for topic in mine:
        yield from _of_topic(case, topic)
    for workspace in sorted(known.keys() - {topic.workspace.key for topic in mine}):
        yield failure(f"no event of {known[workspace]} leads to this app", _DEPLOY)
    if not mine and not known:
        yield failure("no event subscription that you can see leads to this app", _DEPLOY)


def _of_topic(case: Case, topic: Topic) -> Iterator[Finding]:
    name = topic.workspace.name
    for function, event_type in _wanted(case).items():
        mine = [s for s in topic.subscriptions if s.function_of(case.app.id) == function]
        if not mine:
            yield failure(f"{name}: no event leads to {function}", _DEPLOY)
        for subscription in mine:
            wrong = [*_wrong(subscription, event_type), *_doubtful(case, subscription)]
            yield from wrong or [ok(f"{name}: {subscription.name} leads to {function}")]


def _wanted(case: Case) -> dict[str, str]:
    """The functions that need events, and the type of each; of models where a route wants them."""
    named: set[Outcome] = set()
    with suppress(RoutesUnreadable):  # of which another check tells
        named = {outcome for route in case.routes.routes for outcome in route.outcomes}
    return RUNS | {f: t for f, t in MODELS.items() if KINDS[t].outcome in named}


def _wrong(s: EventSubscription, event_type: str) -> Iterator[Finding]:
    """What keeps events from arriving."""
    if s.state != "succeeded":
        yield failure(f"{s.name} is not in force: its state is {s.state}", _DEPLOY)
    if s.event_types is not None and event_type not in s.event_types:
        yield failure(f"{s.name} does not let {event_type} through", _DEPLOY)
    lost = sorted(FAILURES - s.passed(STATUS_KEY, FAILURES))
    if event_type == parsing.STATUS_CHANGED and lost:
        said = f"{s.name} does not let {', '.join(lost)} through: {STATUS_KEY}"
        yield failure(said, _DEPLOY)
    if event_type == parsing.COMPLETED and s.filters_on(STATUS_KEY):
        said = f"{s.name} filters on {STATUS_KEY}, which {event_type} does not have: none arrives"
        yield failure(said, _DEPLOY)


def _doubtful(case: Case, s: EventSubscription) -> Iterator[Finding]:
    """What makes events be missing some day."""
    if not s.dead_letters:
        how = f"{_DEPLOY}, which gives it a container for them"
        yield warning(f"{s.name} has no place for dead letters", how)
    if s.ends:
        over = (parse_time(s.ends) or case.clock.now()) <= case.clock.now()
        made = failure if over else warning
        yield made(f"{s.name} {'ended' if over else 'ends'} at {s.ends}", _DEPLOY)
    others = sorted(s.keys - {STATUS_KEY})
    if others or s.by_subject:
        narrower = ", ".join([*others, *(["the subject"] if s.by_subject else [])])
        yield warning(f"{s.name} also filters on {narrower}", "see that no run is left out by it")


def alone(case: Case) -> Iterator[Finding]:
    """Whether another Run Relay gets the same events: then every run is continued twice."""
    rivals = {
        (topic.workspace.name, s.app.rpartition("/")[2])
        for topic in case.topics
        if topic.leads_to(case.app.id)
        for s in topic.subscriptions
        if s.app and not s.leads_to(case.app.id) and s.function in RUNS | MODELS
    }
    for workspace, app in sorted(rivals):
        how = "see that its routes start other pipelines, or run in shadow mode"
        yield warning(f"the app {app} gets the events of {workspace} too", how)
    if not rivals:
        yield ok("no other app gets the same events")
