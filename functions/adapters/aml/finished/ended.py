"""Which runs of a workspace ended: its experiments, then their runs, the last to end first.

AML orders runs by attributes only, so that what is sought is picked here. A run that says no end
comes after all others, so that it is looked for by its start: when it was queued, says AML.
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
https://mlflow.org/docs/latest/rest-api.html#search-runs
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from functions.adapters.aml.answers import NO_SUCH_OPTION, found_or_raise
from functions.adapters.aml.finished import experiments
from functions.adapters.aml.finished.experiments import LONGEST_RUN
from functions.adapters.aml.finished.tour import Tour
from functions.core.events import parents, parsing
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Ended, Run, Workspace

RUNS_PER_PAGE, FEW_PER_PAGE = 200, 20
MOST_PAGES = 50  # of runs in each batch of experiments, full ones

BY_END, BY_START = "attributes.end_time DESC", "attributes.start_time DESC"


class Sought(NamedTuple):
    """Which runs are: root runs, or `children` too, that ended since then."""

    since: datetime
    children: bool = False

    def has(self, run: Run) -> bool:
        """Whether it is one of them; one that says neither end nor start may be."""
        at = run.known_to_last_until
        is_root = self.children or not parents.has_parent(run.id, run.tags)
        return run.outcome is not None and is_root and (at is None or at >= self.since)


class EndedRuns:
    """Searches workspaces for runs that ended; `parse` reads one run, and raises Retryable."""

    def __init__(self, workspaces: Workspaces, parse: Callable[[object], Run]) -> None:
        self._workspaces = workspaces
        self._parse = parse
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
        for batch in tour.batches():
            self._whole(workspace, batch, sought, tour, deadline)
            if tour.is_over:
                break
        return tour.ended()

    def _whole(
        self, workspace: Workspace, batch: list[str], sought: Sought, tour: Tour, deadline: Deadline
    ) -> None:
        """A batch, and in halves what cannot be read, down to the experiments that it is about."""
        left = [batch]
        tour.begins(batch=True)
        while left and not tour.is_over:
            part, left = left[0], left[1:]
            search = _Search(part)
            tour.begins()
            try:
                self._search(workspace, search, sought, tour, deadline)
            except Retryable as error:
                if deadline.has_passed:
                    tour.late(error, part)
                else:
                    left = tour.instead(error, part, search.status, left)
        tour.ends(batch)

    def _search(
        self, workspace: Workspace, search: _Search, sought: Sought, tour: Tour, deadline: Deadline
    ) -> None:
        """By end until the window's beginning, then by start for those that say no end."""
        for order in (BY_END, BY_START):
            search.begin(order)
            while search.goes_on:
                found = self._bearable(workspace, search, deadline)
                runs = self._read(found.get("runs"), tour)
                tour.take(run for run in runs if sought.has(run))
                last, search.token = search.token, found.get("next_page_token")
                if not search.token or search.is_older(runs, sought.since):
                    break
                if search.token == last:  # the server repeats a page
                    tour.cut()
                    break
            else:
                tour.cut()
            if not search.token or search.by_start_only:
                return

    def _bearable(
        self, workspace: Workspace, search: _Search, deadline: Deadline
    ) -> dict[str, object]:
        """One page; of fewer runs where one of many is more than the server, or we, can bear."""
        try:
            return self._page(workspace, search, deadline)
        except Retryable:
            if deadline.has_passed or search.was_refused or search.size == FEW_PER_PAGE:
                raise
            search.size = FEW_PER_PAGE
            return self._page(workspace, search, deadline)

    def _page(self, workspace: Workspace, search: _Search, deadline: Deadline) -> dict[str, object]:
        """One page; a server that cannot order by end orders by start."""
        search.by_start_only |= workspace.key in self._no_order_by_end
        call, search.status = "/api/2.0/mlflow/runs/search", 0
        answer = self._workspaces.mlflow(workspace, call, deadline, body=search.body())
        if answer.status in NO_SUCH_OPTION and not search.token and not search.by_start_only:
            search.by_start_only = True
            answer = self._workspaces.mlflow(workspace, call, deadline, body=search.body())
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


class _Search:
    """A search over some experiments, as far as it has come.

    `status` is that of the last answer, 0 while none came.
    """

    def __init__(self, batch: Sequence[str]) -> None:
        self._batch = batch
        self.status = 0
        self.begin(BY_END)

    def begin(self, order: str) -> None:
        """From the first page on, in this order."""
        self._order = order
        self.by_start_only = False  # the server cannot order by end
        self.size, self.read = RUNS_PER_PAGE, 0
        self.token: object = None

    @property
    def was_refused(self) -> bool:
        """Whether fewer runs in a page would be refused as well."""
        return 400 <= self.status < 500

    @property
    def goes_on(self) -> bool:
        """Whether more runs may be asked for."""
        return self.read < MOST_PAGES * RUNS_PER_PAGE

    def body(self) -> dict[str, object]:
        asked: dict[str, object] = {
            "experiment_ids": self._batch,
            "max_results": self.size,
            "order_by": [BY_START if self.by_start_only else self._order],
        }
        return asked | ({"page_token": self.token} if self.token else {})

    def is_older(self, runs: Sequence[Run], since: datetime) -> bool:
        """Whether no later page can hold what is sought. What has no such time tells nothing."""
        if self._order == BY_END and not self.by_start_only:
            times = [run.end_time for run in runs if run.end_time]
        else:
            times = [run.start_time for run in runs if run.start_time]
        oldest = since - LONGEST_RUN if self.by_start_only else since
        return bool(times) and max(times) < oldest
