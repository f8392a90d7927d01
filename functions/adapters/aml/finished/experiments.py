"""Which experiments of a workspace may hold runs that ended lately, archived ones among them.

https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
https://mlflow.org/docs/latest/rest-api.html#search-experiments
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.adapters.aml.answers import NO_SUCH_OPTION, dicts, found_or_raise, goes_on
from functions.core.terms.errors import Retryable
from functions.core.texts.bounds import kept

if TYPE_CHECKING:
    from datetime import datetime

    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Workspace

EXPERIMENTS_PER_PAGE = 1000
MOST_PAGES = 50
LONGEST_RUN = timedelta(days=30)  # where its end is not known


class Experiments(NamedTuple):
    """Their names by id, the ids of those to search, and why these may not be all.

    `failed`: the next time may show more.
    """

    names: dict[str, str]
    ids: list[str]
    lacking: str = ""
    failed: bool = False


def listed(
    workspaces: Workspaces, workspace: Workspace, since: datetime, deadline: Deadline
) -> Experiments:
    """The workspace's experiments, as far as they can be read; raises Retryable if none can.

    Their ids come in an order of their own, so that a tour of several sweeps passes none over: that
    of the service is by what may change meanwhile.
    """
    found = _read(workspaces, workspace, since, deadline)
    return found._replace(ids=sorted(found.ids))


def _read(
    workspaces: Workspaces, workspace: Workspace, since: datetime, deadline: Deadline
) -> Experiments:
    pages = _Pages(workspaces, workspace, deadline)
    found = Experiments({}, [])
    oldest = (since - LONGEST_RUN).timestamp() * 1000
    for number in range(MOST_PAGES):
        try:
            page = pages.next()
        except Retryable as error:
            if number:
                return found._replace(lacking=error.detail, failed=True)
            raise
        for one in pages.readable(page):
            name = str(one["experiment_id"])
            found.names[name] = kept(one.get("name") or "")
            if _may_hold(one, oldest):
                found.ids.append(name)
        if not pages.are_more:
            return found._replace(lacking=pages.lacking)
    return found._replace(lacking=f"experiments beyond {len(found.names)}")


class _Pages:
    """The pages of a search that `max_results` must bound: AML and MLflow refuse it without."""

    def __init__(self, workspaces: Workspaces, workspace: Workspace, deadline: Deadline) -> None:
        self._workspaces = workspaces
        self._workspace = workspace
        self._deadline = deadline
        self._search: dict[str, object] = {"max_results": EXPERIMENTS_PER_PAGE, "view_type": "ALL"}
        self.lacking, self.are_more = "", True
        self._odd = 0

    def readable(self, page: dict[str, Any]) -> list[dict[str, Any]]:
        """The experiments of a page that have an id; the others are told of."""
        given = page.get("experiments") or []
        found = [one for one in dicts(given) if one.get("experiment_id")]
        self._odd += (len(given) if isinstance(given, list) else 1) - len(found)
        if self._odd:
            self.lacking = f"{self._odd} odd experiments"
        return found

    def next(self) -> dict[str, Any]:
        """The next one; raises Retryable. A server that shows no archived ones shows the others."""
        answer = self._ask()
        if answer.status in NO_SUCH_OPTION and "view_type" in self._search:
            del self._search["view_type"]
            self.lacking = "archived experiments"
            answer = self._ask()
        page = found_or_raise(answer, f"experiments of {self._workspace.name}")
        self.are_more = goes_on(self._search, page, f"experiments of {self._workspace.name}")
        return page

    def _ask(self) -> Any:  # noqa: ANN401 - an answer
        search = {name: value for name, value in self._search.items() if value}
        call = "/api/2.0/mlflow/experiments/search"
        return self._workspaces.mlflow(self._workspace, call, self._deadline, body=search)


def _may_hold(experiment: dict[str, Any], oldest: float) -> bool:
    """Whether a run of it may have ended since; into an archived one no new ones come."""
    if str(experiment.get("lifecycle_stage", "")).lower() != "deleted":
        return True
    try:
        return float(str(experiment.get("last_update_time"))) >= oldest
    except ValueError:
        return True
