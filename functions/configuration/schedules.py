"""Which schedules a timer of the host keeps, and which of them somebody can mean.

Six fields as in cron, seconds first (five: without them), or an interval, `[DAYS.]HH:MM[:SS]`. Of a
day of the month and a day of the week both must fit. A function whose schedule the host cannot
read does not exist for it.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

DAY, HOUR = 24, 60  # hours; minutes, and seconds of a minute
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(
    r"(?:\*|(?P<low>[0-9]{1,9}|[a-z]+)(?:-(?P<high>[0-9]{1,9}|[a-z]+))?)(?:/(?P<step>[0-9]{1,9}))?",
    re.IGNORECASE | re.ASCII,
)
_INTERVAL = re.compile(
    r"(?:(?P<days>[0-9]{1,4})(?:\.|:(?=[0-9]+:[0-9]+:)))?"
    r"(?P<hours>[0-9]{1,2}):(?P<minutes>[0-9]{1,2})(?::(?P<seconds>[0-9]{1,2})(?:\.[0-9]{1,7})?)?"
)


class _Field(NamedTuple):
    """A field's numbers; names stand for them from the first on, and may be cut short."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("days", 1, 31),
    _Field("months", 1, 12, _MONTHS),
    _Field("weekdays", 0, 6, _WEEKDAYS),
)


def fault(text: str) -> str:
    """What is wrong with a schedule, as in `... is no schedule`; empty if a timer can keep it."""
    fields = [field for field in text.split(" ") if field]
    if len(fields) in {len(_FIELDS), len(_FIELDS) - 1}:
        return _cron_fault(fields)
    return _interval_fault(text)


def numbers(text: str) -> list[set[int]]:
    """The numbers of each field of a cron without fault: five, or six with seconds."""
    texts = [field for field in text.split(" ") if field]
    return [_numbers(*one) for one in zip(texts, _FIELDS[-len(texts) :], strict=True)]


def interval(text: str) -> timedelta:
    """The time that an interval without fault is."""
    found = _INTERVAL.fullmatch(text)
    days, hours, minutes, seconds = (
        (int(part or 0) for part in found.groups()) if found else [0] * 4
    )
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def is_interval(text: str) -> bool:
    """Whether a schedule without fault is an interval."""
    return ":" in text


def _cron_fault(texts: list[str]) -> str:
    found = []
    for text, field in zip(texts, _FIELDS[-len(texts) :], strict=True):
        try:
            found.append(_numbers(text, field))
        except ValueError:
            return f"is no schedule: its {field.name} are none from {field.first} to {field.last}"
    days, months = found[-3], found[-2]
    if any(min(days) <= _LENGTHS[month - 1] for month in months):
        return ""
    return "never comes: no month that it names has such a day"


def _numbers(text: str, field: _Field) -> set[int]:
    """The numbers that a field names; raises ValueError."""
    return set().union(*(_range(item, field) for item in text.split(",")))


def _range(item: str, field: _Field) -> range:
    """`*`, `5`, `5-10`, `10-5` (the same), each with `/STEP`: `5/10` is from 5 to the last."""
    found = _ITEM.fullmatch(item)
    step = int(found["step"] or 1) if found else 0
    if not (found and step):
        raise ValueError(item)
    if found["low"] is None:
        return range(field.first, field.last + 1, step)
    low = _number(found["low"], field)
    alone = field.last if found["step"] else low
    high = _number(found["high"], field) if found["high"] else alone
    return range(min(low, high), max(low, high) + 1, step)


def _number(text: str, field: _Field) -> int:
    """`5`, or a name or its beginning, of several names the first; raises ValueError."""
    cut = text.lower()
    of_name = (n for n, name in enumerate(field.names, field.first) if name.startswith(cut))
    number = int(text) if text.isdecimal() else next(of_name, -1)
    if field.first <= number <= field.last:
        return number
    raise ValueError(text)


def _interval_fault(text: str) -> str:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        return "is no schedule: neither five or six fields nor [DAYS.]HH:MM[:SS]"
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if found["days"] is None and found["seconds"] and hours >= DAY:
        return f"means {hours} days to the host; 1.00:00:00 would be one"
    if hours >= DAY or max(minutes, seconds) >= HOUR:
        return "is no schedule: nor is there such a time of day"
    return "" if days or hours or minutes or seconds else "is no time at all"
