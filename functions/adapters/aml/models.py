"""Where a run's model is found, in order, no further than the fields that are needed.

The run's `mlflow.log-model.history` tag (no call) → model versions by run id, or where the
service refuses that filter the registered models' latest versions → the ARM job's outputs →
on a plain MLflow server the logged model and its `MLmodel` file.

https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.adapters.aml import described
from functions.adapters.aml.workspaces import (
    Workspaces,
    about_or_raise,
    dicts,
    found_or_raise,
    unread,
)
from functions.core.errors import Retryable
from functions.core.values import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.deadline import Deadline
    from functions.core.values import Job, Run, Workspace

PAGE = 200
MOST_PAGES = 5
REFUSED = frozenset({400, 404, 405, 501})  # "no such call here", in the ways servers say it


class Models:
    """The models of a workspace's runs."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._no_search_by_run: set[str] = set()

    def of_run(
        self, workspace: Workspace, run: Run, needed: frozenset[str], deadline: Deadline
    ) -> Model | None:
        """What is known of the run's model, None if no source knows one; raises Retryable."""
        known = described.logged(run)
        for source in (self._registered, self._job_output, self._plain):
            if known is not None and not described.lacking(known, needed):
                break
            known = described.joined(known, source(workspace, run, deadline))
        return known

    def _registered(self, workspace: Workspace, run: Run, deadline: Deadline) -> Model | None:
        own: list[dict[str, Any]] = []
        if workspace.key not in self._no_search_by_run and "'" not in run.id:
            search = {"filter": f"run_id='{run.id}'", "max_results": str(PAGE)}
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/model-versions/search", deadline, params=search
            )
            if answer.status not in REFUSED:
                found = found_or_raise(answer, f"model versions of run {run.id}")
                versions = dicts(found.get("model_versions"))
                own = [v for v in versions if v.get("run_id") == run.id]
                if len(own) == len(versions):
                    return described.latest(own)
            if answer.status in {200, 400}:  # the filter is ignored or refused, for good
                self._no_search_by_run.add(workspace.key)
        return described.latest([*own, *self._latest_versions(workspace, run, deadline)])

    def _latest_versions(
        self, workspace: Workspace, run: Run, deadline: Deadline
    ) -> Iterator[Mapping[str, Any]]:
        """The latest versions of all registered models, as far as they are this run's."""
        search = {"max_results": str(PAGE)}
        for _ in range(MOST_PAGES):
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/registered-models/search", deadline, params=search
            )
            if answer.status in REFUSED:
                return
            page = found_or_raise(answer, "registered models")
            for model in dicts(page.get("registered_models")):
                versions = dicts(model.get("latest_versions"))
                yield from (v for v in versions if v.get("run_id") == run.id)
            if not page.get("next_page_token"):
                return
            search["page_token"] = page["next_page_token"]

    def job(self, workspace: Workspace, run: str, deadline: Deadline) -> Job | None:
        """What the ARM job says, None where there is none; raises Retryable."""
        properties = self._job(workspace, run, deadline)
        return None if properties is None else described.job(properties)

    def _job_output(self, workspace: Workspace, run: Run, deadline: Deadline) -> Model | None:
        """The model among the outputs of the ARM job."""
        properties = self._job(workspace, run.id, deadline)
        return described.output((properties or {}).get("outputs"))

    def _job(self, workspace: Workspace, run: str, deadline: Deadline) -> dict[str, Any] | None:
        """The properties of the ARM job, which a step of a pipeline job lacks; None for no job.

        A job's name is its run's id.
        https://learn.microsoft.com/rest/api/azureml/jobs/get
        """
        if not self._is_aml(workspace, deadline):
            return None
        answer = self._workspaces.arm(f"{workspace.id}/jobs/{quote(run, '')}", deadline)
        if answer.status in REFUSED:
            return None
        found = found_or_raise(answer, f"job {run}")
        about_or_raise(found.get("name"), run, f"job {run}")
        properties = found.get("properties")
        return properties if isinstance(properties, dict) else {}

    def _plain(self, workspace: Workspace, run: Run, deadline: Deadline) -> Model | None:
        """What only a plain MLflow server tells: MLflow 3's logged model, and MLmodel."""
        if self._is_aml(workspace, deadline):
            return None
        search = {
            "experiment_ids": [run.experiment_id],
            "filter": f"source_run_id = '{run.id}'",
            "max_results": PAGE,
        }
        answer = self._workspaces.mlflow(
            workspace, "/api/2.0/mlflow/logged-models/search", deadline, body=search
        )
        if answer.status in REFUSED:
            return self._artifact(workspace, run, deadline)
        models = dicts(found_or_raise(answer, "logged models").get("models"))
        known = [info for m in models if isinstance(info := m.get("info"), dict)]
        own = [info for info in known if info.get("source_run_id") == run.id]
        if not own:
            return None
        info = max(own, key=lambda i: described.number(i.get("creation_timestamp_ms")))
        model_id = quote(str(info.get("model_id")), "")
        where = f"{quote(run.experiment_id, '')}/models/{model_id}/artifacts/MLmodel"
        file = self._file(workspace, f"/api/2.0/mlflow-artifacts/artifacts/{where}", {}, deadline)
        named = Model(path=described.text(info.get("name")), uri=f"models:/{model_id}")
        return described.joined(named, file)

    def _artifact(self, workspace: Workspace, run: Run, deadline: Deadline) -> Model | None:
        """The file of MLflow 2, which answers 500 where there is none: then the list tells.

        https://github.com/mlflow/mlflow/blob/v2.9.2/mlflow/store/artifact/local_artifact_repo.py
        """
        params = described.artifact(run)
        try:
            return self._file(workspace, "/get-artifact", params, deadline)
        except Retryable:
            search = {"run_id": run.id, "path": "model"}
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/artifacts/list", deadline, params=search
            )
            found = found_or_raise(answer, f"artifacts of run {run.id}")
            if any(f.get("path") == params["path"] for f in dicts(found.get("files"))):
                raise
            return None

    def _file(
        self, workspace: Workspace, path: str, params: Mapping[str, str], deadline: Deadline
    ) -> Model | None:
        """What an `MLmodel` says, None where there is none; raises Retryable."""
        answer = self._workspaces.mlflow(workspace, path, deadline, params=params)
        if answer.status in REFUSED:
            return None
        if answer.status != 200:
            raise unread(answer, "the file MLmodel")
        return described.mlmodel(answer.body)

    def _is_aml(self, workspace: Workspace, deadline: Deadline) -> bool:
        return self._workspaces.tracking_uri(workspace, deadline).startswith("azureml:")
