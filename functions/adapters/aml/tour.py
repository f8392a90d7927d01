"""The way through a workspace's experiments, from one of them to the last, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.reasons import Reason
from functions.core.values import Ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.adapters.aml.experiments import Experiments
    from functions.core.errors import Retryable
    from functions.core.values import Run

EXPERIMENTS_AT_ONCE = 50
MOST_FAILURES = 3  # batches one after the other, and the rest is left to the next sweep
TIME, PAGES = "time", "pages"


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
        self._answered = False
        self._failed = every.failed
        self._failures = self._odd = 0
        self._next = ""
        self.is_over = False

    def batches(self) -> Iterator[list[str]]:
        """Ids of experiments, so many at once."""
        for at in range(self._start, len(self._ids), EXPERIMENTS_AT_ONCE):
            yield self._ids[at : at + EXPERIMENTS_AT_ONCE]

    def take(self, runs: Iterable[Run]) -> None:
        """What is sought of a page that was read."""
        self._answered, self._failures = True, 0
        for run in runs:
            if run.known_to_last_until:
                self._runs[run.id] = run
            else:
                self._untimed[run.id] = None

    def pass_over(self) -> None:
        """Something that is no run."""
        self._odd += 1

    def cut(self) -> None:
        """There are more pages than are read."""
        self._lacking[PAGES] = PAGES

    def stop(self, batch: list[str]) -> None:
        """The time is used up before this batch."""
        self.is_over, self._next = True, batch[0]
        self._lacking[TIME] = TIME

    def failed(self, error: Retryable, batch: list[str], *, late: bool) -> None:
        """A batch was not read to its end, perhaps since the time is used up."""
        if not late:
            self._error, self._failed = self._error or error, True
            self._failures += 1
            self._lacking["runs"] = error.detail
            self.is_over = self._failures >= MOST_FAILURES
            self._next = self._after(batch) if self.is_over else ""
        else:
            if error.reason is not Reason.DEADLINE:
                self._lacking["runs"] = error.detail
            self._give_up(batch)

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
        )

    def _give_up(self, batch: list[str]) -> None:
        """Go on with it next time, unless it was all that there was time for."""
        self.stop(batch)
        if self._ids.index(batch[0]) == self._start:
            self._failed = True
            self._next = self._after(batch)

    def _after(self, batch: list[str]) -> str:
        """The experiment that comes after the batch; "" where none does."""
        return "".join(self._ids[self._ids.index(batch[-1]) + 1 :][:1])
