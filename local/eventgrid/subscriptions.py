"""Event subscriptions: what is wanted where, the handshake before the first event, and the POST.

https://learn.microsoft.com/azure/event-grid/webhook-event-delivery
https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from local.eventgrid.envelopes import CLOUD, EVENT_GRID, Event, Schema, told_as
from local.eventgrid.filters import Filter, check_limits
from local.eventgrid.retries import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIGIN = "eventgrid.azure.net"
_TYPES = {
    EVENT_GRID: "application/json; charset=utf-8",
    CLOUD: "application/cloudevents+json; charset=utf-8",
}


class HandshakeError(Exception):
    """The endpoint did not agree to receive events; the message says what it answered."""


@dataclass(frozen=True)
class Subscription:
    """Which events go where, in which schema, and how long that is tried.

    `event_types` empty means all. Raises ValueError for what Event Grid would refuse.
    """

    name: str
    endpoint: str
    schema: Schema = EVENT_GRID
    event_types: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    max_attempts: int = 30
    ttl_minutes: float = 1440

    def __post_init__(self) -> None:
        if self.schema not in _TYPES:
            raise ValueError(f"unknown schema {self.schema!r}")
        if not 1 <= self.max_attempts <= 30:  # noqa: PLR2004 - the service's own range
            raise ValueError("max_attempts must be 1 to 30")
        if not 0 < self.ttl_minutes <= 1440:  # noqa: PLR2004 - the service's own range
            raise ValueError("ttl_minutes must be more than 0 and at most 1440")
        check_limits(self.filters)

    @classmethod
    def parse(cls, name: str, wire: Mapping[str, Any]) -> Subscription:
        """From keyword arguments or JSON. Raises ValueError."""
        filters = tuple(Filter.parse(one) for one in wire.get("filters", ()))
        types = tuple(wire.get("event_types") or ())
        try:
            return cls(name, **{**wire, "filters": filters, "event_types": types})
        except TypeError as error:
            raise ValueError(str(error)) from None

    @property
    def azure_function(self) -> bool:
        """Whether the endpoint is a function's, so that the rules for Azure endpoints hold."""
        return urlsplit(self.endpoint).path.lower().startswith("/runtime/webhooks/eventgrid")

    def wants(self, event: Event) -> bool:
        """Whether the event goes there. Keys of both schemas can be filtered on."""
        view = told_as(event, CLOUD) | told_as(event, EVENT_GRID)
        kind, subject = view["eventType"].lower(), (view.get("subject") or "").lower()
        return (
            (not self.event_types or kind in {t.lower() for t in self.event_types})
            and subject.startswith(self.subject_begins_with.lower())
            and subject.endswith(self.subject_ends_with.lower())
            and all(one.matches(view) for one in self.filters)
        )

    def shown(self) -> dict[str, Any]:
        """The subscription as JSON; a key in the endpoint's query stays hidden."""
        address = urlsplit(self.endpoint)
        hidden = "…" if "code=" in address.query else address.query
        return asdict(self) | {"endpoint": address._replace(query=hidden).geturl()}


class Messenger:
    """Speaks to endpoints as Event Grid does; every request is a connection of its own."""

    def __init__(self, patience: float) -> None:
        self._pool = urllib3.PoolManager(
            timeout=patience, retries=False, headers={"Connection": "close"}
        )

    def deliver(self, to: Subscription, event: Event, count: int) -> Answer:
        """POST one event, an array of one in Event Grid's own schema; never raises."""
        told = told_as(event, to.schema)
        headers = {
            "aeg-delivery-count": str(count),
            "aeg-data-version": str(event.get("dataVersion", "")),
            "aeg-metadata-version": str(event.get("metadataVersion", "1")),
            "aeg-output-event-id": str(uuid.uuid4()),
        }
        body: Any = told if to.schema == CLOUD else [told]
        try:
            return Answer.of(self._post(to, "Notification", body, headers).status)
        except urllib3.exceptions.HTTPError as error:
            return Answer(_outcome(error))

    def shake_hands(self, to: Subscription, code: str, url: str) -> None:
        """Ask the endpoint whether it wants events. Raises HandshakeError if it does not say so."""
        try:
            agreed = self._asked(to) if to.schema == CLOUD else self._validated(to, code, url)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise HandshakeError(f"{to.name}: {error}") from error
        if agreed:
            raise HandshakeError(f"{to.name}: the endpoint answered {agreed}")

    def say_goodbye(self, to: Subscription) -> None:
        """Tell the endpoint that its subscription was deleted; its answer does not matter."""
        event = _service_event("SubscriptionDeleted", {"eventSubscriptionId": to.name})
        try:
            self._post(to, "SubscriptionDeletion", [event], {})
        except urllib3.exceptions.HTTPError:
            return

    def _asked(self, to: Subscription) -> str:
        """What was wrong with the answer to the CloudEvents handshake; empty if nothing."""
        headers = {"WebHook-Request-Origin": ORIGIN, "Connection": "close"}
        answer = self._pool.request("OPTIONS", to.endpoint, headers=headers)
        allowed = answer.headers.get("WebHook-Allowed-Origin", "")
        fine = answer.status == 200 and allowed in {"*", ORIGIN}  # noqa: PLR2004 - OK
        return "" if fine else f"{answer.status} and allowed the origin {allowed!r}"

    def _validated(self, to: Subscription, code: str, url: str) -> str:
        data = {"validationCode": code, "validationUrl": url}
        event = _service_event("SubscriptionValidation", data)
        answer = self._post(to, "SubscriptionValidation", [event], {})
        reply = answer.json() if answer.status == 200 else None  # noqa: PLR2004 - 202 is refused
        said = reply.get("validationResponse") if isinstance(reply, dict) else None
        return "" if said == code else f"{answer.status} without the validation code"

    def _post(
        self, to: Subscription, kind: str, body: object, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        usual = {
            "Content-Type": _TYPES[to.schema],
            "Connection": "close",
            "aeg-event-type": kind,
            "aeg-subscription-name": to.name.upper(),
        }
        return self._pool.request(
            "POST", to.endpoint, body=json.dumps(body), headers=usual | headers, redirect=False
        )


def _service_event(kind: str, data: dict[str, str]) -> Event:
    return {
        "id": str(uuid.uuid4()),
        "topic": "",
        "subject": "",
        "eventType": f"Microsoft.EventGrid.{kind}Event",
        "eventTime": datetime.now(UTC).isoformat(),
        "data": data,
        "dataVersion": "1",
        "metadataVersion": "1",
    }


def _outcome(error: urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "ResolutionError"
    late = isinstance(error, urllib3.exceptions.TimeoutError)
    return "TimedOut" if late else "SocketError"
