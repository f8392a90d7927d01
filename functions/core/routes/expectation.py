"""By when a run of a route should have ended, and how long one may be held. Pure.

A time of day is one of its zone: summer time is none of the route's business. Where clocks are put
forward over it, it is as long after midnight as on other days; where they are put back it is the
first of the two. https://peps.python.org/pep-0495/
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta

import msgspec
from msgspec import Struct

EVERY_DAY = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
DIGITS = 16
_A_DAY = timedelta(days=1)


class Expectation(Struct, frozen=True, kw_only=True):
    """What a route says of `expect`.

    `by`: at this time in this `zone`, on these days (0 is Monday), a run of it has ended since the
    time before; `within`: so long after the one before. `held`: none is held for longer.
    """

    by: time | None = None
    zone: str = ""
    days: frozenset[int] = EVERY_DAY
    within: timedelta | None = None
    held: timedelta | None = None

    @property
    def awaits_runs(self) -> bool:
        """Whether there is a time by which one should have ended."""
        return self.by is not None or self.within is not None

    @property
    def digest(self) -> str:
        """Stands for by when it expects runs: another one begins anew."""
        told = msgspec.json.encode((self.by, self.zone, sorted(self.days), self.within))
        return hashlib.sha256(told).hexdigest()[:DIGITS]

    def after(self, at: datetime) -> datetime:
        """The first time after that by which a run should have ended, in UTC."""
        if self.within is not None:
            return at + self.within
        days = range(-1, 9)  # where clocks are put forward, the time of a day may be on the next
        return next(due for n in days if (due := self._on(at, n)) is not None and due > at)

    def before(self, at: datetime) -> datetime:
        """The last such time that is not after that."""
        if self.within is not None:
            return at - self.within
        return next(due for n in range(9) if (due := self._on(at, -n)) is not None and due <= at)

    def _on(self, at: datetime, later: int) -> datetime | None:
        """Its time on the day that is so many days later there; None: not on that day."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - few routes expect anything

        assert self.by is not None  # noqa: S101 - see `awaits_runs`
        zone = ZoneInfo(self.zone)
        day = at.astimezone(zone).date() + later * _A_DAY
        if day.weekday() not in self.days:
            return None
        return datetime.combine(day, self.by, zone).astimezone(UTC)
