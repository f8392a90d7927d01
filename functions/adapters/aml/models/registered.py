"""The versions of registered models: of a run, of a name, and of a run among what is no newest.

AML documents `name='…'` as the only filter of a search for versions; MLflow's own registry takes
`run_id='…'` as well. Where the service refuses that, the latest versions of all models are looked
through, and on request the versions of those models which have newer ones than the run may have
made.

https://github.com/Azure/azureml-examples/blob/main/sdk/python/using-mlflow/model-management/model_management.ipynb
https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.adapters.aml.answers import NO_SUCH_CALL, dicts, found_or_raise, goes_on
from functions.adapters.aml.models import described
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Model, Workspace

PAGE = 200
MOST_PAGES = 5
MOST_NAMES = 10  # of models that are searched by name in vain
VERSIONS = "/api/2.0/mlflow/model-versions/search"
MODELS = "/api/2.0/mlflow/registered-models/search"
_KEYS = {VERSIONS: "model_versions", MODELS: "registered_models"}

Found = dict[str, Any]


class _Listed(NamedTuple):
    """What all pages of a call list, and why that may not be all; or the status that refuses it."""

    entries: list[Found]
    lacking: str = ""
    refused: int = 0


class Registered:
    """The registered models of workspaces. All raise Retryable; versions come newest first.

    With them comes why they may not be all, in words, where there are more than are read.
    """

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

    def of_run(self, workspace: Workspace, run: str, deadline: Deadline) -> tuple[list[Model], str]:
        """The versions that a run made; where no search is by run, of those that are newest."""
        own: list[Found] = []
        if self._is_found_by(workspace, run):
            asked = (VERSIONS, f"model versions of run {run}")
            found = self._listed(workspace, asked, _by_run(run), deadline)
            own = [v for v in found.entries if v.get("run_id") == run]
            goes_by_it = len(own) == len(found.entries) and not found.refused
            if goes_by_it:
                return described.versions(own), found.lacking
            if found.refused in {0, 400}:  # the filter is ignored or refused, for good
                self._no_search_by_run.add(workspace.key)
        models = self._models(workspace, deadline)
        latest = [v for model in models.entries for v in _latest(model)]
        mine = (v for v in latest if v.get("run_id") == run)
        return described.versions([*own, *mine]), models.lacking

    def of_name(
        self, workspace: Workspace, name: str, deadline: Deadline
    ) -> tuple[list[Model], str]:
        """The versions of a registered model, whoever made them."""
        asked = (VERSIONS, f"versions of model {name}")
        found = self._listed(workspace, asked, by_name(name), deadline)
        own = [v for v in found.entries if v.get("name") == name]
        return described.versions(own), found.lacking

    def older(
        self, workspace: Workspace, runs: Sequence[str], since: datetime | None, deadline: Deadline
    ) -> tuple[list[Model], str]:
        """Versions of these runs that are not the newest, and why these may not be all.

        Only models that have a version made since then may have older ones made since then.
        """
        if workspace.key not in self._no_search_by_run:
            return [], ""  # the search by run has told of all
        names, lacking = self._renewed(workspace, since, deadline)
        left = f"of {len(names)} models with newer versions {MOST_NAMES} were looked through"
        whys = [lacking, f"{left}: name the one with `model`" if len(names) > MOST_NAMES else ""]
        found: list[Model] = []
        for name in names[:MOST_NAMES]:
            models, lacking = self.of_name(workspace, name, deadline)
            found += models
            whys.append(lacking)
        return [m for m in found if m.run_id in runs], "; ".join(filter(None, whys))

    def _renewed(
        self, workspace: Workspace, since: datetime | None, deadline: Deadline
    ) -> tuple[list[str], str]:
        """The models with a version made since then, that with the newest one first."""
        soonest = since.timestamp() * 1000 if since else 0
        made: dict[str, int] = {}
        models = self._models(workspace, deadline)
        for model in models.entries:
            at = max((described.created(v) for v in _latest(model)), default=0)
            if (name := described.text(model.get("name"))) and at >= soonest:
                made[name] = at
        return sorted(made, key=lambda name: -made[name]), models.lacking

    def _models(self, workspace: Workspace, deadline: Deadline) -> _Listed:
        search = {"max_results": str(PAGE)}
        return self._listed(workspace, (MODELS, "registered models"), search, deadline)

    def _listed(
        self,
        workspace: Workspace,
        asked: tuple[str, str],
        search: Mapping[str, str],
        deadline: Deadline,
    ) -> _Listed:
        """What a call lists, which is given with what it is about.

        One that is refused lists nothing; one that is so in the middle is none, since what it would
        have listed is not known.
        """
        (call, what), params = asked, dict[str, Any](search)
        entries: list[Found] = []
        for number in range(MOST_PAGES):
            answer = self._workspaces.mlflow(workspace, call, deadline, params=params)
            if answer.status in NO_SUCH_CALL:
                if number == 0:
                    return _Listed([], refused=answer.status)
                broken = f"{what}: the list breaks off, answered {answer.status}"
                raise Retryable(Reason.RUN_UNREADABLE, bounded(broken), answer.retry_after)
            page = found_or_raise(answer, what)
            entries += dicts(page.get(_KEYS[call]))
            try:
                if not goes_on(params, page, what):
                    return _Listed(entries)
            except Retryable as error:  # what it has shown is there all the same
                return _Listed(entries, error.detail)
        return _Listed(entries, bounded(f"{what}: more than {MOST_PAGES} pages"))


def _by_run(run: str) -> dict[str, str]:
    return {"filter": f"run_id='{run}'", "max_results": str(PAGE)}


def by_name(name: str) -> dict[str, str]:
    """The search for all versions of a registered model."""
    quote = '"' if "'" in name else "'"
    return {"filter": f"name={quote}{name}{quote}", "max_results": str(PAGE)}


def _latest(model: Mapping[str, Any]) -> list[Found]:
    return dicts(model.get("latest_versions"))
