"""Which runs of a workspace ended: its experiments, then their runs, the last to end first.

AML orders runs by attributes only, so that what is sought is picked here. A run that says no end
comes after all others, so that it is looked for by its start: when it was queued, says AML.
Where there are more than are read in one go, the next sweep goes on from where this one came to,
by a filter on the time. It is believed only while it finds the run that was read last: Microsoft
says neither that ends can be filtered nor in which unit; its example has seconds, the answers
have milliseconds.
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
https://mlflow.org/docs/latest/rest-api.html#search-runs
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from functions.adapters.aml.answers import NO_SUCH_OPTION, found_or_raise
from functions.adapters.aml.finished import experiments
from functions.adapters.aml.finished.experiments import LONGEST_RUN
from functions.adapters.aml.finished.search import (
    BY_START,
    FEW_PER_PAGE,
    MOST_PAGES,
    RUNS_PER_PAGE,
    STARTS,
    UNITS,
    Asked,
    Search,
    told,
)
from functions.adapters.aml.finished.tour import Tour
from functions.core.events import parsing
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from functions.adapters.aml.finished.search import Sought
    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Ended, Run, Workspace

_CALL = "/api/2.0/mlflow/runs/search"


class EndedRuns:
    """Searches workspaces for runs that ended.

    `parse` reads one run, and raises Retryable. So many full `pages` are read in one go.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        parse: Callable[[object], Run],
        pages: int = MOST_PAGES,
    ) -> None:
        self._workspaces = workspaces
        self._parse = parse
        self._pages = pages
        self._no_order_by_end: set[str] = set()

    def read(
        self, workspace: Workspace, sought: Sought, deadline: Deadline, first: str = ""
    ) -> Ended:
        """What is sought, as far as it can be read; raises Retryable if nothing can."""
        try:
            every = experiments.listed(self._workspaces, workspace, sought.since, deadline)
        except Retryable as error:
            if error.reason is Reason.RUN_NOT_FOUND:
                self._workspaces.forget(workspace)
            raise
        tour = Tour(every, first)
        asked = Asked(workspace, sought, tour, deadline)
        for batch in tour.batches():
            self._whole(asked, batch)
            if tour.is_over:
                break
        return tour.ended()

    def _whole(self, asked: Asked, batch: list[str]) -> None:
        """A batch, and in halves what cannot be read, down to the experiments that it is about."""
        left, tour = [batch], asked.tour
        tour.begins(batch=True)
        while left and not tour.is_over:
            part, left = left[0], left[1:]
            search = Search(part)
            tour.begins()
            try:
                self._search(asked, search)
            except Retryable as error:
                if asked.deadline.has_passed:
                    tour.late(error, part, search)
                else:
                    left = tour.instead(error, part, search.status, left)
        tour.ends(batch)

    def _search(self, asked: Asked, search: Search) -> None:
        """The newest, down to what the sweep before had read; then on from where that came to.

        Between these a part of those that may say no end.
        """
        since, reach, tour = asked.sought.since, asked.sought.reach, asked.tour
        came = self._down(asked, search, max(since, reach.top or since))
        if search.by_start_only:
            return None if came else tour.cut()
        search.known = reach.down if came else None
        if not search.has_shown_all:
            self._by_start(asked, search)
        if search.known and search.goes_on and not search.is_past(since):
            self._skip(asked, search, search.known)
            came = self._down(asked, search, since)
        return None if came else tour.came_to(search.reached)

    def _by_start(self, asked: Asked, by_end: Search) -> None:
        """Those that say no end, by start: what was canceled just now may have an old one."""
        since, start, tour = asked.sought.since, asked.sought.reach.start, asked.tour
        search, pages = Search(by_end.batch), max(self._pages // STARTS, 1)
        search.begin(BY_START)
        try:
            came = self._down(asked, search, since, 1 if start else pages)
            if start and not came:
                self._skip(asked, search, start)
                came = self._down(asked, search, since, pages)
        except Retryable:
            by_end.status = search.status
            if asked.deadline.has_passed:
                tour.came_to_start(search.oldest or start)
            raise
        if not came:
            tour.came_to_start(search.oldest)

    def _down(
        self, asked: Asked, search: Search, floor: datetime, pages: int | None = None
    ) -> bool:
        """Read on, so many pages at most; whether that shows all that is no older than `floor`."""
        most = search.read + (pages or self._pages) * RUNS_PER_PAGE
        while search.read < most:
            found = self._bearable(asked, search)
            runs = self._read(found.get("runs"), asked.tour)
            asked.tour.take(run for run in runs if asked.sought.has(run, search))
            search.take(runs)
            if not search.follow(found.get("next_page_token")):
                asked.tour.cut()
                return True
            if search.by_start_only:  # which tells little of the end
                floor = asked.sought.since - LONGEST_RUN
            if not search.goes_on or search.is_past(floor):
                return True
        return False

    def _skip(self, asked: Asked, search: Search, to: datetime) -> None:
        """Go on with what was no later than that, if the server can be told so."""
        if search.oldest is None or search.oldest <= to:
            return
        for unit in UNITS:
            if self._is_understood(asked, search, unit):
                search.begin(search.order, told(to, unit))
                return
        asked.tour.cannot_skip()

    def _is_understood(self, asked: Asked, search: Search, unit: timedelta) -> bool:
        """Whether a filter by time finds what was read last, and first of all."""
        assert search.oldest is not None  # noqa: S101 - see `_skip`
        probe = Search(search.batch)
        probe.begin(search.order, told(search.oldest, unit))
        probe.size = FEW_PER_PAGE
        try:
            probe.take(self._read(self._page(asked, probe).get("runs"), asked.tour))
        except Retryable:
            search.status = probe.status
            if asked.deadline.has_passed or not probe.was_refused:
                raise
            return False
        return probe.newest is not None and search.oldest <= probe.newest < search.oldest + unit

    def _bearable(self, asked: Asked, search: Search) -> dict[str, object]:
        """One page; of fewer runs where one of many is more than the server, or we, can bear."""
        try:
            return self._page(asked, search)
        except Retryable:
            if asked.deadline.has_passed or search.was_refused or search.size == FEW_PER_PAGE:
                raise
            search.size = FEW_PER_PAGE
            return self._page(asked, search)

    def _page(self, asked: Asked, search: Search) -> dict[str, object]:
        """One page; a server that cannot order by end orders by start."""
        workspace, deadline = asked.workspace, asked.deadline
        search.by_start_only |= workspace.key in self._no_order_by_end
        search.status = 0
        answer = self._workspaces.mlflow(workspace, _CALL, deadline, body=search.body())
        if answer.status in NO_SUCH_OPTION and search.may_do_without_end:
            search.by_start_only = True
            answer = self._workspaces.mlflow(workspace, _CALL, deadline, body=search.body())
            if answer.status == 200:
                self._no_order_by_end.add(workspace.key)
        search.read += search.size
        search.status = answer.status
        return found_or_raise(answer, f"runs of {workspace.name}")

    def _read(self, found: object, tour: Tour) -> list[Run]:
        """The runs of a page but the deleted ones; what is no run costs the others nothing."""
        runs = []
        for item in found if isinstance(found, list) else [found] if found else []:
            with suppress(Retryable):
                run = self._parse(item)
                if parsing.is_run_id(run.id):
                    runs += [] if run.deleted else [run]
                    continue
            tour.pass_over()
        return runs
