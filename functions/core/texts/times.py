"""Times as texts and numbers have them."""

from __future__ import annotations

from datetime import UTC, datetime


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
