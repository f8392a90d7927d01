"""Times as texts and numbers have them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LONGEST_SPAN = timedelta(days=36_525)  # a hundred years: no ledger knows of what was before

_SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def from_epoch(seconds: float) -> datetime | None:
    """Seconds since 1970 as UTC; None for what is beyond the years that there are."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def parse_time(text: object) -> datetime | None:
    """ISO 8601 with any number of fractional digits as UTC; None for what is no time.

    Letters may be small, and a leap second is the second before it: Python knows none.
    """
    if not isinstance(text, str | datetime):
        return None
    try:
        parsed = datetime.fromisoformat(str(text).strip().upper().replace(":59:60", ":59:59"))
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def parse_span(text: str) -> timedelta | None:
    """A length of time as in `90s`, `30m`, `24h`, `7d`, `2w`; None for what is none."""
    found = _SPAN.fullmatch(text.strip())
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    return span if span is not None and span <= LONGEST_SPAN else None
