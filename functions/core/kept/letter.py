"""A letter: an event that waits in the inbox."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads it to decode

from msgspec import Struct

from functions.core.terms.runs import RunEvent  # noqa: TC001 - msgspec reads it to decode


class Letter(Struct, frozen=True):
    """An event in the inbox: the routes could not be read, or a dead letter is replayed."""

    id: str
    event: RunEvent
    received_at: datetime

    @classmethod
    def of(cls, event: RunEvent, received_at: datetime) -> Letter:
        """A letter whose id is the same for all events that bring the same news."""
        return cls(event.key("").hash, event, received_at)
