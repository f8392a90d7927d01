"""Whether rounds go on: when the last one ended, in the row that `noted` tells of.

The host's timers were seen to stop for good while events still came: then a delivery does a round
besides. docs/adr/0023-rounds-without-timers.md
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.errors import Lost
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.core.ports.ledger import Shared
    from functions.core.ports.services import Ports
    from functions.core.rounds.noted import Seen

ROUNDS = "rounds"  # the shared row, as in `noted`


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

    def ended(self, by: By, seen: Seen | None = None) -> None:
        """A round ended, which saw this. One request if no other process wrote meanwhile.

        Raises LedgerUnavailable.
        """
        from functions.core.ports import shared  # noqa: PLC0415 - events look and note nothing
        from functions.core.rounds import noted  # noqa: PLC0415 - the same

        now, saw = self._clock.now().isoformat(), seen or noted.NOTHING
        self._row = shared.change(
            self._ledger, ROUNDS, lambda was: noted.ended(was, now, by, saw), self._row
        )
        self._looks_after(self.patience.silence)

    def swept(self) -> None:
        """A sweep ended. Two requests. Raises LedgerUnavailable."""
        from functions.core.ports import shared  # noqa: PLC0415 - the same

        now = self._clock.now().isoformat()
        self._row = shared.change(self._ledger, ROUNDS, lambda was: {**was, "swept": now})

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
        ended = parse_time(row.value.get("ended")) or parse_time(row.value.get("since"))
        if ended is None:
            self._share(row, {**row.value, "since": now.isoformat()})
            return False
        if not self._is_silent(parse_time(row.value.get("begun")), ended, now):
            return False
        return self._share(row, {**row.value, "begun": now.isoformat()})

    def _is_silent(self, begun: datetime | None, ended: datetime, now: datetime) -> bool:
        """Whether it lasts. What is told to be still to come is a clock's that went wrong."""
        latest = now + CLOCK_SKEW
        if begun and now - begun < self.patience.goes_on_after and begun < latest:
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
