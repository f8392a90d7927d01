"""System topics of workspaces and their event subscriptions, as values.

https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics/get
https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topic-event-subscriptions/list-by-system-topic
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from functions.core.events import parsing
from functions.core.texts.bounds import bounded
from relay.deployment.arm import members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.terms.runs import Workspace
    from relay.deployment.arm import ResourceManager

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


def read(arm: ResourceManager, subscriptions: Iterable[str]) -> Iterator[Topic]:
    """The topics of workspaces in these subscriptions; raises ArmError."""
    for subscription in subscriptions:
        for listed in arm.resources(subscription, "Microsoft.EventGrid/systemTopics"):
            topic = str(listed["id"])
            properties = members(arm.get(topic, EVENT_GRID_VERSION, READ_TOPICS)["properties"])
            if str(properties.get("topicType")).lower() != TOPIC_TYPE:
                continue
            with suppress(ValueError):  # the topic of something else
                workspace = parsing.workspace(str(properties.get("source")))
                yield Topic(workspace, _subscriptions(arm, topic))


def _subscriptions(arm: ResourceManager, topic: str) -> tuple[EventSubscription, ...]:
    path = f"{topic}/eventSubscriptions"
    found = arm.every(path, EVENT_GRID_VERSION, READ_SUBSCRIPTIONS)
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
