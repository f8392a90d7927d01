"""Timer triggers: NCRONTAB schedules in UTC, one run of a timer at a time.

Six fields, seconds first (five are taken as without seconds), or `hh:mm:ss` as an interval;
`%NAME%` is the setting of that name.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
Unlike a day of month and a day of week in cron, those of NCRONTAB must both fit. This host keeps
no schedule status between its runs, so a timer is never past due here.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from croniter import croniter

from local.functions import IndexedFunction, IndexingError, json_datum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from azure.functions.meta import Datum

    from local.invocations import Worker

MINUTE = timedelta(minutes=1)
_SETTING = re.compile(r"%([^%]+)%")
_INTERVAL = re.compile(r"(\d+):(\d\d):(\d\d)")


@dataclass(frozen=True)
class Schedule:
    """When a timer is due: an NCRONTAB expression, or an interval."""

    expression: str
    interval: timedelta | None = None

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than this moment."""
        if self.interval is not None:
            return moment + self.interval
        cron = croniter(self.expression, moment, second_at_beginning=True, day_or=False)
        return cron.get_next(datetime)


def resolved(expression: str, settings: Mapping[str, str]) -> str:
    """The expression with its `%NAME%` filled in. Raises IndexingError for an unknown name."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in settings:
            raise IndexingError(f"'{found[0]}' does not resolve to a value")
        return settings[found[1]]

    return _SETTING.sub(value, expression)


def schedule_of(function: IndexedFunction, settings: Mapping[str, str]) -> Schedule:
    """The schedule of a timer function. Raises IndexingError where it has none that fits."""
    expression = resolved(str(function.binding["schedule"]), settings)
    if interval := _INTERVAL.fullmatch(expression):
        hours, minutes, seconds = (int(part) for part in interval.groups())
        every = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if every:
            return Schedule(expression, every)
    five_or_six = len(expression.split()) in {5, 6}
    if not (five_or_six and croniter.is_valid(expression, second_at_beginning=True)):
        raise IndexingError(f"{function.name}: invalid schedule '{expression}'")
    return Schedule(expression)


def timer_datum(function: IndexedFunction, schedule: Schedule | None = None) -> Datum:
    """What a timer function receives.

    Its status is told only if the timer is monitored, which one that recurs more often than
    once a minute never is.
    """
    status = None
    if schedule is not None and function.binding.get("useMonitor") is not False:
        now = datetime.now(UTC)
        following = schedule.after(now)
        if schedule.after(following) - following >= MINUTE:
            moments = {"Last": now, "Next": following, "LastUpdated": now}
            status = {name: moment.isoformat() for name, moment in moments.items()}
    adjust = {"AdjustForDST": schedule is None or schedule.interval is None}
    return json_datum({"Schedule": adjust, "ScheduleStatus": status, "IsPastDue": False})


class Timers:
    """Fires timer functions on their schedules, each in its own thread."""

    def __init__(
        self, worker: Worker, functions: Iterable[IndexedFunction], settings: Mapping[str, str]
    ) -> None:
        self._worker = worker
        self._scheduled = [(f, schedule_of(f, settings)) for f in functions]
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin; timers with run_on_startup fire at once."""
        for function, schedule in self._scheduled:
            threading.Thread(
                target=self._keep, args=(function, schedule), name=function.name, daemon=True
            ).start()

    def stop(self) -> None:
        """Fire no more."""
        self._stopping.set()

    def _keep(self, function: IndexedFunction, schedule: Schedule) -> None:
        if function.binding.get("runOnStartup"):
            self._fire(function, schedule)
        due = datetime.now(UTC)
        while True:
            # A wait may end a little early: without `due` the same occurrence would fire twice.
            due = schedule.after(max(due, datetime.now(UTC)))
            if self._stopping.wait((due - datetime.now(UTC)).total_seconds()):
                return
            self._fire(function, schedule)

    def _fire(self, function: IndexedFunction, schedule: Schedule) -> None:
        datum = timer_datum(function, schedule)
        if not self._stopping.is_set():
            with suppress(CancelledError, RuntimeError):  # the worker has stopped meanwhile
                self._worker.invoke(function, datum, "Timer fired").result()
