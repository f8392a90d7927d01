"""What a publisher's request must be, before its events are looked at.

https://learn.microsoft.com/azure/event-grid/post-to-custom-topic
"""

from __future__ import annotations

import hmac
from typing import Any

from flask import Request, Response, jsonify

from local.eventgrid.envelopes import CLOUD, EVENT_GRID, InvalidEventError, schema_of

API_VERSION = "2018-01-01"
MOST_BYTES = 1024 * 1024
_CONTENT = {"application/json": EVENT_GRID, "application/cloudevents-batch+json": CLOUD}


def refused(status: int, code: str, message: str) -> Response:
    """An error as Event Grid words it."""
    answer = jsonify(error={"code": code, "message": message})
    answer.status_code = status
    return answer


def refusal(request: Request, key: str) -> Response | None:
    """Why the request is not taken, whatever its events are; None if it is."""
    given = request.headers.get("aeg-sas-key", "")
    if not hmac.compare_digest(given.encode(), key.encode()):
        return refused(401, "Unauthorized", "The request's key is missing or not the topic's.")
    if request.args.get("api-version") != API_VERSION:
        return refused(400, "BadRequest", f"The api-version must be {API_VERSION}.")
    if request.mimetype not in _CONTENT:
        return refused(415, "UnsupportedMediaType", "Send a batch of JSON events.")
    if len(request.get_data()) > MOST_BYTES:
        return refused(413, "RequestEntityTooLarge", "A batch has at most 1 MB.")
    return None


def events_in(request: Request) -> list[Any]:
    """The batch. Raises InvalidEventError if it is none, or of another schema than it says."""
    events = request.get_json(force=True, silent=True)
    if not isinstance(events, list):
        raise InvalidEventError("the body must be a JSON array of events")
    schema = _CONTENT[request.mimetype]
    if any(isinstance(event, dict) and schema_of(event) != schema for event in events):
        raise InvalidEventError(f"an event does not fit the content type {request.mimetype}")
    return events
