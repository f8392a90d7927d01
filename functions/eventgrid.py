"""The Event Grid triggers: the delivered object becomes a plain dict again, and the relay takes it.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-event-grid-trigger
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.bootstrap import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """The functions that Event Grid calls; `app` is asked for on the first event only."""
    triggers = func.Blueprint()

    @triggers.event_grid_trigger(arg_name="event")
    def on_run_completed(event: func.EventGridEvent) -> None:
        """A run was completed."""
        app().relay.deliver(envelope(event))

    @triggers.event_grid_trigger(arg_name="event")
    def on_run_status_changed(event: func.EventGridEvent) -> None:
        """A run took another status."""
        app().relay.deliver(envelope(event))

    @triggers.event_grid_trigger(arg_name="event")
    def on_model_registered(event: func.EventGridEvent) -> None:
        """A model was registered."""
        app().relay.deliver(envelope(event))

    @triggers.event_grid_trigger(arg_name="event")
    def on_model_deployed(event: func.EventGridEvent) -> None:
        """A model was deployed."""
        app().relay.deliver(envelope(event))

    @triggers.event_grid_trigger(arg_name="event")
    def on_dataset_drift_detected(event: func.EventGridEvent) -> None:
        """Data drifted."""
        app().relay.deliver(envelope(event))

    return triggers


def envelope(event: func.EventGridEvent | func.CloudEvent) -> dict[str, Any]:
    """The payload as it came. The library picks the class by the payload, not the annotation."""
    if isinstance(event, func.CloudEvent):
        return {
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "subject": event.subject,
            "time": event.time and event.time.isoformat(),
            "data": event.get_json(),
            "traceparent": (event.extension_attrs or {}).get("traceparent"),
        }
    return {
        "id": event.id,
        "eventType": event.event_type,
        "topic": event.topic,
        "subject": event.subject,
        "eventTime": event.event_time and event.event_time.isoformat(),
        "data": event.get_json(),
    }
