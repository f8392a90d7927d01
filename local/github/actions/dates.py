"""The dates of a search: `2026-11-30`, `>=2026-11-30T10:00:00Z`, `2026-11-01..2026-11-30`.

https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?")


def within(text: str) -> Callable[[datetime], bool]:
    """Whether a time is within what the text says. ValueError where it says nothing.

    A day stands for all of it, in UTC; times are told to the second, and so are compared so.
    """
    if ".." in text:
        first, _, last = text.partition("..")
        after = _always if first == "*" else _since(first)
        before = _always if last == "*" else _until(last)
        return lambda at: after(at) and before(at)
    found = re.fullmatch(r"(>=|<=|>|<)?(.+)", text)
    if found is None:
        raise ValueError(text)
    return _compared(found[1] or "", found[2])


def _compared(sign: str, text: str) -> Callable[[datetime], bool]:
    since, until = _since(text), _until(text)
    return {
        ">=": since,
        "<=": until,
        ">": lambda at: not until(at),
        "<": lambda at: not since(at),
        "": lambda at: since(at) and until(at),
    }[sign]


def _since(text: str) -> Callable[[datetime], bool]:
    begins, _ = _span(text)
    return lambda at: at >= begins


def _until(text: str) -> Callable[[datetime], bool]:
    _, ends = _span(text)
    return lambda at: at < ends


def _always(_at: datetime) -> bool:
    return True


def _span(text: str) -> tuple[datetime, datetime]:
    """When what the text names begins, and when it is over."""
    if _DAY.fullmatch(text):
        begins = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return begins, begins + timedelta(days=1)
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    begins = datetime.fromisoformat(text)
    begins = begins if begins.tzinfo else begins.replace(tzinfo=UTC)
    return begins, begins + timedelta(seconds=1)
