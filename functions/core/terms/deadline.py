"""How much time is left, passed down to every call."""

from __future__ import annotations

from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from functions.core.terms.policy import POST_TAKES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

EVENT_GRID_WAITS = 30.0
POST_NEEDS = 15.0
ROUND_SECONDS = 180.0  # the host ends an invocation after five minutes
LAST_SECONDS = 240.0  # of a round, in which anything may still begin
EACH_SECONDS = 30.0
ANSWERED_WITHIN = 35.0  # seconds, of which Azure DevOps may hold an answer back for 30
SETTLING = 2.0  # seconds that are kept for what follows an answer
UNUSED = (
    5.0  # seconds of Event Grid's, for the way to the function and back, and a host that starts
)
READING = 4.0  # seconds that whoever is taken up beside a delivery has at least, until its POST
LONG = 5.0  # seconds after which what was read, or written, may not be so any more


class Clock(Protocol):
    """Time of day for what is stored, monotonic seconds for what is measured."""

    def now(self) -> datetime:
        """The time of day in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long."""


class Deadline:
    """Counts down from the moment the delivery came.

    `begun` is what was begun for who has this time, until it is asked for.

    `seconds` bounds the whole work. A POST may begin while `POST_NEEDS` of the time that
    Event Grid waits (`EVENT_GRID_WAITS`) is left; without `whole`, a delivery is assumed.
    https://learn.microsoft.com/azure/event-grid/delivery-and-retry
    """

    def __init__(self, clock: Clock, seconds: float, whole: float = EVENT_GRID_WAITS) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._seconds = seconds
        self._whole = whole
        self.mark: tuple[datetime, float] | None = None
        self.begun: dict[tuple[object, Hashable], Callable[[], Any]] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return self._clock.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds left for reading; never less than zero."""
        return max(0.0, self._seconds - self.elapsed)

    @property
    def has_passed(self) -> bool:
        """Whether nothing more may begin."""
        return self.left <= 0

    @property
    def allows_post(self) -> bool:
        """Whether enough is left to send a POST and record its answer."""
        is_late = self.mark is not None and self._is_late(*self.mark)
        return self._whole - self.elapsed >= POST_NEEDS and not (self.has_passed or is_late)

    def marked(self, at: datetime) -> Deadline:
        """The same for the POST of a mark made then, which begins soon after it or never.

        By the time of day as well, which alone goes on while the machine is suspended: by it
        others count when that POST can have left at the latest.
        """
        own = copy(self)
        own.mark = at, self._clock.monotonic()
        return own

    def _is_late(self, at: datetime, began: float) -> bool:
        seconds = self._clock.monotonic() - began
        return max(self._clock.now() - at, timedelta(seconds=seconds)) >= POST_TAKES

    @property
    def whole_left(self) -> float:
        """Seconds until all of it is to be over; never less than zero."""
        return max(0.0, self._whole - self.elapsed)

    @property
    def for_answer(self) -> float:
        """Seconds that the answer to a POST which begins now may take."""
        return min(ANSWERED_WITHIN, max(self._whole - self.elapsed - SETTLING, SETTLING))

    def timeout(self, at_most: float) -> float:
        """Seconds that one call may take: never zero, which libraries read as unlimited."""
        return max(0.05, min(at_most, self.left))


class Since:
    """Counts on from now, by the time of day as well: it alone goes on while a machine sleeps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.at, self._began = clock.now(), clock.monotonic()

    @property
    def is_long(self) -> bool:
        """Whether others may have had their turn meanwhile."""
        seconds = self._clock.monotonic() - self._began
        return max(seconds, (self._clock.now() - self.at).total_seconds()) >= LONG

    def anew(self) -> Since:
        """The same from now on."""
        return Since(self._clock)


def each(clock: Clock) -> Deadline:
    """For one continuation of a round or a sweep: Event Grid does not wait for it."""
    return Deadline(clock, EACH_SECONDS, whole=2 * EACH_SECONDS)


def beside(clock: Clock, used: float) -> Deadline:
    """For a round beside a delivery whose own event has taken so many seconds.

    It is over `UNUSED` seconds before Event Grid gives up. With nothing left it has passed.
    """
    whole = EVENT_GRID_WAITS - UNUSED - used
    return Deadline(clock, whole - POST_NEEDS, whole)
