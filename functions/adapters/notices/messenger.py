"""The port `Messenger`: addresses out of the vault, each message in its channel's form, sent once.

No address is logged, kept in a row, or told in an error: whoever has one can post.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.notices import addresses, answers, slack, teams, webhook
from functions.adapters.notices.wording import words
from functions.core.terms.errors import InDoubt, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.adapters.http.transport import Transport
    from functions.core.kept.notice import Message
    from functions.core.routes.channel import Channel
    from functions.core.terms.deadline import Clock, Deadline

    Read = Callable[[str, Deadline], str]

CACHED_FOR = 300.0  # seconds that a secret is believed, unless its channel was refused
POST_SECONDS = 5.0
SOURCE = "run-relay"
JSON = {"Content-Type": "application/json; charset=utf-8"}


class Place(NamedTuple):
    """Where a channel's messages go, and with which key. It is never printed."""

    address: str
    key: bytes | None

    def __repr__(self) -> str:
        return "Place()"


class Setup(NamedTuple):
    """The `hosts` that may be sent to beside those of each kind, and whose messages these are.

    `studio` is where the pages of runs are, `app` the app's resource id if that is known.
    """

    hosts: tuple[str, ...]
    studio: str
    app: str


class ChannelMessenger:
    """Sends to Teams, Slack and webhooks; `read` gives a secret's text."""

    def __init__(self, read: Read, transport: Transport, clock: Clock, setup: Setup) -> None:
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # else it tells paths
        self._read, self._transport, self._clock = read, transport, clock
        self._setup = setup
        self._cache: dict[tuple[str, str | None], tuple[Place, float]] = {}

    def ready(self, channel: Channel, deadline: Deadline) -> None:
        """Raises Retryable where nothing can be sent there: its secrets, or their host."""
        self._place(channel, deadline)

    def send(
        self,
        channel: Channel,
        message: Message,
        deadline: Deadline,
        may_begin: Callable[[], bool] | None = None,
    ) -> None:
        """Send it once. Raises Retryable, Permanent and InDoubt."""
        place = self._place(channel, deadline)
        body, headers = self._form(channel.kind, message, place)
        try:
            answer = self._transport.effect(
                place.address,
                "",
                headers=headers,
                body=body,
                within=POST_SECONDS,
                may_begin=may_begin,
            )
            answers.judge(channel.kind, answer)
        except NotSentError as error:
            raise Retryable(Reason.NOT_SENT, f"{channel.kind}: no connection: {error}") from None
        except NoAnswerError as error:
            raise InDoubt(Reason.IN_DOUBT, f"{channel.kind}: no answer: {error}") from None
        except Retryable as error:
            if error.reason is Reason.REFUSED:  # perhaps there is a newer address
                self._cache.pop(_cached_as(channel), None)
            raise

    def _form(self, kind: str, message: Message, place: Place) -> tuple[str, dict[str, str]]:
        told = words(message, self._setup.studio)
        if kind == "teams":
            return teams.body(told), JSON
        if kind == "slack":
            return slack.body(told), JSON
        body = webhook.body(message, told, self._setup.app or SOURCE)
        return body, webhook.headers(message, body, place.key, self._clock.now())

    def _place(self, channel: Channel, deadline: Deadline) -> Place:
        known, at = self._cache.get(_cached_as(channel), (None, 0.0))
        if known and self._clock.monotonic() - at < CACHED_FOR:
            return known
        address = self._read(channel.secret, deadline)
        if why := addresses.refused(channel.kind, address, self._setup.hosts):
            raise Retryable(Reason.REFUSED, f"the address in secret {channel.secret} {why}")
        place = Place(address, self._key(channel.signing, deadline) if channel.signing else None)
        self._cache[_cached_as(channel)] = place, self._clock.monotonic()
        return place

    def _key(self, name: str, deadline: Deadline) -> bytes:
        key = webhook.key_of(self._read(name, deadline))
        if key is None:
            why = f"is no key of the form {webhook.PREFIX} and 24 to 64 bytes in base64"
            raise Retryable(Reason.REFUSED, f"the text of secret {name} {why}")
        return key


def _cached_as(channel: Channel) -> tuple[str, str | None]:
    return channel.name, channel.signing
