"""Where a run's model is found, in order, no further than the fields that are needed.

The run's `mlflow.log-model.history` tag (no call) → model versions by run id, or where the
service refuses that filter the registered models' latest versions → the ARM job's outputs →
on a plain MLflow server the logged model and its `MLmodel` file.

https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow
https://mlflow.org/docs/latest/ml/model/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from functions.adapters.aml.workspaces import Workspaces, dicts, found_or_raise
from functions.core.values import Model, bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from functions.core.deadline import Deadline
    from functions.core.values import Run, Workspace

HISTORY = "mlflow.log-model.history"
PAGE = 200
MOST_PAGES = 5
REFUSED = frozenset({400, 404, 501})  # "no such call here", in the ways servers say it


class Models:
    """The models of a workspace's runs."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._no_search_by_run: set[str] = set()

    def of_run(
        self, workspace: Workspace, run: Run, needed: frozenset[str], deadline: Deadline
    ) -> Model | None:
        """What is known of the run's model, None if no source knows one; raises Retryable."""
        known = logged(run)
        for source in (self._registered, self._job_output, self._plain):
            if known is not None and not _lacking(known, needed):
                break
            known = _joined(known, source(workspace, run, deadline))
        return known

    def _registered(self, workspace: Workspace, run: Run, deadline: Deadline) -> Model | None:
        if workspace.key not in self._no_search_by_run and "'" not in run.id:
            search = {"filter": f"run_id='{run.id}'", "max_results": str(PAGE)}
            answer = self._workspaces.mlflow(
                workspace, "/api/2.0/mlflow/model-versions/search", deadline, params=search
            )
            if answer.status not in REFUSED:
                found = found_or_raise(answer, f"model versions of run {run.id}")
                return _latest(dicts(found.get("model_versions")))
            if answer.status == 400:  # the filter is refused, for good
                self._no_search_by_run.add(workspace.key)
        return _latest(self._latest_versions(workspace, run, deadline))

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

    def _job_output(self, workspace: Workspace, run: Run, deadline: Deadline) -> Model | None:
        """The model among the outputs of the ARM job; a job's name is its run's id.

        https://learn.microsoft.com/rest/api/azureml/jobs/get
        """
        if not self._is_aml(workspace, deadline):
            return None
        answer = self._workspaces.arm(f"{workspace.id}/jobs/{quote(run.id, '')}", deadline)
        if answer.status in REFUSED:
            return None
        job = found_or_raise(answer, f"job {run.id}")
        properties = job.get("properties")
        return output(properties.get("outputs") if isinstance(properties, dict) else None)

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
        if answer.status in REFUSED or answer.json is None:
            return self._file(workspace, "/get-artifact", _artifact(run), deadline)
        models = dicts(found_or_raise(answer, "logged models").get("models"))
        known = [info for m in models if isinstance(info := m.get("info"), dict)]
        if not known:
            return None
        info = max(known, key=lambda i: _number(i.get("creation_timestamp_ms")))
        model_id = quote(str(info.get("model_id")), "")
        where = f"{quote(run.experiment_id, '')}/models/{model_id}/artifacts/MLmodel"
        file = self._file(workspace, f"/api/2.0/mlflow-artifacts/artifacts/{where}", {}, deadline)
        return _joined(Model(path=_text(info.get("name")), uri=f"models:/{model_id}"), file)

    def _file(
        self, workspace: Workspace, path: str, params: Mapping[str, str], deadline: Deadline
    ) -> Model | None:
        answer = self._workspaces.mlflow(workspace, path, deadline, params=params)
        return mlmodel(answer.body) if answer.status == 200 else None

    def _is_aml(self, workspace: Workspace, deadline: Deadline) -> bool:
        return self._workspaces.tracking_uri(workspace, deadline).startswith("azureml:")


def logged(run: Run) -> Model | None:
    """The model last logged, as the run's own tag tells it. Anyone may write tags."""
    try:
        history = [e for e in dicts(json.loads(run.tags[HISTORY])) if _text(e.get("artifact_path"))]
    except (KeyError, RecursionError, ValueError):
        return None
    if not history:
        return None
    last = max(history, key=lambda entry: str(entry.get("utc_time_created", "")))
    model = _described(last)
    where = f"runs:/{model.run_id or run.id}/{model.path}"
    return msgspec.structs.replace(model, run_id=model.run_id or run.id, uri=where)


def mlmodel(body: bytes) -> Model | None:
    """What an `MLmodel` file says; None for a file that is none."""
    import yaml  # noqa: PLC0415 - only a plain MLflow server leads here

    try:
        found = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    return _described(found) if isinstance(found, dict) else None


def output(outputs: object) -> Model | None:
    """The model among a job's outputs; several are none, since nothing tells which is meant."""
    found = [
        out
        for out in (outputs.values() if isinstance(outputs, dict) else ())
        if isinstance(out, dict) and str(out.get("jobOutputType")).endswith("_model")
    ]
    if len(found) != 1:
        return None
    name, version, uri = (found[0].get(k) for k in ("assetName", "assetVersion", "uri"))
    return Model(name=_text(name), version=_text(version), uri=_text(uri))


def _latest(versions: Iterable[Mapping[str, Any]]) -> Model | None:
    newest = max(versions, key=lambda v: _number(v.get("creation_timestamp")), default=None)
    if newest is None:
        return None
    name, version = _text(newest.get("name")), _text(newest.get("version"))
    uri = _text(newest.get("source")) or f"models:/{name}/{version}"
    return Model(name=name, version=version, run_id=_text(newest.get("run_id")), uri=uri)


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def _described(found: Mapping[str, Any]) -> Model:
    """The keys that `MLmodel` and the log-model history share."""
    flavors = found.get("flavors")
    return Model(
        run_id=_text(found.get("run_id")),
        path=_text(found.get("artifact_path")),
        flavors=tuple(sorted(map(str, flavors))) if isinstance(flavors, dict) else None,
    )


def _artifact(run: Run) -> dict[str, str]:
    """Where MLflow 2 serves the file of a model logged under the customary path."""
    return {"run_uuid": run.id, "path": "model/MLmodel"}


def _joined(first: Model | None, more: Model | None) -> Model | None:
    """Both sources together, the earlier one first; unless they tell of different models.

    A run may log several models and register another one than the last: then what was registered
    is the model, and only what is known of that one is told.
    """
    if first is None or more is None:
        return first or more
    if first.path and more.name and more.uri and not _is_of(more.uri, first.path):
        return more
    known = msgspec.structs.asdict(first)
    return Model(**{n: v if v is not None else getattr(more, n) for n, v in known.items()})


def _is_of(source: str, path: str) -> bool:
    """Whether a version's source is the artifact at that path, or does not tell (MLflow 3)."""
    return source.startswith("models:/") or source.rstrip("/").endswith(f"/{path.strip('/')}")


def _lacking(model: Model, needed: frozenset[str]) -> bool:
    return any(getattr(model, name, None) is None for name in needed)


def _text(value: object) -> str | None:
    known = isinstance(value, str | int) and value != ""
    return bounded(value, 1000) if known else None
