"""What the host's extension makes of an event before a function gets it.

It reads the JSON with Newtonsoft.Json and writes it again: whatever text looks like a time becomes
one on the way, in tags and properties too, and numbers become .NET's: one that is none becomes a
text. What is here was seen of Microsoft.Azure.WebJobs.Extensions.EventGrid 3.3.0, and what is taken
for half a zone of Newtonsoft.Json 6.0.8.
https://www.newtonsoft.com/json/help/html/DatesInJSON.htm
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d)(:\d\d:\d\d)(\.\d{1,7}+)?(?:([Zz])|([+-]\d\d)?(?::?(\d\d)|:)?)",
    re.ASCII,
)
_EPOCH = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/", re.ASCII)
_FIRST, _LAST = "0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999"


def rewritten(value: Any, zone: tzinfo = UTC) -> Any:
    """A JSON value as the function is given it by a host in that zone."""
    if isinstance(value, dict):
        return {key: rewritten(item, zone) for key, item in value.items()}
    if isinstance(value, list):
        return [rewritten(item, zone) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return _text(value, zone) if isinstance(value, str) else value


def _text(text: str, zone: tzinfo) -> str:
    """A text, which is the same time in the host's zone where it is one that Newtonsoft reads."""
    try:
        if since := _EPOCH.fullmatch(text):
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(since[1]))
            at = at.astimezone(zone) if since[2] else at
            return _told(at, f".{at:%f}", at.isoformat()[-6:] if since[2] else "Z")
        return _time(found, zone) if (found := _TIME.fullmatch(text)) else text
    except (OverflowError, ValueError):
        return text


def _time(found: re.Match[str], zone: tzinfo) -> str:
    """Raises ValueError where there is no such time."""
    day, hour, rest, fraction, mark, hours, minutes = found.groups()
    ends_the_day = hour == "24" and f"{rest}{fraction or ''}".strip(":.0") == ""
    at = datetime.fromisoformat(f"{day}T{'00' if ends_the_day else hour}{rest}+00:00")
    sign, minutes = (hours or "+")[0], minutes if hours else 0  # minutes alone are no zone
    ahead = timedelta(hours=int(hours or 0), minutes=int(f"{sign}{minutes or 0}"))
    try:
        at = at + timedelta(days=ends_the_day) - ahead
        at = at.astimezone(zone) if hours else at
    except OverflowError:
        return f"{_FIRST if ahead > timedelta(0) else _LAST}{'+00:00' if hours else mark or ''}"
    return _told(at, fraction or "", at.isoformat()[-6:] if hours else (mark or "").upper())


def _told(at: datetime, fraction: str, mark: str) -> str:
    """Digits of a second without zeros at their end."""
    return f"{at.isoformat()[:19]}{fraction.rstrip('0').rstrip('.')}{mark}"
