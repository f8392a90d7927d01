"""The way through a workspace's experiments, from one of them to the last, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from functions.adapters.aml.finished.experiments import Experiments
    from functions.adapters.aml.finished.search import Search
    from functions.core.terms.errors import Retryable
    from functions.core.terms.runs import Run

EXPERIMENTS_AT_ONCE = 50
MOST_FAILURES = 3  # batches one after the other, and the rest is left to the next sweep
MOST_IN_VAIN = 7  # searches that fail one after the other: halving 50 down to one takes six
MOST_PARTED = 100  # batches that are halved in one tour
ABOUT_ALL = frozenset({0, 401, 408, 429, 503})  # no answer, or one that is about no experiment
TIME, PAGES, FILTER = "time", "pages", "a filter by time"


class Tour:
    """Batch by batch; what one lacks is written down, and costs the others nothing."""

    def __init__(self, every: Experiments, first: str) -> None:
        self._names, self._ids = every.names, every.ids
        self._start = self._ids.index(first) if first in self._ids else 0
        self._runs: dict[str, Run] = {}
        self._untimed: dict[str, None] = {}
        self._lacking = {"experiments": every.lacking} if every.lacking else {}
        if self._start:
            self._lacking[TIME] = TIME  # those before had their turn
        self._error: Retryable | None = None
        self._answered = self._answers = False
        self._failed = every.failed
        self._failures = self._odd = self._odd_before = 0
        self._in_vain = self._parted = 0
        self._next = ""
        self._down: datetime | None = None
        self._start_down: datetime | None = None
        self.is_over = False

    def batches(self) -> Iterator[list[str]]:
        """Ids of experiments, so many at once."""
        for at in range(self._start, len(self._ids), EXPERIMENTS_AT_ONCE):
            yield self._ids[at : at + EXPERIMENTS_AT_ONCE]

    def begins(self, *, batch: bool = False) -> None:
        """A search is made, the first of a batch or another of it."""
        self._odd_before = self._odd
        if batch:
            self._in_vain, self._answers = 0, False

    def ends(self, batch: list[str]) -> None:
        """No more of this batch is read. Where several bring nothing at all the tour is over."""
        if not self.is_over:
            self._failures = 0 if self._answers else self._failures + 1
            self.is_over = self._failures >= MOST_FAILURES
            self._next = self._after(batch) if self.is_over else ""

    def instead(
        self, error: Retryable, part: list[str], status: int, left: list[list[str]]
    ) -> list[list[str]]:
        """What to search next, where part of a batch was not read to its end, but answered so.

        Its halves, so that one experiment that cannot be read costs itself; but not where the
        answer is about them all, or too much was tried.
        """
        self._in_vain += 1
        goes_on = self._in_vain < MOST_IN_VAIN
        if len(part) > 1 and status not in ABOUT_ALL and goes_on and self._parted < MOST_PARTED:
            self._parted, self._odd = self._parted + 1, self._odd_before
            middle = len(part) // 2
            return [part[:middle], part[middle:], *left]
        self._error, self._failed = self._error or error, True
        self._lacking["runs"] = self._said(part, error)
        return left if goes_on else []

    def late(self, error: Retryable, part: list[str], search: Search) -> None:
        """The time is used up. Go on with it next time, unless it was all there was time for."""
        if error.reason is not Reason.DEADLINE:
            self._lacking["runs"] = error.detail
        self.is_over, self._next = True, part[0]
        if self._ids.index(part[0]) == self._start:
            self._next = self._after(part)
            self._came_with(search)
        if self._next or self._failed:
            self._lacking[TIME] = TIME

    def _came_with(self, search: Search) -> None:
        """As far as it came, which is as good as if there had been no more pages to read."""
        if search.reached is None or search.by_start_only:
            self._failed = True
        else:
            self.came_to(search.reached)

    def take(self, runs: Iterable[Run]) -> None:
        """What is sought of a page that was read."""
        self._answered, self._answers, self._in_vain = True, True, 0
        for run in runs:
            if run.known_to_last_until:
                self._runs[run.id] = run
            else:
                self._untimed[run.id] = None

    def pass_over(self) -> None:
        """Something that is no run."""
        self._odd += 1

    def came_to(self, end: datetime | None) -> None:
        """Only what ended since then was read, of some experiments."""
        self._down = _later(self._down, end)
        if end is None:
            self.cut()

    def came_to_start(self, start: datetime | None) -> None:
        """Of what says no end, only what began since then was."""
        self._start_down = _later(self._start_down, start)

    def cannot_skip(self) -> None:
        """The server cannot be asked for what ended before a moment."""
        self._lacking[FILTER] = FILTER

    def cut(self) -> None:
        """There are more pages than are read, and nothing tells how far these went."""
        self._lacking[PAGES], self._failed = PAGES, True

    def ended(self) -> Ended:
        """All that was found. Raises the first error if nothing answered, and nothing is left."""
        if self._error and not self._answered and not self._next:
            raise self._error
        if self._odd:
            self._lacking["odd"] = f"{self._odd} odd runs"
        return Ended(
            runs=tuple(self._runs.values()),
            experiments=self._names,
            lacking=tuple(self._lacking.values()),
            untimed=tuple(self._untimed),
            next=self._next,
            failed=self._failed,
            down=self._down,
            start=self._start_down,
        )

    def _said(self, batch: list[str], error: Retryable) -> str:
        """What was lacking, with its name where it is but one experiment."""
        name = self._names.get(batch[0], "")
        return f"experiment {name or batch[0]}: {error.detail}" if len(batch) == 1 else error.detail

    def _after(self, batch: list[str]) -> str:
        """The experiment that comes after the batch; "" where none does."""
        return "".join(self._ids[self._ids.index(batch[-1]) + 1 :][:1])


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments, of which each may not be there."""
    return max(one, other) if one and other else one or other
