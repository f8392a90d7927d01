"""Which runs are sought, and the search over some experiments, the last first, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.core.events import parents
from functions.core.terms.runs import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.adapters.aml.finished.tour import Tour
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Run, Workspace

RUNS_PER_PAGE, FEW_PER_PAGE = 200, 20
MOST_PAGES = 150  # of runs in one go, full ones

BY_END, BY_START = "end_time", "start_time"
STARTS = 3  # of the pages of one go, a part is for those that may say no end
UNITS = (timedelta(milliseconds=1), timedelta(seconds=1))  # in which a filter may want times
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sought(NamedTuple):
    """Which runs are: root runs, or `children` too, that ended since then.

    `reach`: what the sweeps before have read.
    """

    since: datetime
    children: bool = False
    reach: Reach = Reach()

    def has(self, run: Run, by: Search) -> bool:
        """Whether it is one of them; one that says neither end nor start may be.

        Those that say an end are not sought by their start as well, where both can be asked for.
        """
        if run.end_time and by.order == BY_START:
            return False
        at = run.known_to_last_until
        is_root = self.children or not parents.has_parent(run.id, run.tags)
        return run.outcome is not None and is_root and (at is None or at >= self.since)


class Asked(NamedTuple):
    """What goes along with each search: whose runs, which of them, what was found, how long."""

    workspace: Workspace
    sought: Sought
    tour: Tour
    deadline: Deadline


class Search:
    """As far as it has come.

    `status` is that of the last answer, 0 while none came. `oldest` is the earliest time of those
    that it goes by on any page, `newest` the latest on the last page that says any. `known`: what
    ended since then was read, by this one or by those of the sweeps before.
    """

    def __init__(self, batch: Sequence[str]) -> None:
        self.batch = batch
        self.status = 0
        self.known: datetime | None = None
        self.begin(BY_END)

    def begin(self, order: str, until: str = "") -> None:
        """From the first page on, in this order; `until`: of what was no later, in its words."""
        self.order, self._until = order, until
        self.by_start_only = False  # the server cannot order by end
        self.size, self.read = RUNS_PER_PAGE, 0
        self.token: object = None
        self.oldest: datetime | None = None
        self.newest: datetime | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there is another page."""
        return bool(self.token)

    @property
    def has_shown_all(self) -> bool:
        """Whether there is nothing that it has not shown."""
        return not self._until and not self.token

    @property
    def may_do_without_end(self) -> bool:
        """Whether what was refused may be the order, which another can stand for."""
        return not (self.token or self.by_start_only or self._until)

    @property
    def was_refused(self) -> bool:
        """Whether fewer runs in a page would be refused as well."""
        return 400 <= self.status < 500

    def body(self) -> dict[str, object]:
        """What is asked for next."""
        order = BY_START if self.by_start_only else self.order
        asked: dict[str, object] = {
            "experiment_ids": self.batch,
            "max_results": self.size,
            "order_by": [f"attributes.{order} DESC"],
        }
        asked |= {"filter": f"attributes.{order} <= '{self._until}'"} if self._until else {}
        return asked | ({"page_token": self.token} if self.token else {})

    @property
    def reached(self) -> datetime | None:
        """How far down it came, with what was read before."""
        return min(filter(None, (self.known, self.oldest)), default=None)

    def take(self, runs: Sequence[Run]) -> None:
        """Learn from a page how far it has come. What has no such time tells nothing."""
        if self.order == BY_END and not self.by_start_only:
            times = [run.end_time for run in runs if run.end_time]
        else:
            times = [run.start_time for run in runs if run.start_time]
        if times:
            self.newest = max(times)
            self.oldest = min(*times, self.oldest or times[0])

    def follow(self, token: object) -> bool:
        """Take the token of the next page; whether it is another than that of this one."""
        last, self.token = self.token, token
        return not token or token != last

    def is_past(self, floor: datetime) -> bool:
        """Whether no later page can hold what is no older than that."""
        return self.newest is not None and self.newest < floor


def told(at: datetime, unit: timedelta) -> str:
    """The moment as a filter says it, in whole units since 1970, none of them cut off."""
    return str(-((EPOCH - at) // unit))
