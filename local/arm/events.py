"""System topics and their event subscriptions, as Resource Manager shows those of a local topic.

https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics/get
https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topic-event-subscriptions/list-by-system-topic
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from flask import jsonify

from local.arm.errors import not_found
from local.eventgrid.envelopes import EVENT_GRID

if TYPE_CHECKING:
    from local.arm.errors import Answer
    from local.arm.web import Sites
    from local.eventgrid.subscriptions import Subscription
    from local.eventgrid.topic import Topic

KIND = "Microsoft.EventGrid/systemTopics"
WORKSPACES = "Microsoft.MachineLearningServices.Workspaces"


class SystemTopics:
    """Local topics under their resource ids; an endpoint on a site's host is its function."""

    path = re.compile(
        r"(?P<topic>/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)"
        r"/providers/Microsoft\.EventGrid/systemTopics/(?P<name>[^/]+))(?P<below>/eventSubscriptions)?",
        re.IGNORECASE,
    )
    versions = ("2025-02-15", "2022-06-15")

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._topics: dict[str, Topic] = {}
        self._changed: dict[str, dict[str, Any]] = {}

    def add(self, topic_id: str, topic: Topic) -> None:
        """Have a topic under this id, for the resource that it stands for."""
        self._topics[topic_id] = topic

    def change(self, subscription: str, **properties: Any) -> None:
        """Show an event subscription with other properties, as if they had been set by hand."""
        self._changed[subscription] = {**self._changed.get(subscription, {}), **properties}

    def ids(self) -> list[str]:
        """The topics' ids."""
        return list(self._topics)

    def answer(self, asked: re.Match[str]) -> Answer:
        """A topic, or its event subscriptions."""
        wanted = asked["topic"].lower()
        found = next((i for i in self._topics if i.lower() == wanted), None)
        if found is None:
            return not_found(KIND, asked["name"], asked["group"])
        if asked["below"]:
            return jsonify({"value": self._subscriptions(found)})
        return jsonify(_topic(found, self._topics[found]))

    def _subscriptions(self, topic_id: str) -> list[dict[str, Any]]:
        topic = self._topics[topic_id]
        return [
            {
                "id": f"{topic_id}/eventSubscriptions/{one.name}",
                "name": one.name,
                "type": f"{KIND}/eventSubscriptions",
                "properties": {**self._properties(one, topic), **self._changed.get(one.name, {})},
            }
            for one in topic.subscriptions
        ]

    def _properties(self, one: Subscription, topic: Topic) -> dict[str, Any]:
        schema = "EventGridSchema" if one.schema == EVENT_GRID else "CloudEventSchemaV1_0"
        return {
            "topic": topic.resource,
            "provisioningState": "Succeeded",
            "destination": self._destination(one),
            "filter": _filter(one),
            "labels": [],
            "eventDeliverySchema": schema,
            "retryPolicy": {
                "maxDeliveryAttempts": one.max_attempts,
                "eventTimeToLiveInMinutes": int(one.ttl_minutes),
            },
            **({"deadLetterDestination": _blobs()} if topic.dead_letters else {}),
        }

    def _destination(self, one: Subscription) -> dict[str, Any]:
        address = urlsplit(one.endpoint)
        site = next((s for s in self._sites if s.host == address.netloc), None)
        function = parse_qs(address.query).get("functionName", [""])[0]
        if site is None or not function:
            base = {"endpointBaseUrl": address._replace(query="").geturl()}
            return {"endpointType": "WebHook", "properties": base}
        limits = {"maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": 64}
        place = {"resourceId": f"{site.id}/functions/{function}"}
        return {"endpointType": "AzureFunction", "properties": {**place, **limits}}


def _filter(one: Subscription) -> dict[str, Any]:
    advanced = [
        {"operatorType": f.operator, "key": f.key, "values": list(f.values)} for f in one.filters
    ]
    return {
        "subjectBeginsWith": one.subject_begins_with,
        "subjectEndsWith": one.subject_ends_with,
        "includedEventTypes": list(one.event_types) or None,
        "advancedFilters": advanced,
        "enableAdvancedFilteringOnArrays": True,
    }


def _blobs() -> dict[str, Any]:
    where = {"resourceId": "/storage", "blobContainerName": "dead-letters"}
    return {"endpointType": "StorageBlob", "properties": where}


def _topic(topic_id: str, topic: Topic) -> dict[str, Any]:
    return {
        "id": topic_id,
        "name": topic_id.rpartition("/")[2],
        "type": KIND,
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "source": topic.resource,
            "topicType": WORKSPACES,
        },
    }
