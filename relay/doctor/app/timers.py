"""When the timers are due next, as the Functions host reads their schedules: in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, product
from typing import TYPE_CHECKING

from functions.configuration import schedules
from relay.doctor.findings import ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

SHOWN = 3
LONGEST = timedelta(days=366 * 40)  # until a day of the month is again that day of the week
DAY = timedelta(days=1)


def scheduled(case: Case) -> Iterator[Finding]:
    """The next times of each timer."""
    for name, schedule in case.settings.schedules.items():
        times = list(islice(following(schedule, case.clock.now()), SHOWN))
        told = ", ".join(f"{at:%Y-%m-%d %H:%M:%S}" for at in times)
        when = "if it began now" if schedules.is_interval(schedule) else "next"
        yield ok(f"{name} ({schedule}): {when} {told} UTC" if told else f"{name}: never")


def following(schedule: str, moment: datetime) -> Iterator[datetime]:
    """The times after a moment at which a timer with this schedule is due, in order."""
    if schedules.is_interval(schedule):
        every = schedules.interval(schedule)
        yield from (moment + n * every for n in range(1, SHOWN + 1))
        return
    seconds, minutes, hours, *of_days = schedules.numbers(schedule)
    for day in _days(of_days, moment):
        for hour, minute, second in product(hours, minutes, seconds):
            if (at := day.replace(hour=hour, minute=minute, second=second)) > moment:
                yield at


def _days(fitting: list[list[int]], moment: datetime) -> Iterator[datetime]:
    """The days from that of the moment on which all three fit; Sunday is 0."""
    days, months, weekdays = fitting
    day = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    for at in (day + n * DAY for n in range(LONGEST.days)):
        if at.day in days and at.month in months and at.isoweekday() % 7 in weekdays:
            yield at
