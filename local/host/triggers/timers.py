"""Timer triggers: schedules in UTC, one run of a timer at a time.

`%NAME%` is the setting of that name. Unlike a day of month and a day of week in cron, those of
NCRONTAB must both fit. This host keeps no schedule status between its runs, so a timer is never
past due here.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from croniter import CroniterBadDateError, croniter

from local.host.indexing import IndexedFunction, IndexingError, json_datum
from local.host.triggers import ncrontab

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from azure.functions.meta import Datum

    from local.host.invocations import Worker

MINUTE = timedelta(minutes=1)
_SETTING = re.compile(r"%([^%]+)%")
log = logging.getLogger("host")


class NeverError(Exception):
    """The schedule has no next occurrence."""


@dataclass(frozen=True)
class Schedule:
    """When a timer is due: an NCRONTAB expression in numbers, or an interval."""

    expression: str
    interval: timedelta | None = None

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than this moment. Raises NeverError."""
        try:
            if self.interval is not None:
                return moment + self.interval
            cron = croniter(self.expression, moment, second_at_beginning=True, day_or=False)
            return cron.get_next(datetime)
        except (CroniterBadDateError, OverflowError):
            raise NeverError(self.expression) from None


def resolved(expression: str, settings: Mapping[str, str]) -> str:
    """The expression with its `%NAME%` filled in. Raises IndexingError for an unknown name."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in settings:
            raise IndexingError(f"'{found[0]}' does not resolve to a value")
        return settings[found[1]]

    return _SETTING.sub(value, expression)


def schedule_of(function: IndexedFunction, settings: Mapping[str, str]) -> Schedule:
    """The schedule of a timer function. Raises IndexingError where the host can read none."""
    expression = resolved(str(function.binding["schedule"]), settings)
    with suppress(ValueError):
        return Schedule(ncrontab.plain(expression))
    with suppress(ValueError, OverflowError):
        return Schedule(expression, ncrontab.span(expression))
    raise IndexingError(
        f"The schedule expression '{expression}' was not recognized as a valid cron expression or "
        "timespan string."
    )


def scheduled(
    functions: Iterable[IndexedFunction], settings: Mapping[str, str]
) -> dict[str, Schedule]:
    """The schedules of the functions by name; one that has none is not indexed, says the log."""
    found = {}
    for function in functions:
        try:
            found[function.name] = schedule_of(function, settings)
        except IndexingError as error:
            said = "Error indexing method 'Functions.%s'. %s"
            log.error(said, function.name, error)  # noqa: TRY400 - the same
    return found


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
    """Fires timer functions on their schedules, each in its own thread.

    While they are `halted`, no occurrence fires, and none is made up for afterwards: so all timers
    of an app were seen to stop while other triggers went on.
    https://github.com/Azure/azure-functions-host/issues/11828
    """

    def __init__(
        self, worker: Worker, scheduled: Iterable[tuple[IndexedFunction, Schedule]]
    ) -> None:
        self._worker = worker
        self._scheduled = list(scheduled)
        self._stopping = threading.Event()
        self.halted = False

    @property
    def names(self) -> list[str]:
        """The functions whose schedules are kept."""
        return [function.name for function, _ in self._scheduled]

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
        try:
            if function.binding.get("runOnStartup"):
                self._fire(function, schedule)
            self._fire_when_due(function, schedule)
        except NeverError:
            said = "The listener for function 'Functions.%s' was unable to start."
            log.error(said, function.name)  # noqa: TRY400 - what it says is all there is

    def _fire_when_due(self, function: IndexedFunction, schedule: Schedule) -> None:
        due = datetime.now(UTC)
        while True:
            # A wait may end a little early: without `due` the same occurrence would fire twice.
            due = schedule.after(max(due, datetime.now(UTC)))
            left = (due - datetime.now(UTC)).total_seconds()
            if self._stopping.wait(min(left, threading.TIMEOUT_MAX)):
                return
            self._fire(function, schedule)

    def _fire(self, function: IndexedFunction, schedule: Schedule) -> None:
        datum = timer_datum(function, schedule)
        if not self._stopping.is_set() and not self.halted:
            with suppress(CancelledError, RuntimeError):  # the worker has stopped meanwhile
                self._worker.invoke(function, datum, "Timer fired").result()
