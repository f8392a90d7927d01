"""Where a run's model is found, in order, no further than the fields that are needed.

The run's `mlflow.log-model.history` tag (no call) → model versions by run id, or by the name that
the route gives (`registered`) → the ARM job's outputs → on a plain MLflow server the logged model
and its `MLmodel` file. `pairing` keeps them apart.

https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.adapters.aml.answers import (
    NO_SUCH_CALL,
    about_or_raise,
    dicts,
    found_or_raise,
    unread,
)
from functions.adapters.aml.models import described, pairing
from functions.adapters.aml.models.registered import PAGE, Registered
from functions.core.terms.errors import Retryable
from functions.core.terms.runs import Model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.adapters.aml.workspaces import Workspaces
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Job, ModelSought, Run, Workspace


class Models:
    """The models of a workspace's runs."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._registered = Registered(workspaces)

    def begin(
        self, workspace: Workspace, run: str, sought: ModelSought, deadline: Deadline
    ) -> None:
        """Begin the request that `of_run` makes first, if it is sure to make it."""
        if sought.fields & {"name", "version"}:  # no run tells these of itself
            self._registered.begin(workspace, run, sought.name, deadline)

    def begin_job(self, workspace: Workspace, run: str, deadline: Deadline) -> None:
        """Begin to ask for the run's job, where jobs are known to be."""
        if self._workspaces.is_known_aml(workspace):
            self._workspaces.begin_arm(_job(workspace, run), deadline)

    def of_run(
        self, workspace: Workspace, run: Run, sought: ModelSought, deadline: Deadline
    ) -> Model | None:
        """What is known of the run's model, None if no source knows one; raises Retryable."""
        logged, unread = described.logged(run)
        known = pairing.meant(logged, (), sought.name)
        if known is None or described.lacking(known, sought.fields):
            versions, lacking = self._versions(workspace, run, sought.name, deadline)
            known = pairing.meant(logged, versions, sought.name)
            unread = unread if versions else "; ".join(filter(None, (unread, lacking)))
        if not _is_enough(known, sought.fields - {"path", "flavors", "run_id"}):
            output = self._job_output(workspace, run, sought.name, deadline)
            known = pairing.with_output(known, output, logged)
        if not _is_enough(known, sought.fields) and (known or not sought.name):
            known = pairing.joined(known, self._plain(workspace, run, known, deadline))
        return pairing.joined(known, Model(unread=unread)) if unread else known

    def older(
        self, workspace: Workspace, runs: Sequence[Run], deadline: Deadline
    ) -> Mapping[str, Model]:
        """The models of which these runs made versions that are no longer the newest, by run."""
        began = [run.start_time for run in runs]
        since = None if None in began else min(filter(None, began), default=None)
        ids = [run.id for run in runs]
        versions, why = self._registered.older(workspace, ids, since, deadline)
        told = {
            run.id: pairing.meant(described.logged(run)[0], mine, "")
            for run in runs
            if (mine := [one for one in versions if one.run_id == run.id])
        }
        found = {run: model for run, model in told.items() if model}
        return found or {run: Model(unread=why) for run in ids if why}

    def _versions(
        self, workspace: Workspace, run: Run, name: str, deadline: Deadline
    ) -> tuple[Sequence[Model], str]:
        if not name:
            return self._registered.of_run(workspace, run.id, deadline)
        named, lacking = self._registered.of_name(workspace, name, deadline)
        return [model for model in named if model.run_id == run.id], lacking

    def job(self, workspace: Workspace, run: str, deadline: Deadline) -> Job | None:
        """What the ARM job says, None where there is none; raises Retryable."""
        properties = self._job(workspace, run, deadline)
        return None if properties is None else described.job(properties)

    def _job_output(
        self, workspace: Workspace, run: Run, name: str, deadline: Deadline
    ) -> Model | None:
        """The model among the outputs of the ARM job."""
        properties = self._job(workspace, run.id, deadline)
        return described.output((properties or {}).get("outputs"), name)

    def _job(self, workspace: Workspace, run: str, deadline: Deadline) -> dict[str, Any] | None:
        """The properties of the ARM job, which a step of a pipeline job lacks; None for no job.

        A job's name is its run's id.
        https://learn.microsoft.com/rest/api/azureml/jobs/get
        """
        if not self._is_aml(workspace, deadline):
            return None
        answer = self._workspaces.arm(_job(workspace, run), deadline)
        if answer.status in NO_SUCH_CALL:
            return None
        found = found_or_raise(answer, f"job {run}")
        about_or_raise(found.get("name"), run, f"job {run}")
        properties = found.get("properties")
        return properties if isinstance(properties, dict) else {}

    def _plain(
        self, workspace: Workspace, run: Run, known: Model | None, deadline: Deadline
    ) -> Model | None:
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
        if answer.status in NO_SUCH_CALL:
            return self._artifact(workspace, run, known, deadline)
        models = dicts(found_or_raise(answer, "logged models").get("models"))
        infos = [info for m in models if isinstance(info := m.get("info"), dict)]
        own = [info for info in infos if info.get("source_run_id") == run.id]
        info = described.logged_model(own, known)
        if info is None:
            return None
        model_id = quote(str(info.get("model_id")), "")
        where = f"{quote(run.experiment_id, '')}/models/{model_id}/artifacts/MLmodel"
        file = self._file(workspace, f"/api/2.0/mlflow-artifacts/artifacts/{where}", {}, deadline)
        named = Model(path=described.text(info.get("name")), uri=f"models:/{model_id}")
        return pairing.joined(named, file)

    def _artifact(
        self, workspace: Workspace, run: Run, known: Model | None, deadline: Deadline
    ) -> Model | None:
        """The file of MLflow 2, which answers 500 where there is none: then the list tells.

        https://github.com/mlflow/mlflow/blob/v2.9.2/mlflow/store/artifact/local_artifact_repo.py
        """
        params = described.artifact(run)
        if known and not described.may_be_at(known, "model"):
            return None
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
        if answer.status in NO_SUCH_CALL:
            return None
        if answer.status != 200:
            raise unread(answer, "the file MLmodel")
        return described.mlmodel(answer.body)

    def _is_aml(self, workspace: Workspace, deadline: Deadline) -> bool:
        return self._workspaces.tracking_uri(workspace, deadline).startswith("azureml:")


def _job(workspace: Workspace, run: str) -> str:
    """Where the run's job is, which has the run's id as its name."""
    return f"{workspace.id}/jobs/{quote(run, '')}"


def _is_enough(known: Model | None, fields: frozenset[str]) -> bool:
    return known is not None and (bool(known.several) or not described.lacking(known, fields))
