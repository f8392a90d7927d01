"""When the timers are due next, as the Functions host reads their schedules: in UTC."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from functions.configuration import occurrences, schedules
from relay.doctor.findings import ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

SHOWN = 3


def scheduled(case: Case) -> Iterator[Finding]:
    """The next times of each timer."""
    for name, schedule in case.settings.schedules.items():
        times = list(islice(occurrences.after(schedule, case.clock.now()), SHOWN))
        told = ", ".join(f"{at:%Y-%m-%d %H:%M:%S}" for at in times)
        when = "if it began now" if schedules.is_interval(schedule) else "next"
        yield ok(f"{name} ({schedule}): {when} {told} UTC" if told else f"{name}: never")
