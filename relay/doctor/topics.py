"""System topics of workspaces and their event subscriptions, as values.

https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics/get
https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topic-event-subscriptions/list-by-system-topic
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from functions.core import events
from functions.core.values import Workspace, bounded
from relay.arm import members
from relay.refusals import ArmError, NeedsApp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case

EVENT_GRID_VERSION = "2025-02-15"
TOPIC_TYPE = "microsoft.machinelearningservices.workspaces"
READ_TOPICS = "Microsoft.EventGrid/systemTopics/read"
READ_SUBSCRIPTIONS = "Microsoft.EventGrid/systemTopics/eventSubscriptions/read"


class EventSubscription(Struct, frozen=True, kw_only=True):
    """One subscription; names, ids and values in lower case, `event_types` None for all."""

    name: str
    app: str
    function: str
    state: str
    event_types: frozenset[str] | None
    allowed: tuple[tuple[str, frozenset[str]], ...]
    keys: frozenset[str]
    by_subject: bool
    dead_letters: bool
    ends: str

    def leads_to(self, app: str) -> bool:
        """Whether its events go to a function of that app."""
        return bool(self.app) and self.app == app.lower()

    def function_of(self, app: str) -> str:
        """The function of that app, or nothing."""
        return self.function if self.leads_to(app) else ""

    def filters_on(self, key: str) -> bool:
        """Whether events without that key are left out."""
        return key in self.keys

    def passed(self, key: str, values: frozenset[str]) -> frozenset[str]:
        """Which of these values of the key it lets through; filters are joined by and."""
        for named, allowed in self.allowed:
            if named == key:
                values &= allowed
        return values


class Topic(Struct, frozen=True):
    """The system topic of a workspace."""

    workspace: Workspace
    subscriptions: tuple[EventSubscription, ...]

    def leads_to(self, app: str) -> bool:
        """Whether any of its events go to that app."""
        return any(s.leads_to(app) for s in self.subscriptions)


def read(case: Case) -> list[Topic]:
    """The topics of workspaces in the subscriptions of the app and of the known workspaces.

    Raises NeedsApp, ArmError.
    """
    subscriptions = {case.app.id.split("/")[2].lower()}
    subscriptions |= {workspace.subscription.lower() for workspace in case.workspaces}
    return [topic for one in sorted(subscriptions) for topic in _below(case, one)]


def workspaces(case: Case) -> list[Workspace]:
    """Those that the case knows, and those whose events lead to the app, if that can be seen."""
    found = {workspace.key: workspace for workspace in case.workspaces}
    with suppress(NeedsApp, ArmError):
        leading = [t.workspace for t in case.topics if t.leads_to(case.app.id)]
        found = {workspace.key: workspace for workspace in leading} | found
    return list(found.values())


def _below(case: Case, subscription: str) -> Iterator[Topic]:
    for listed in case.resources(subscription, "Microsoft.EventGrid/systemTopics"):
        topic = str(listed["id"])
        properties = members(case.app.arm.get(topic, EVENT_GRID_VERSION, READ_TOPICS)["properties"])
        if str(properties.get("topicType")).lower() != TOPIC_TYPE:
            continue
        with suppress(ValueError):  # the topic of something else
            workspace = events.workspace(str(properties.get("source")))
            yield Topic(workspace, _subscriptions(case, topic))


def _subscriptions(case: Case, topic: str) -> tuple[EventSubscription, ...]:
    path = f"{topic}/eventSubscriptions"
    found = case.app.arm.every(path, EVENT_GRID_VERSION, READ_SUBSCRIPTIONS)
    return tuple(map(_read, found))


def _read(found: dict[str, Any]) -> EventSubscription:
    properties = members(found.get("properties"))
    delivery = members(properties.get("deliveryWithResourceIdentity")) or properties
    destination = members(delivery.get("destination"))
    resource = str(members(destination.get("properties")).get("resourceId") or "").lower()
    to_function = str(destination.get("endpointType")).lower() == "azurefunction"
    app, _, function = resource.partition("/functions/") if to_function else ("", "", "")
    chosen = members(properties.get("filter"))
    types = chosen.get("includedEventTypes")
    filters = [f for f in chosen.get("advancedFilters") or () if isinstance(f, dict)]
    letters = ("deadLetterDestination", "deadLetterWithResourceIdentity")
    return EventSubscription(
        name=bounded(found.get("name"), 100),
        app=app,
        function=function,
        state=str(properties.get("provisioningState")).lower(),
        event_types=frozenset(str(t).lower() for t in types) if types else None,
        allowed=tuple(map(_allowed, filters)),
        keys=frozenset(str(f.get("key")).lower() for f in filters),
        by_subject=bool(chosen.get("subjectBeginsWith") or chosen.get("subjectEndsWith")),
        dead_letters=any(properties.get(name) for name in letters),
        ends=bounded(properties.get("expirationTimeUtc") or "", 100),
    )


def _allowed(wire: dict[str, Any]) -> tuple[str, frozenset[str]]:
    """The key of a filter, and the values that it lets through where it names them."""
    values = frozenset(str(v).lower() for v in wire.get("values") or ())
    operator = str(wire.get("operatorType")).lower()
    return str(wire.get("key")).lower(), values if operator == "stringin" else frozenset()
