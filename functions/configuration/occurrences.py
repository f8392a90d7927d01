"""When a schedule that the host keeps comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

from functions.configuration import schedules

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = timedelta(days=1)
YEARS = 41  # a 29 February has each weekday within 40 years
NEVER = datetime.max.replace(tzinfo=UTC)


def missed(schedule: str, moment: datetime, times: int = 3) -> datetime:
    """When so many occurrences of a schedule without fault have come after the moment, in UTC."""
    if schedules.is_interval(schedule):
        return moment + times * schedules.interval(schedule)
    coming = after(schedule, moment)
    for _ in range(times - 1):
        next(coming, None)
    return next(coming, NEVER)


def after(schedule: str, moment: datetime) -> Iterator[datetime]:
    """The occurrences of six or five fields, or none after so many years."""
    seconds, minutes, hours, days, months, weekdays = schedules.numbers(schedule)
    at = sorted(product(hours, minutes, seconds))
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(366 * YEARS):
        day = midnight + number * DAY
        if day.day in days and day.month in months and day.isoweekday() % 7 in weekdays:
            times = (day.replace(hour=h, minute=m, second=s) for h, m, s in at)
            yield from (time for time in times if time > moment)
