"""A local custom topic for outcome events: signed-in publishers only, CloudEvents only.

https://learn.microsoft.com/azure/event-grid/authenticate-with-microsoft-entra-id
https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request

from local.eventgrid.envelopes import InvalidEventError
from local.eventgrid.publishing import API_VERSION, MOST_BYTES, events_in, refused
from local.serving.running import Running, bearer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

AUDIENCE = "https://eventgrid.azure.net"
_REQUIRED = ("id", "source", "type", "specversion")


class OutcomeTopic(Running):
    """One custom topic with the CloudEvents schema; `events` is what was published."""

    def __init__(self, accepts: Callable[[str, str], bool], tls: ssl.SSLContext) -> None:
        super().__init__(tls=tls)
        self.events: list[dict[str, Any]] = []
        self._accepts = accepts
        self.app.add_url_rule("/api/events", "publish", self._publish, methods=["POST"])

    @property
    def endpoint(self) -> str:
        """What publishers are given."""
        return f"{self.url}/api/events"

    def _publish(self) -> Response:
        if not self._accepts(bearer(), AUDIENCE):
            return refused(401, "Unauthorized", "The request carries no token for Event Grid.")
        if len(request.get_data()) > MOST_BYTES:
            return refused(413, "RequestEntityTooLarge", "A batch has at most 1 MB.")
        try:
            self.events += _batch()
        except InvalidEventError as error:
            return refused(400, "BadRequest", str(error))
        return Response(status=200)


def _batch() -> list[dict[str, Any]]:
    """The request's events. Raises InvalidEventError."""
    if request.args.get("api-version") != API_VERSION:
        raise InvalidEventError(f"the api-version must be {API_VERSION}")
    if request.mimetype != "application/cloudevents-batch+json":
        raise InvalidEventError("this topic takes a batch of CloudEvents")
    events = events_in(request)
    for event in events:
        if lacking := [name for name in _REQUIRED if not event.get(name)]:
            raise InvalidEventError(f"an event has no {lacking[0]}")
    return events
