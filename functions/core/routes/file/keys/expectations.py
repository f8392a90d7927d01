"""`expect`: by when a run of a route should have ended, and how long one may be held."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from functions.core.routes.expectation import EVERY_DAY, WEEKDAYS, Expectation
from functions.core.routes.file.shapes import DAYS, EXPECT
from functions.core.texts.times import parse_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]


def contradictions(entry: Entry, whole: Entry) -> Said:
    """What is wrong with what one route expects."""
    told, written = entry["expect"], whole["expect"]
    if "start" not in whole:
        yield ("expect",), "is about continuations, and a route without `start` has none"
    if not {"by", "within", "held"} & written.keys():
        yield ("expect",), "says neither `by`, `within` nor `held`: nothing would be expected"
    if "by" in told and "within" in told:
        yield ("expect", "within"), "stands beside `by`: a run is expected by one of them"
    if "days" in told and "by" not in told:
        yield ("expect", "days"), "says which days, and no `by` says at which time"
    zone = told.get("by", "").partition(" ")[2]
    if re.search(EXPECT["properties"]["by"]["pattern"], told.get("by", "")) and not _is_zone(zone):
        yield ("expect", "by"), f"names no time zone: {zone} is none such as Europe/Berlin or UTC"


def made(entry: Entry) -> Expectation:
    """What an entry expects that is as it should be."""
    at, _, zone = entry.get("by", "").partition(" ")
    spans = {key: parse_span(entry[key]) for key in ("within", "held") if key in entry}
    by = time.fromisoformat(at.zfill(5)) if at else None
    return Expectation(by=by, zone=zone, days=_days(entry.get("days")), **spans)


def _days(told: str | list[str] | None) -> frozenset[int]:
    if told is None:
        return EVERY_DAY
    return WEEKDAYS if isinstance(told, str) else frozenset(map(DAYS.index, told))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # none of that name, or what can be none
        return False
    return True
