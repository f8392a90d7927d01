"""The app as a candidate; nothing is imported here that an earlier build may not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.latency import news

if TYPE_CHECKING:
    from azure.functions import EventGridEvent

Act = Callable[[], object]


class Candidate(Protocol):
    """Starts the pipelines of runs that were completed."""

    def prepared(self, run: str) -> Act:
        """What starts the pipeline of this run."""


class Relay:
    """The app, from where the worker calls its function."""

    def __init__(self) -> None:
        self._deliver = function("on_run_completed")
        self._takes_text = self._deliver.__annotations__["event"] == "str"

    def prepared(self, run: str) -> Act:
        """A delivery."""
        return self.delivery(news.completed(run))

    duplicate = prepared

    def delivery(self, event: str) -> Act:
        """The delivery of this event, from its text on."""
        if self._takes_text:
            return lambda: self._deliver(event=event)
        return lambda: self._deliver(event=_decoded(event))


def function(name: str) -> Callable[..., Any]:
    """What the worker calls for the function of that name."""
    import function_app  # noqa: PLC0415 - it reads the environment

    functions = {f.get_function_name(): f for f in function_app.app.get_functions()}
    found: Callable[..., Any] = functions[name].get_user_function()
    return found


def _decoded(event: str) -> EventGridEvent:
    """As the worker hands it to a function that takes the library's class."""
    from azure.functions import EventGridEvent  # noqa: PLC0415 - only earlier builds take it

    told = json.loads(event)
    return EventGridEvent(
        id=told["id"],
        data=told["data"],
        topic=told["topic"],
        subject=told["subject"],
        event_type=told["eventType"],
        event_time=datetime.fromisoformat(told["eventTime"]),
        data_version=told["dataVersion"],
    )


def candidate(name: str) -> Candidate:
    """Who is measured, by name; `relay` alone needs nothing of the others."""
    if name == "relay":
        return Relay()
    from benchmarks.latency.candidates import CANDIDATES  # noqa: PLC0415 - not in an earlier build

    return CANDIDATES[name]()
