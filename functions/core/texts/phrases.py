"""How numbers are told to people: so many of something, and how long something lasts."""

from __future__ import annotations

from datetime import timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def counted(number: int, one: str, many: str = "", *, grouped: bool = False) -> str:
    """So many of something: `1 run`, `2 runs`; `many` where it is not the word with an s.

    `grouped`: thousands are parted.
    """
    told = f"{number:,}" if grouped else f"{number}"
    return f"{told} {one if number == 1 else many or one + 's'}"


def lasting(span: timedelta | float, units: int = 2) -> str:
    """A length of time, given in seconds, by its largest units: 41 s, 10 min, 2 h 5 min."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    left = round(abs(seconds))
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:units])) or "0 s"
