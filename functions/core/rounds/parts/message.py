"""What the timer puts on the queue: one message for each part in which something is due.

{"part": 3, "of": 16, "at": "2026-11-30T00:20:00+00:00"}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from functions.core.terms.part import MOST_PARTS, Part
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime


class Asked(NamedTuple):
    """The part that is to be worked off, and when the timer saw that something in it is due."""

    part: Part
    at: datetime


class _Message(msgspec.Struct):
    part: int
    of: int
    at: str


def written(asked: Asked) -> str:
    """The message."""
    told = _Message(asked.part.number, asked.part.of, asked.at.isoformat())
    return msgspec.json.encode(told).decode()


def read(text: str) -> Asked | None:
    """What it says; None for what no version of the app has written."""
    try:
        told = msgspec.json.decode(text, type=_Message)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    at = parse_time(told.at)
    if at is None or not 0 <= told.part < told.of <= MOST_PARTS:
        return None
    return Asked(Part(told.part, told.of), at)
