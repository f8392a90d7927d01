"""When a schedule that the host keeps comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, islice, product
from typing import TYPE_CHECKING

from functions.configuration import schedules

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = timedelta(days=1)
YEARS = 41  # a 29 February has each weekday within 40 years
NEVER = datetime.max.replace(tzinfo=UTC)


def missed(schedule: str, moment: datetime, times: int = 3) -> datetime:
    """When so many occurrences of a schedule without fault have come after the moment, in UTC."""
    return next(islice(after(schedule, moment), times - 1, None), NEVER)


def after(schedule: str, moment: datetime) -> Iterator[datetime]:
    """The occurrences after the moment, in order, in UTC: of an interval, of one that begins then.

    None after so many years.
    """
    if schedules.is_interval(schedule):
        every = schedules.interval(schedule)
        yield from (moment + n * every for n in count(1))
    seconds, minutes, hours, days, months, weekdays = schedules.numbers(schedule)
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (midnight + n * DAY for n in range(366 * YEARS)):
        if day.day in days and day.month in months and day.isoweekday() % 7 in weekdays:
            at = product(hours, minutes, seconds)
            times = (day.replace(hour=h, minute=m, second=s) for h, m, s in at)
            yield from (time for time in times if time > moment)
