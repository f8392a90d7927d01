"""The versions of registered models: of a run, of a name, and of a run among what is no newest.

AML documents `name='…'` as the only filter of a search for versions; MLflow's own registry takes
`run_id='…'` as well. Where the service refuses that, the latest versions of all models are looked
through, and on request the versions of those models which have newer ones than the run may have
made.

https://github.com/Azure/azureml-examples/blob/main/sdk/python/using-mlflow/model-management/model_management.ipynb
https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.aml.answers import NO_SUCH_CALL, dicts, found_or_raise
from functions.adapters.aml.models import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Model, Workspace

PAGE = 200
MOST_PAGES = 5
MOST_NAMES = 10  # of models that are searched by name in vain
VERSIONS = "/api/2.0/mlflow/model-versions/search"
MODELS = "/api/2.0/mlflow/registered-models/search"

Version = dict[str, Any]


class Registered:
    """The registered models of workspaces. All raise Retryable; versions come newest first."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._no_search_by_run: set[str] = set()

    def begin(self, workspace: Workspace, run: str, name: str, deadline: Deadline) -> None:
        """Begin the first request of `of_name`, or without a name of `of_run`."""
        begin = self._workspaces.begin_mlflow
        if name or self._is_found_by(workspace, run):
            search = by_name(name) if name else _by_run(run)
            begin(workspace, VERSIONS, deadline, params=search)
        else:
            begin(workspace, MODELS, deadline, params={"max_results": str(PAGE)})

    def _is_found_by(self, workspace: Workspace, run: str) -> bool:
        """Whether versions may be searched for by this run."""
        return workspace.key not in self._no_search_by_run and "'" not in run

    def of_run(self, workspace: Workspace, run: str, deadline: Deadline) -> list[Model]:
        """The versions that a run made; where no search is by run, of those that are newest."""
        own: list[Version] = []
        if self._is_found_by(workspace, run):
            answer = self._workspaces.mlflow(workspace, VERSIONS, deadline, params=_by_run(run))
            if answer.status not in NO_SUCH_CALL:
                found = found_or_raise(answer, f"model versions of run {run}")
                versions = dicts(found.get("model_versions"))
                own = [v for v in versions if v.get("run_id") == run]
                if len(own) == len(versions):
                    return described.versions(own)
            if answer.status in {200, 400}:  # the filter is ignored or refused, for good
                self._no_search_by_run.add(workspace.key)
        latest = [v for model in self._models(workspace, deadline) for v in _latest(model)]
        return described.versions([*own, *(v for v in latest if v.get("run_id") == run)])

    def of_name(self, workspace: Workspace, name: str, deadline: Deadline) -> list[Model]:
        """All versions of a registered model, whoever made them, as far as pages allow."""
        asked = (VERSIONS, f"versions of model {name}")
        pages = self._pages(workspace, asked, by_name(name), deadline)
        versions = [v for page in pages for v in dicts(page.get("model_versions"))]
        return described.versions([v for v in versions if v.get("name") == name])

    def older(
        self, workspace: Workspace, runs: Sequence[str], since: datetime | None, deadline: Deadline
    ) -> tuple[list[Model], str]:
        """Versions of these runs that are not the newest, and why these may not be all.

        Only models that have a version made since then may have older ones made since then.
        """
        if workspace.key not in self._no_search_by_run:
            return [], ""  # the search by run has told of all
        names = self._renewed(workspace, since, deadline)
        found = [m for n in names[:MOST_NAMES] for m in self.of_name(workspace, n, deadline)]
        left = f"of {len(names)} models with newer versions {MOST_NAMES} were looked through"
        why = f"{left}: name the one with `model`" if len(names) > MOST_NAMES else ""
        return [model for model in found if model.run_id in runs], why

    def _renewed(
        self, workspace: Workspace, since: datetime | None, deadline: Deadline
    ) -> list[str]:
        """The models with a version made since then, that with the newest one first."""
        soonest = since.timestamp() * 1000 if since else 0
        made: dict[str, int] = {}
        for model in self._models(workspace, deadline):
            at = max((described.created(v) for v in _latest(model)), default=0)
            if (name := described.text(model.get("name"))) and at >= soonest:
                made[name] = at
        return sorted(made, key=lambda name: -made[name])

    def _models(self, workspace: Workspace, deadline: Deadline) -> Iterator[Mapping[str, Any]]:
        search = {"max_results": str(PAGE)}
        for page in self._pages(workspace, (MODELS, "registered models"), search, deadline):
            yield from dicts(page.get("registered_models"))

    def _pages(
        self,
        workspace: Workspace,
        asked: tuple[str, str],
        search: dict[str, str],
        deadline: Deadline,
    ) -> Iterator[Mapping[str, Any]]:
        """Pages of a call, which is given with what it is about; none where it is refused."""
        call, what = asked
        for _ in range(MOST_PAGES):
            answer = self._workspaces.mlflow(workspace, call, deadline, params=search)
            if answer.status in NO_SUCH_CALL:
                return
            page = found_or_raise(answer, what)
            yield page
            token = page.get("next_page_token")
            if not token or token == search.get("page_token"):
                return
            search["page_token"] = token


def _by_run(run: str) -> dict[str, str]:
    return {"filter": f"run_id='{run}'", "max_results": str(PAGE)}


def by_name(name: str) -> dict[str, str]:
    """The search for all versions of a registered model."""
    quote = '"' if "'" in name else "'"
    return {"filter": f"name={quote}{name}{quote}", "max_results": str(PAGE)}


def _latest(model: Mapping[str, Any]) -> list[Version]:
    return dicts(model.get("latest_versions"))
