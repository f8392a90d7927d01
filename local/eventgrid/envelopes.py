"""The two event schemas on the wire: what a publisher must give, and one told as the other.

Event Grid schema: https://learn.microsoft.com/azure/event-grid/event-schema
CloudEvents 1.0: https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any, Literal

Event = dict[str, Any]
Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
EVENT_GRID: Schema = "EventGridSchema"
CLOUD: Schema = "CloudEventSchemaV1_0"

_REQUIRED: dict[Schema, tuple[str, ...]] = {
    EVENT_GRID: ("id", "subject", "eventType", "eventTime"),
    CLOUD: ("specversion", "id", "source", "type"),
}
_SAME_MEANING = {"topic": "source", "eventType": "type", "eventTime": "time"}
_SHARED = ("id", "subject", "data")


class InvalidEventError(ValueError):
    """The event is not one that Event Grid would take; the message names the property."""


def schema_of(event: Event) -> Schema:
    """Which schema an event is written in."""
    return CLOUD if "specversion" in event else EVENT_GRID


def accepted(event: object, resource: str) -> Event:
    """The event as the topic keeps it: checked, and stamped with what the publisher left out.

    An event of the Event Grid schema without `topic` gets the topic's resource id; one that has a
    topic (or a CloudEvent, which always has a source) keeps it, as this topic stands for the
    system topic of that resource. Raises InvalidEventError.
    """
    if not isinstance(event, dict):
        raise InvalidEventError("an event must be a JSON object")
    schema = schema_of(event)
    for name in _REQUIRED[schema]:
        if not isinstance(event.get(name), str) or not (event[name] or name == "subject"):
            raise InvalidEventError(f"this schema ({schema}) requires the property '{name}'")
    _check_values(event, schema)
    if schema == CLOUD:
        return event
    stamped = {"topic": resource, "dataVersion": "", "metadataVersion": "1"}
    return event | {k: v for k, v in stamped.items() if not event.get(k)}


def _check_values(event: Event, schema: Schema) -> None:
    if event.get("specversion", "1.0") != "1.0":
        raise InvalidEventError("'specversion' must be 1.0")
    if event.get("metadataVersion") not in {None, "", "1"}:
        raise InvalidEventError("'metadataVersion' must be 1")
    time = event.get("eventTime" if schema == EVENT_GRID else "time")
    try:
        datetime.fromisoformat(time or "1970-01-01")
    except (TypeError, ValueError):
        raise InvalidEventError(f"'{time}' is not a time") from None


def told_as(event: Event, schema: Schema) -> Event:
    """The event in this schema; its data stays as it is.

    Event Grid itself offers every direction but CloudEvents told in its own schema; here that
    works too, as one topic takes both kinds of input.
    """
    if schema_of(event) == schema:
        return event
    return _as_cloud(event) if schema == CLOUD else _as_event_grid(event)


def _as_cloud(event: Event) -> Event:
    renamed = {_SAME_MEANING[k]: v for k, v in event.items() if k in _SAME_MEANING}
    return {"specversion": "1.0"} | {k: event[k] for k in _SHARED if k in event} | renamed


def _as_event_grid(event: Event) -> Event:
    if "data_base64" in event:
        event = event | {"data": _in_base64(event["data_base64"])}
    renamed = {k: event[v] for k, v in _SAME_MEANING.items() if v in event}
    kept = {"subject": ""} | {k: event[k] for k in _SHARED if k in event}
    return kept | renamed | {"dataVersion": "", "metadataVersion": "1"}


def _in_base64(text: str) -> object:
    """The JSON in it, or the text that it is: the Event Grid schema has no other place for it."""
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (TypeError, ValueError):
        return text
