"""The Event Grid triggers: the text of a delivered event is handed to the relay as it came.

The parameters are annotated `str` so that nothing reads the event before the relay does: the
library's own classes raise for a time that they cannot read, before the function is called, at
each delivery of that event; and they leave data that came in base64 as it is.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-event-grid-trigger
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.bootstrap import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """The functions that Event Grid calls; `app` is asked for on the first event only."""
    triggers = func.Blueprint()

    @triggers.event_grid_trigger(arg_name="event")
    def on_run_completed(event: str) -> None:
        """A run was completed."""
        app().deliver(event)

    @triggers.event_grid_trigger(arg_name="event")
    def on_run_status_changed(event: str) -> None:
        """A run took another status."""
        app().deliver(event)

    @triggers.event_grid_trigger(arg_name="event")
    def on_model_registered(event: str) -> None:
        """A model was registered."""
        app().deliver(event)

    @triggers.event_grid_trigger(arg_name="event")
    def on_model_deployed(event: str) -> None:
        """A model was deployed."""
        app().deliver(event)

    @triggers.event_grid_trigger(arg_name="event")
    def on_dataset_drift_detected(event: str) -> None:
        """Data drifted."""
        app().deliver(event)

    return triggers
