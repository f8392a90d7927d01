"""NCRONTAB and intervals, read as the host's timers read them, odd as that may be.

Six fields, seconds first (five: without them), or a .NET TimeSpan. A range may run backwards, names
may be cut short, `5/15` goes on from 5, and there is no `?`, `L`, `#` or weekday 7.
https://github.com/atifaziz/NCrontab
https://learn.microsoft.com/dotnet/api/system.timespan.parse
"""

from __future__ import annotations

import re
from datetime import timedelta

SECONDS, MINUTES, HOURS = (0, 59), (0, 59), (0, 23)
DAYS, MONTHS, WEEKDAYS = (1, 31), (1, 12), (0, 6)
LIMITS = (SECONDS, MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS)
NAMES = {
    MONTHS: "january february march april may june july august september october november december",
    WEEKDAYS: "sunday monday tuesday wednesday thursday friday saturday",
}
DAY = 24
_SPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d{1,8})[.:])??"
    r"(?P<hours>\d{1,8}):(?P<minutes>\d\d?)(?::(?P<seconds>\d\d?)(?:\.(?P<part>\d{1,7}))?)?"
)
_WHOLE_DAYS = re.compile(r"(?P<sign>-?)(?P<days>\d{1,8})")


def plain(expression: str) -> str:
    """The same in numbers alone, with all six fields. Raises ValueError for what is no NCRONTAB."""
    fields = [field for field in expression.split(" ") if field]
    if len(fields) == len(LIMITS) - 1:
        fields = ["0", *fields]
    if len(fields) != len(LIMITS):
        raise ValueError(expression)
    return " ".join(_numbers(field, limits) for field, limits in zip(fields, LIMITS, strict=True))


def _numbers(field: str, limits: tuple[int, int]) -> str:
    found = {number for item in field.split(",") for number in _range(item, limits)}
    return ",".join(map(str, sorted(found)))


def _range(item: str, limits: tuple[int, int]) -> range:
    first, last = limits
    values, slash, every = item.partition("/")
    step = max(1, _whole(every)) if slash else 1
    if values == "*":
        return range(first, last + 1, step)
    low, dash, high = values.partition("-")
    start = _value(low, limits)
    end = _value(high, limits) if dash else (last if slash else start)
    return range(min(start, end), max(start, end) + 1, step)


def _value(text: str, limits: tuple[int, int]) -> int:
    first, last = limits
    if text[:1].isalpha():
        names = NAMES.get(limits, "").split()
        value = first + [name.startswith(text.lower()) for name in names].index(True)
    else:
        value = _whole(text)
    if not first <= value <= last:
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(text)
    return int(text)


def span(text: str) -> timedelta:
    """A TimeSpan; three parts of which the first is no hour are days, hours and minutes.

    Raises ValueError, and OverflowError for what is longer than any calendar.
    """
    found = _WHOLE_DAYS.fullmatch(text) or _SPAN.fullmatch(text)
    if not found:
        raise ValueError(text)
    parts = found.groupdict()
    numbers = [int(parts.get(n) or 0) for n in ("days", "hours", "minutes", "seconds")]
    if parts.get("days") is None and numbers[1] >= DAY and parts["seconds"]:
        numbers = [*numbers[1:], 0]
    days, hours, minutes, seconds = numbers
    if hours >= DAY or max(minutes, seconds) > MINUTES[1]:
        raise ValueError(text)
    part = int((parts.get("part") or "").ljust(6, "0")[:6])
    length = timedelta(days, seconds, part, minutes=minutes, hours=hours)
    return -length if found["sign"] else length
