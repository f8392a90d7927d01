"""Which runs of a workspace ended: its experiments, then their runs, the last to end first.

AML orders runs by attributes only, so that what is sought is picked here.
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
https://mlflow.org/docs/latest/rest-api.html#search-runs
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.adapters.aml.workspaces import Workspaces, dicts, found_or_raise
from functions.core import events
from functions.core.errors import Retryable
from functions.core.values import Ended, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from functions.adapters.transport import Answer
    from functions.core.deadline import Deadline
    from functions.core.values import Run, Workspace

EXPERIMENTS_PER_PAGE = 1000
EXPERIMENTS_AT_ONCE = 50
RUNS_PER_PAGE = 200
MOST_PAGES = 50  # of experiments, and of runs in each batch of experiments
LONGEST_RUN = timedelta(days=30)  # where the server orders by start only

BY_END, BY_START = "attributes.end_time DESC", "attributes.start_time DESC"
_REFUSED = frozenset({400, 501})


class EndedRuns:
    """Searches workspaces for runs that ended; `parse` reads one run, and raises Retryable."""

    def __init__(self, workspaces: Workspaces, parse: Callable[[object], Run]) -> None:
        self._workspaces = workspaces
        self._parse = parse
        self._no_order_by_end: set[str] = set()

    def since(self, workspace: Workspace, since: datetime, deadline: Deadline) -> Ended:
        """Root runs that ended since then; raises Retryable.

        Not whole where the deadline passes or a search has more pages than are read.
        """
        names, whole = self._experiments(workspace, deadline)
        found: dict[str, Run] = {}
        ids = list(names)
        for at in range(0, len(ids), EXPERIMENTS_AT_ONCE):
            search = _Search(ids[at : at + EXPERIMENTS_AT_ONCE])
            for page in self._pages(workspace, search, since, deadline):
                found |= {run.id: run for run in page if _is_sought(run, since)}
            whole = whole and search.whole
        return Ended(runs=tuple(found.values()), experiments=names, whole=whole)

    def _experiments(self, workspace: Workspace, deadline: Deadline) -> tuple[dict[str, str], bool]:
        """The names of the workspace's experiments by id, and whether these are all.

        `max_results` must be given: without it AML and MLflow refuse the call.
        """
        names: dict[str, str] = {}
        search: dict[str, object] = {"max_results": EXPERIMENTS_PER_PAGE}
        for _ in range(MOST_PAGES):
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/experiments/search", deadline, body=search
            )
            page = found_or_raise(answer, f"experiments of {workspace.name}")
            for found in dicts(page.get("experiments")):
                names[str(found.get("experiment_id"))] = bounded(found.get("name") or "")
            if not page.get("next_page_token"):
                return names, True
            search["page_token"] = page["next_page_token"]
        return names, False

    def _pages(
        self, workspace: Workspace, search: _Search, since: datetime, deadline: Deadline
    ) -> Iterator[Sequence[Run]]:
        """Pages of runs, the last to end first, until one is older than the window."""
        for _ in range(MOST_PAGES):
            if deadline.has_passed:
                break
            by_end, answer = self._page(workspace, search, deadline)
            found = found_or_raise(answer, f"runs of {workspace.name}")
            runs = self._read(found.get("runs"))
            yield runs
            token = found.get("next_page_token")
            if not token or _is_older(runs, since, by_end=by_end):
                return
            search.token = token
        search.whole = False

    def _page(
        self, workspace: Workspace, search: _Search, deadline: Deadline
    ) -> tuple[bool, Answer]:
        """One page, and whether it is ordered by end; a server that cannot orders by start."""
        name = workspace.key
        for by_end in (True, False):
            if by_end and name in self._no_order_by_end:
                continue
            answer = self._workspaces.mlflow(
                workspace,
                "/api/2.0/mlflow/runs/search",
                deadline,
                body=search.body(BY_END if by_end else BY_START),
            )
            if answer.status not in _REFUSED or search.token:
                break
        if not by_end and answer.status == 200:
            self._no_order_by_end.add(name)
        return by_end, answer

    def _read(self, found: object) -> list[Run]:
        """The runs of a page; what is no run is passed over, and costs the others nothing."""
        runs = []
        for item in dicts(found):
            with suppress(Retryable):
                runs.append(self._parse(item))
        return runs


class _Search:
    """A search over some experiments, as far as it has come."""

    def __init__(self, experiments: Sequence[str]) -> None:
        self._experiments = experiments
        self.token: object = None
        self.whole = True

    def body(self, order: str) -> dict[str, object]:
        asked: dict[str, object] = {
            "experiment_ids": self._experiments,
            "max_results": RUNS_PER_PAGE,
            "order_by": [order],
        }
        return asked | ({"page_token": self.token} if self.token else {})


def _is_sought(run: Run, since: datetime) -> bool:
    return (
        run.outcome is not None
        and run.end_time is not None
        and run.end_time >= since
        and not events.has_parent(run.id, run.tags)
    )


def _is_older(runs: Sequence[Run], since: datetime, *, by_end: bool) -> bool:
    """Whether no later page can hold what is sought. What has no such time tells nothing."""
    if by_end:
        ends = [run.end_time for run in runs if run.end_time]
        return bool(ends) and max(ends) < since
    starts = [run.start_time for run in runs if run.start_time]
    return bool(starts) and max(starts) < since - LONGEST_RUN
