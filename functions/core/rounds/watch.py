"""Whether rounds go on: when the last one ended, in a row that all processes share.

    {"ended": TIME, "by": WHOM, "timer": TIME, "begun": TIME}
    {"since": TIME}                        nobody knows of any that ended

The host's timers were seen to stop for good while events still came: then a delivery does a round
besides. docs/adr/0023-rounds-without-timers.md
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from functions.core.ports import shared
from functions.core.terms.errors import Lost
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.core.ports.ledger import Ledger, Shared
    from functions.core.ports.services import Ports

ROUNDS = "rounds"  # the shared row


class Patience(NamedTuple):
    """How long there may be no round, how often a process looks, and when a next one goes on.

    That is with what a delivery's round left, or where its process ended meanwhile.
    """

    silence: timedelta = timedelta(minutes=10)
    looks_every: timedelta = timedelta(minutes=5)
    goes_on_after: timedelta = timedelta(minutes=1)


class By(StrEnum):
    """Who does a round."""

    TIMER = "timer"
    DELIVERY = "delivery"
    OPERATOR = "operator"


class Last(NamedTuple):
    """When the last round `ended` and `by` whom, and when the last one of a `timer` did.

    Without `by` none ended since the watch began, which was then. None: not known.
    """

    ended: datetime | None
    by: str
    timer: datetime | None
    begun: datetime | None


def recall(ledger: Ledger) -> Last:
    """What is known of the last round. One request. Raises LedgerUnavailable."""
    return _last(ledger.shared(ROUNDS).value)


class Watch:
    """Notes each round's end, and tells a delivery when there was none for too long.

    `missed` is by when so many rounds should have begun, of a last one that ended then, that their
    timer must have stopped.
    """

    def __init__(self, ports: Ports, missed: Callable[[datetime], datetime]) -> None:
        self._ledger, self._clock = ports.ledger, ports.clock
        self._missed = missed
        self.patience = Patience()
        self._row: Shared | None = None
        self._looks_at = float("-inf")

    def ended(self, by: By) -> None:
        """A round ended. One request if no other process wrote meanwhile.

        Raises LedgerUnavailable.
        """
        now = self._clock.now().isoformat()

        def noted(value: Mapping[str, object]) -> dict[str, object]:
            return {"ended": now, "by": by, "timer": now if by is By.TIMER else value.get("timer")}

        self._row = shared.change(self._ledger, ROUNDS, noted, self._row)
        self._looks_after(self.patience.silence)

    def was_cut(self) -> None:
        """A delivery's round left something: a next one goes on soon."""
        self._looks_after(self.patience.goes_on_after)

    def takes(self) -> bool:
        """Whether no round ended for so long that this process is to do one, and no other is.

        One request in five minutes at most, and one more where it is so, or where
        the row is not there yet: then the watch begins. Raises LedgerUnavailable.
        """
        if self._clock.monotonic() < self._looks_at:
            return False
        self._looks_after(self.patience.looks_every)
        row, now = self._ledger.shared(ROUNDS), self._clock.now()
        last = _last(row.value)
        if last.ended is None:
            self._share(row, {"since": now.isoformat()})
            return False
        if not self._is_silent(last, last.ended, now):
            return False
        return self._share(row, {**row.value, "begun": now.isoformat()})

    def _is_silent(self, last: Last, ended: datetime, now: datetime) -> bool:
        """Whether it lasts. What is told to be still to come is a clock's that went wrong."""
        latest = now + CLOCK_SKEW
        if last.begun and now - last.begun < self.patience.goes_on_after and last.begun < latest:
            return False
        if ended > latest:
            return True
        return now - ended >= self.patience.silence and now >= self._missed(ended)

    def _looks_after(self, time: timedelta) -> None:
        self._looks_at = self._clock.monotonic() + time.total_seconds()

    def _share(self, row: Shared, value: Mapping[str, object]) -> bool:
        try:
            self._row = self._ledger.share(row, value)
        except Lost:
            return False  # another process has
        return True


def _last(value: Mapping[str, object]) -> Last:
    ended, timer, begun = (parse_time(value.get(n)) for n in ("ended", "timer", "begun"))
    return Last(ended or parse_time(value.get("since")), str(value.get("by", "")), timer, begun)
