"""Where a line stands among all lines, and the cursor that names it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from functions.core.ledger.records import time_text
from functions.core.terms.errors import RelayError
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation, Step

_CURSOR = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]{15}Z)/(?P<of>[0-9a-f]{12})/(?P<number>\d{1,3})"
)


class NotACursor(RelayError):
    """A text that names no line."""


class Place(NamedTuple):
    """By when a step was made, of which continuation it is, and which of its steps of that time.

    A step keeps its place whatever comes after it in its history, or is cut from the middle of it.
    """

    at: datetime
    of: str
    number: int

    @property
    def cursor(self) -> str:
        """The text that names the line."""
        return f"{time_text(self.at)}/{self.of}/{self.number}"


def named(cursor: str) -> Place:
    """The place that a cursor names; raises NotACursor."""
    found = _CURSOR.fullmatch(cursor.strip())
    at = parse_time(found["at"]) if found else None
    if found is None or at is None:
        raise NotACursor("a cursor is the `cursor` of a line that was exported before")
    return Place(at, found["of"], int(found["number"]))


def placed(c: Continuation) -> Iterator[tuple[Place, Step]]:
    """Each step of its history with its place."""
    of, same = c.key.hash, dict[datetime, int]()
    for step in c.history:
        number = same[step.at] = same.get(step.at, -1) + 1
        yield Place(step.at, of, number), step
