"""All steps of all continuations in the order of their times, out of a ledger that goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from heapq import nsmallest
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from functions.core.ledger.places import SHELVES
from functions.core.terms.policy import CLOCK_SKEW
from relay.export.lines import Line
from relay.export.places import Place, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.ports.ledger import Ledger

# Whoever writes tells the time first. A claim may come as late as the host lets a function live
# (host.json), and two clocks may differ.
BETWEEN_CLOCKS = 2 * CLOCK_SKEW
SETTLED = BETWEEN_CLOCKS + timedelta(minutes=5)
AT_ONCE, READ_AT_ONCE = 50_000, 8


class Stretch(NamedTuple):
    """Which lines are wanted: from when on, before when, and after which one."""

    since: datetime
    until: datetime
    after: Place | None = None

    def has(self, place: Place) -> bool:
        """Whether the line of that place is one of them."""
        within = self.since <= place.at < self.until
        return within and (self.after is None or place > self.after)

    def beyond(self, place: Place) -> Stretch:
        """Those of them that come after this one."""
        return Stretch(max(self.since, place.at), self.until, place)


class Journal:
    """Reads the lines of a ledger; `at_once` of them are held at a time.

    Each `at_once` cost one pass over all shelves, of what was written since the last line.
    """

    def __init__(self, ledger: Ledger, at_once: int = AT_ONCE) -> None:
        self._ledger, self._at_once = ledger, at_once

    def lines(self, wanted: Stretch) -> Iterator[Line]:
        """The lines in their order. Raises LedgerUnavailable."""
        found = self._next(wanted)
        while found:
            yield from found
            more = len(found) == self._at_once
            found = self._next(wanted.beyond(found[-1].place)) if more else []

    def _next(self, wanted: Stretch) -> list[Line]:
        return nsmallest(self._at_once, self._all(wanted), key=lambda line: line.place)

    def _all(self, wanted: Stretch) -> Iterator[Line]:
        # A later step may tell an earlier time than one before it, by another clock
        read = partial(self._ledger.written, wanted.since - BETWEEN_CLOCKS)
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            for first in range(0, SHELVES, READ_AT_ONCE):  # no more are held than read at once
                some = range(first, first + READ_AT_ONCE)
                for c in chain.from_iterable(pool.map(read, some)):
                    lines = (Line(place, step, c) for place, step in placed(c))
                    yield from (line for line in lines if wanted.has(line.place))
