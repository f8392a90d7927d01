"""A local Event Grid topic: takes events, delivers them at least once, retries, gives up.

`POST /api/events?api-version=2018-01-01` is the data plane that EventGridPublisherClient speaks
(https://learn.microsoft.com/azure/event-grid/post-to-custom-topic). By hand: `PUT`, `DELETE`
`/_local/subscriptions/NAME`, `GET /_local/subscriptions`, `GET /_local/deliveries`.

The topic stands for the system topic of one resource, `resource`: events that name no topic get it.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from flask import Response, jsonify, request

from local.eventgrid import publishing
from local.eventgrid.dead_letters import DeadLetters
from local.eventgrid.delivery import Attempt, Deliveries, Disorder
from local.eventgrid.envelopes import Event, InvalidEventError, accepted
from local.eventgrid.publishing import refused
from local.eventgrid.retries import Pace
from local.eventgrid.subscriptions import HandshakeError, Subscription
from local.serving.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
    "/providers/Microsoft.MachineLearningServices/workspaces/local"
)


class Topic(Running):
    """One topic on a loopback port while entered.

    `key` is what publishers must send as `aeg-sas-key`. `time_scale` multiplies every wait of the
    real service; `response_limit` is the seconds an endpoint has to answer (None: 30, scaled, at
    least 5). Dead letters go to a folder, or nowhere. `duplicates` (a probability), `shuffle`
    (seconds) and `seed` make the disorder that at-least-once delivery allows.
    """

    def __init__(  # noqa: PLR0913 - each is a property of the one topic
        self,
        port: int = 0,
        *,
        key: str,
        resource: str = WORKSPACE,
        dead_letters: Path | None = None,
        time_scale: float = 1.0,
        response_limit: float | None = None,
        duplicates: float = 0.0,
        shuffle: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__(port)
        self.resource, self.dead_letters, self._key = resource, dead_letters, key
        self._subscriptions: dict[str, Subscription] = {}
        self._awaited: dict[str, Subscription] = {}
        self._deliveries = Deliveries(
            Pace(time_scale, response_limit),
            Disorder(duplicates, shuffle),
            DeadLetters(dead_letters),
            seed,
        )
        self.app.add_url_rule("/api/events", "publish", self._publish, methods=["POST"])
        rule, methods = "/_local/subscriptions", ["PUT", "DELETE"]
        self.app.add_url_rule(rule, "subscriptions", self._list)
        self.app.add_url_rule(f"{rule}/<name>", "subscription", self._manage, methods=methods)
        self.app.add_url_rule("/_local/deliveries", "deliveries", self._record)
        self.app.add_url_rule("/_local/validate", "validate", self._validate)

    def __enter__(self) -> Self:
        super().__enter__()
        self._deliveries.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._deliveries.stop()
        super().__exit__()

    @property
    def endpoint(self) -> str:
        """What EventGridPublisherClient takes as its endpoint."""
        return f"{self.url}/api/events"

    def subscribe(self, name: str, endpoint: str, **rule: Any) -> Subscription:
        """Deliver to this endpoint from now on; `rule` is the rest of a Subscription.

        `filters` are given as in the resource type (operatorType, key, values). Raises ValueError
        for what Event Grid refuses, HandshakeError if the endpoint does not agree.
        """
        subscription = Subscription.parse(name, {"endpoint": endpoint, **rule})
        code = str(uuid.uuid4())
        self._awaited[code] = subscription
        url = f"{self.url}/_local/validate?id={code}"
        self._deliveries.messenger.shake_hands(subscription, code, url)
        self._subscriptions[name] = self._awaited.pop(code)
        return subscription

    def unsubscribe(self, name: str) -> None:
        """Deliver nothing more there. Raises KeyError if there is no such subscription."""
        self._deliveries.messenger.say_goodbye(self._subscriptions.pop(name))

    def publish(self, event: Event | Sequence[Event]) -> None:
        """Take one event or several, of either schema, as if Azure itself had raised them.

        Raises InvalidEventError, and then takes none.
        """
        given = [event] if isinstance(event, dict) else event
        checked = [accepted(one, self.resource) for one in given]
        subscriptions = self.subscriptions
        for one in checked:
            for subscription in subscriptions:
                if subscription.wants(one):
                    self._deliveries.send(subscription, one)

    @property
    def subscriptions(self) -> list[Subscription]:
        """Who gets events now."""
        return list(self._subscriptions.values())

    @property
    def attempts(self) -> list[Attempt]:
        """Every delivery so far, oldest first."""
        return self._deliveries.attempts()

    def idle(self, timeout: float = 30) -> None:
        """Wait until every event was delivered or given up. Raises TimeoutError."""
        self._deliveries.idle(timeout)

    def wait_for(self, reached: Callable[[list[Attempt]], bool], timeout: float = 30) -> None:
        """Wait until the record of attempts looks so. Raises TimeoutError."""
        self._deliveries.wait_for(reached, timeout)

    def wait_delivered(self, event_id: str, times: int = 1, timeout: float = 30) -> None:
        """Wait until an event was delivered so often, counted over all subscriptions."""

        def reached(attempts: list[Attempt]) -> bool:
            good = [a for a in attempts if a.event_id == event_id and a.outcome == "Delivered"]
            return len(good) >= times

        self.wait_for(reached, timeout)

    def _publish(self) -> Response:
        refusal = publishing.refusal(request, self._key)
        if refusal is not None:
            return refusal
        try:
            self.publish(publishing.events_in(request))
        except InvalidEventError as error:
            return refused(400, "BadRequest", str(error))
        return Response(status=200)

    def _manage(self, name: str) -> Response:
        if request.method == "DELETE":
            known = name in self._subscriptions
            if known:
                self.unsubscribe(name)
            return Response(status=200 if known else 404)
        wire = request.get_json(force=True, silent=True)
        if not isinstance(wire, dict) or not isinstance(wire.get("endpoint"), str):
            return refused(400, "InvalidRequest", "The subscription needs an endpoint.")
        try:
            return jsonify(self.subscribe(name, **wire).shown())
        except (ValueError, HandshakeError) as error:
            return refused(400, "InvalidRequest", str(error))

    def _validate(self) -> Response:
        """Make a subscription active by hand, as whoever opens its validationUrl does."""
        subscription = self._awaited.pop(request.args.get("id", ""), None)
        if subscription is None:
            return Response(status=404)
        self._subscriptions[subscription.name] = subscription
        return jsonify(subscription.shown())

    def _list(self) -> Response:
        return jsonify([one.shown() for one in self.subscriptions])

    def _record(self) -> Response:
        return jsonify([asdict(attempt) for attempt in self.attempts])
