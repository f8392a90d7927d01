"""A letter: an event that waits in the inbox."""

from __future__ import annotations

import hashlib
from datetime import datetime  # noqa: TC003 - msgspec reads it to decode
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.terms.runs import RunEvent  # noqa: TC001 - msgspec reads it to decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DIGITS = 12


class Letter(Struct, frozen=True):
    """An event in the inbox: the routes could not be read, or a dead letter is replayed."""

    id: str
    event: RunEvent
    received_at: datetime

    @classmethod
    def of(cls, event: RunEvent, received_at: datetime) -> Letter:
        """A letter whose id is the same for all events that bring the same news in the same words.

        Of two that name other tags one may fit a route, and the other one not.
        """
        told = (event.experiment, event.run_type, _sorted(event.tags), _sorted(event.properties))
        words = hashlib.sha256(repr(told).encode()).hexdigest()[:DIGITS]
        return cls(f"{event.key('').hash}.{words}", event, received_at)


def _sorted(pairs: Mapping[str, str] | None) -> Sequence[tuple[str, str]] | None:
    return None if pairs is None else sorted(pairs.items())
