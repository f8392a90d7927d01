"""Runs over MLflow's REST API, the part of it that AML speaks too.

https://mlflow.org/docs/latest/rest-api.html
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.aml.answers import about_or_raise, found_or_raise, goes_on, listed, parse
from functions.adapters.aml.models.finding import Models
from functions.core.reading.below import MOST_CHILDREN
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Reach
from functions.core.texts.bounds import kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from functions.adapters.aml.finished.ended import EndedRuns
    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Ahead, Ended, Run, Workspace
    from functions.core.terms.standing import Challenger, Choice, Promotion, Shown, Standing

_GET, _SEARCH = "/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/search"
PAGE = 200
MOST_PAGES = 20  # of children; a page may have fewer than it could


class AmlRuns:
    """The runs of any workspace that the managed identity may read."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._models = models = Models(workspaces)
        self.job, self.model, self.older_models = models.job, models.of_run, models.older
        self.drop = workspaces.drop
        self._ended: EndedRuns | None = None

    def begin(self, workspace: Workspace, run: str, ahead: Ahead, deadline: Deadline) -> None:
        """Begin the first requests of what is asked for later; see the port."""
        begin = self._workspaces.begin_mlflow
        if ahead.itself:
            begin(workspace, _GET, deadline, params={"run_id": run})
        if ahead.siblings and '"' not in run:
            begin(workspace, _SEARCH, deadline, body=_children(run, ahead.siblings))
        if ahead.model:
            self._models.begin(workspace, run, ahead.model, deadline)
        if ahead.job:
            self._models.begin_job(workspace, run, deadline)

    def read(self, workspace: Workspace, run: str, deadline: Deadline) -> Run:
        """The run as it is now; raises Retryable (run_not_found, run_unreadable)."""
        answer = self._workspaces.mlflow(workspace, _GET, deadline, params={"run_id": run})
        found = parse(found_or_raise(answer, f"run {run}").get("run"))
        about_or_raise(found.id, run, f"run {run}")
        return found

    def children(self, workspace: Workspace, run: Run, deadline: Deadline) -> Sequence[Run]:
        """What a search for the run's children finds: each says whose it is; raises Retryable."""
        if '"' in run.id:
            return []  # no filter can name it, so no run can have it as parent in a search
        search = _children(run.id, run.experiment_id)
        found: list[Run] = []
        what = f"children of run {run.id}"
        for _ in range(MOST_PAGES):
            answer = self._workspaces.mlflow(workspace, _SEARCH, deadline, body=search)
            page = found_or_raise(answer, what)
            found += map(parse, listed(page, "runs", what))
            if not goes_on(search, page, what) or len(found) >= MOST_CHILDREN:
                return found
        raise Retryable(Reason.RUN_UNREADABLE, f"{what}: more than {MOST_PAGES} pages")

    def champion(
        self, workspace: Workspace, choice: Choice, challenger: Challenger, deadline: Deadline
    ) -> Standing:
        """The version of the challenger's model that is chosen; raises Retryable."""
        from functions.adapters.aml.models.champions import Champions  # noqa: PLC0415 - few routes ask

        return Champions(self._workspaces).of(workspace, choice, challenger, deadline)

    def promoted(self, workspace: Workspace, promotion: Promotion, deadline: Deadline) -> Shown:
        """The versions that are promoted, by every model's name; raises Retryable."""
        from functions.adapters.aml.models.promotions import Promotions  # noqa: PLC0415 - few routes ask

        return Promotions(self._workspaces).of(workspace, promotion, deadline)

    def ended(
        self,
        workspace: Workspace,
        since: datetime,
        deadline: Deadline,
        *,
        first: str = "",
        children: bool = False,
        reach: Reach | None = None,
    ) -> Ended:
        """Runs that ended since then, as far as time and pages allow; raises Retryable."""
        from functions.adapters.aml.finished.ended import EndedRuns  # noqa: PLC0415 - not before a sweep
        from functions.adapters.aml.finished.search import Sought  # noqa: PLC0415 - the same

        if self._ended is None:
            self._ended = EndedRuns(self._workspaces, parse)
        sought = Sought(since, children, reach or Reach())
        return self._ended.read(workspace, sought, deadline, first)

    def experiment(self, workspace: Workspace, run: Run, deadline: Deadline) -> str:
        """The name of the run's experiment; raises Retryable."""
        asked = {"experiment_id": run.experiment_id}
        answer = self._workspaces.mlflow(
            workspace, "/api/2.0/mlflow/experiments/get", deadline, params=asked
        )
        what = f"experiment {run.experiment_id}"
        found = found_or_raise(answer, what).get("experiment")
        named = found if isinstance(found, dict) else {}
        about_or_raise(named.get("experiment_id"), run.experiment_id, what)
        return kept(named.get("name") or "")

    def tag(
        self, workspace: Workspace, run: str, tags: Mapping[str, str], deadline: Deadline
    ) -> None:
        """Add the tags one by one, or replace them; raises Retryable."""
        for key, value in tags.items():
            body = {"run_id": run, "key": key, "value": value}
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/runs/set-tag", deadline, body=body
            )
            found_or_raise(answer, f"tag {key} of run {run}")


def _children(run: str, experiment: str) -> dict[str, object]:
    """The search for the run's children."""
    return {
        "experiment_ids": [experiment],
        "filter": f"tags.mlflow.parentRunId = {_quoted(run)}",
        "max_results": PAGE,
    }


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"
