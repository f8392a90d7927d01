"""What the sources of a run's model say of it. Pure functions of what was sent.

https://mlflow.org/docs/latest/ml/model/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.aml.workspaces import dicts
from functions.core import jsontext, parents
from functions.core.bounds import bounded, kept
from functions.core.values import Job, Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.values import Run

HISTORY = "mlflow.log-model.history"
LONGEST_MLMODEL = 4_000_000  # bytes: a signature names each column, of which there may be thousands


def logged(run: Run) -> Model | None:
    """The model last logged, as the run's own tag tells it. Anyone may write tags."""
    if HISTORY not in run.tags:
        return None
    try:
        told = dicts(jsontext.read(run.tags[HISTORY]))
    except ValueError as why:
        return Model(unread=bounded(f"the tag {HISTORY} is no JSON: {why}", 200))
    history = [entry for entry in told if text(entry.get("artifact_path"))]
    if not history:
        return None
    last = max(history, key=lambda entry: str(entry.get("utc_time_created", "")))
    model = _described(last)
    where = f"runs:/{model.run_id or run.id}/{model.path}"
    return msgspec.structs.replace(model, run_id=model.run_id or run.id, uri=where)


def mlmodel(body: bytes) -> Model:
    """What an `MLmodel` file says; one that makes no sense says nothing but why."""
    from functions.core import yamltext  # noqa: PLC0415 - only a plain MLflow server leads here

    try:
        found = yamltext.plain(yamltext.composed(body, longest=LONGEST_MLMODEL))
    except ValueError as why:
        return Model(unread=bounded(f"the file MLmodel {why}", 200))
    if not isinstance(found, dict):
        return Model(unread="the file MLmodel is no mapping")
    return _described(found)


def job(properties: Mapping[str, Any]) -> Job:
    """What a job is, and which run it calls its best child, among properties of its own.

    https://learn.microsoft.com/azure/machine-learning/how-to-train-keras
    """
    own = properties.get("properties")
    marks = {str(k): str(v) for k, v in own.items()} if isinstance(own, dict) else {}
    kind = text(properties.get("jobType")) or ""
    return Job(kind=kind, best_child=parents.best_child(marks))


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
    return Model(name=text(name), version=text(version), uri=text(uri))


def latest(versions: Iterable[Mapping[str, Any]]) -> Model | None:
    """The version that was registered last."""
    newest = max(versions, key=lambda v: number(v.get("creation_timestamp")), default=None)
    if newest is None:
        return None
    name, version = text(newest.get("name")), text(newest.get("version"))
    uri = text(newest.get("source")) or f"models:/{name}/{version}"
    return Model(name=name, version=version, run_id=text(newest.get("run_id")), uri=uri)


def number(value: object) -> int:
    """A number, however it is written; 0 for what is none."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def _described(found: Mapping[str, Any]) -> Model:
    """The keys that `MLmodel` and the log-model history share."""
    flavors = found.get("flavors")
    return Model(
        run_id=text(found.get("run_id")),
        path=text(found.get("artifact_path")),
        flavors=tuple(sorted(map(str, flavors))) if isinstance(flavors, dict) else None,
    )


def artifact(run: Run) -> dict[str, str]:
    """Where MLflow 2 serves the file of a model logged under the customary path."""
    return {"run_uuid": run.id, "path": "model/MLmodel"}


def joined(first: Model | None, more: Model | None) -> Model | None:
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


def lacking(model: Model, needed: frozenset[str]) -> bool:
    """Whether one of these fields is not known yet."""
    return any(getattr(model, name, None) is None for name in needed)


def text(value: object) -> str | None:
    """A text, or a number as text; None for what is neither, or empty."""
    known = isinstance(value, str | int) and value != ""
    return kept(value, 1000) if known else None
