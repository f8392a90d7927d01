"""Times as texts and numbers have them, and what the Functions host makes of them on the way.

Its Event Grid extension reads an event with Newtonsoft.Json and writes it again: each text that
looks like a time, in tags and properties too, is told in the host's zone. A dead letter holds the
event as it was sent. https://www.newtonsoft.com/json/help/html/DatesInJSON.htm
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LEFT_OUT = "…"  # stands in an event for a text of which it tells no more than that it is there
CENTURY = timedelta(days=36_525)  # no span is longer: no calendar goes back for ever

_SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<hour>\d\d)(?P<rest>:\d\d:\d\d)(?:\.(?P<part>\d{1,7}+))?"
    r"(?:[Zz]|(?:(?P<sign>[+-])(?P<hours>\d\d))?(?::?(?P<minutes>\d\d)|:)?)",  # what is half a zone
    re.ASCII,
)
_EPOCH = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_FIRST, _LAST = (at.replace(tzinfo=UTC) for at in (datetime.min, datetime.max))  # noqa: DTZ901
# Rather too much than too little: text, or JSON of what was no text, that may have been another.
_NEARLY = re.compile(
    r'(?:^|")(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|/Date\()|^[\[{].*(?:NaN|Infinity)',
    re.ASCII | re.DOTALL,
)


def from_epoch(seconds: float) -> datetime | None:
    """Seconds since 1970 as UTC; None for what is beyond the years that there are."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def iso(at: datetime) -> str:
    """ISO 8601; of a time in UTC with the letter `Z`, as Azure tells its own."""
    return at.isoformat().replace("+00:00", "Z")


def parse_time(text: object) -> datetime | None:
    """ISO 8601 with any number of fractional digits as UTC; None for what is no time.

    Letters may be small, and a leap second is the second before it: Python knows none. What the
    host alone takes for a time is that time.
    """
    if not isinstance(text, str | datetime):
        return None
    try:
        parsed = datetime.fromisoformat(str(text).strip().upper().replace(":59:60", ":59:59"))
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except ValueError:
        return instant(str(text))
    except OverflowError:
        return None


def may_be_retold(text: str) -> bool:
    """Whether the host may have been sent another text than this, or would have told another.

    So it is of one that was left out.
    """
    return text == LEFT_OUT or _NEARLY.search(text) is not None


def told_in_utc(text: str) -> str:
    """The text; where it is a time that the host tells anew, the same for all that are that time.

    So it is one text whether or not an event went through a host, in whichever zone.
    """
    at = instant(text)
    if at is None:
        return text
    part = f".{at:%f}".rstrip("0").rstrip(".")
    return f"{at.replace(microsecond=0, tzinfo=None).isoformat()}{part}+00:00"


def instant(text: str) -> datetime | None:
    """The time that the host takes a text for, to the microsecond; None where it leaves it alone.

    One before the first there is or after the last is that one; one without a zone is in UTC.
    """
    try:
        if since := _EPOCH.fullmatch(text):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(since[1]))
        return _instant(found) if (found := _ISO.fullmatch(text)) else None
    except (OverflowError, ValueError):
        return None


def parse_span(text: str) -> timedelta | None:
    """A length of time as in `90s`, `30m`, `24h`, `7d`, `2w`; None for what is none."""
    found = _SPAN.fullmatch(text.strip())
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    return span if span is not None and span <= CENTURY else None


def _instant(found: re.Match[str]) -> datetime | None:
    """Raises ValueError where there is no such time."""
    part = (found["part"] or "").ljust(6, "0")[:6]
    hour = found["hour"]
    if ends_the_day := hour == "24":
        if found["rest"] != ":00:00" or (found["part"] or "").strip("0"):
            return None
        hour = "00"
    at = datetime.fromisoformat(f"{found['day']}T{hour}{found['rest']}.{part}+00:00")
    zone = (found["hours"], found["minutes"]) if found["sign"] else (0, 0)  # or it is none
    ahead = timedelta(hours=int(zone[0]), minutes=int(zone[1] or 0))
    ahead = -ahead if found["sign"] == "-" else ahead
    try:
        return at + timedelta(days=ends_the_day) - ahead
    except OverflowError:
        return _FIRST if ahead > timedelta(0) else _LAST
