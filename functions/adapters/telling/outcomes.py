"""Event Grid again, the other way: one CloudEvent per outcome, for whoever wants to hear of it.

What is noted is sent after the work of a delivery or a round is done, all in one request, which is
tried once: the ledger is the truth, and these are only news of it.
https://learn.microsoft.com/azure/event-grid/cloud-event-schema
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from functions.core.ports.services import Level
from functions.core.terms.words import State
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.messaging import CloudEvent

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Journal

TYPES = {
    State.STARTED: "RunRelay.ContinuationStarted",
    State.HELD: "RunRelay.ContinuationHeld",
    State.FAILED: "RunRelay.ContinuationFailed",
    State.OPEN: "RunRelay.ContinuationParked",
}
ENDED = "RunRelay.ContinuationEnded"  # the pipeline run that was started: told after the start
MOST_KEPT = 1000  # of what could not be sent yet
MOST_AT_ONCE = 100  # events of at most 3 KB each; a request may have 1 MB
CONNECT_SECONDS, READ_SECONDS = 1.0, 2.0


class EventGridOutcomes:
    """The port `Outcomes` over one custom topic with the CloudEvents schema."""

    def __init__(self, endpoint: str, identity: TokenCredential, journal: Journal) -> None:
        self._endpoint = endpoint
        self._identity = identity
        self._journal = journal
        self._noted: deque[Continuation] = deque(maxlen=MOST_KEPT)
        self._client: Any = None

    def note(self, c: Continuation) -> None:
        """Keep it until `send`; the oldest gives way if too many wait."""
        if c.state in TYPES:
            self._noted.append(c)

    def send(self) -> None:
        """One request with what was noted; a failure is told in the log, and nothing is raised."""
        batch: list[Continuation] = []
        with suppress(IndexError):  # other threads send, too
            while len(batch) < MOST_AT_ONCE:
                batch.append(self._noted.popleft())
        if not batch:
            return
        try:
            self._publisher().send([event(c) for c in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, the continuations are settled
            detail = bounded(f"{type(error).__name__}: {error}", 200)
            line = {"outcomes": "not sent", "count": len(batch), "detail": detail}
            self._journal.write(Level.WARNING, line)

    def _publisher(self) -> Any:  # noqa: ANN401 - the SDK's
        if self._client is None:
            self._client = _open(self._endpoint, self._identity)
        return self._client


def _open(endpoint: str, identity: TokenCredential) -> Any:  # noqa: ANN401 - the SDK's
    """A client that sends once, in bounded time and to no other address.

    It is the class that sends to topics. The public class of the same name makes one without any
    of the options that it was given itself, and each option that it is given with a call is a
    warning for each event.
    https://github.com/Azure/azure-sdk-for-python/blob/azure-eventgrid_4.22.1/sdk/eventgrid/azure-eventgrid/azure/eventgrid/_patch.py
    """
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - where wanted
    from azure.eventgrid._legacy import EventGridPublisherClient  # noqa: PLC0415 - the same

    from functions.adapters.entra_tokens import refusals  # noqa: PLC0415 - the same
    from functions.adapters.http.session import SteadySession  # noqa: PLC0415 - the same

    transport = RequestsTransport(
        session=SteadySession(), connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS
    )
    return EventGridPublisherClient(
        endpoint,
        identity,
        transport=transport,
        retry_total=0,
        permit_redirects=False,
        raw_response_hook=refusals(identity),
    )


def event(c: Continuation) -> CloudEvent[Any]:
    """The news of a continuation; its id is the same for the same step of the same continuation."""
    from azure.core.messaging import CloudEvent  # noqa: PLC0415 - where wanted

    return CloudEvent(
        source=c.event.workspace.id,
        type=ENDED if c.ended else TYPES[c.state],
        id=f"{c.key.hash}-{c.updated_at:%Y%m%dT%H%M%S%f}",
        time=c.updated_at,
        subject=c.key.text,
        data={
            **c.told,
            "url": c.url or None,
            "due": c.due_at.isoformat() if c.is_open else None,
        },
    )
