"""What the timer puts on the queue: one message for each part in which something is due.

{"part": 3, "of": 16, "at": "2026-11-30T00:20:00+00:00"}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.part import MOST_PARTS, Part
from functions.core.texts import jsontext
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime


class Asked(NamedTuple):
    """The part that is to be worked off, and when the timer saw that something in it is due."""

    part: Part
    at: datetime


def written(asked: Asked) -> str:
    """The message."""
    told = {"part": asked.part.number, "of": asked.part.of, "at": asked.at.isoformat()}
    return json.dumps(told)


def read(text: str) -> Asked | None:
    """What it says; None for what no version of the app has written."""
    try:
        told = jsontext.read(text)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    part, of, at = told.get("part"), told.get("of"), parse_time(told.get("at"))
    if at is None or type(part) is not int or type(of) is not int:
        return None
    return Asked(Part(part, of), at) if 0 <= part < of <= MOST_PARTS else None
