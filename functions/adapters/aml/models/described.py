"""What the sources of a run's model say of it. Pure functions of what was sent.

https://mlflow.org/docs/latest/ml/model/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from functions.adapters.aml.answers import dicts
from functions.adapters.aml.models.pairing import is_of, tells
from functions.core.events import parents
from functions.core.terms.runs import Job, Model
from functions.core.texts import jsontext
from functions.core.texts.bounds import bounded, kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.terms.runs import Run

HISTORY = "mlflow.log-model.history"
LONGEST_MLMODEL = 4_000_000  # bytes: a signature names each column, of which there may be thousands


def logged(run: Run) -> tuple[list[Model], str]:
    """The models that were logged, as the run's own tag tells them, the last one first.

    And why it does not tell, where it cannot be read. Anyone may write tags, and who clones a job
    clones its tags: what another run logged is not this one's.
    """
    if HISTORY not in run.tags:
        return [], ""
    try:
        told = dicts(jsontext.read(run.tags[HISTORY]))
    except ValueError as why:
        return [], bounded(f"the tag {HISTORY} is no JSON: {why}", 200)
    own = [entry for entry in told if (text(entry.get("run_id")) or run.id) == run.id]
    history = [entry for entry in own if text(entry.get("artifact_path"))]
    history.sort(key=lambda entry: str(entry.get("utc_time_created", "")), reverse=True)
    return [_logged_by(run, _described(entry)) for entry in history], ""


def _logged_by(run: Run, model: Model) -> Model:
    maker = model.run_id or run.id
    return msgspec.structs.replace(model, run_id=maker, uri=f"runs:/{maker}/{model.path}")


def mlmodel(body: bytes) -> Model:
    """What an `MLmodel` file says; one that makes no sense says nothing but why."""
    from functions.core.texts import yamltext  # noqa: PLC0415 - only a plain MLflow server leads here

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


def output(outputs: object, name: str) -> Model | None:
    """The model among a job's outputs, if there is one, or one that is registered by that name.

    Of several registered ones none is taken; of several others neither, since nothing tells which
    is meant.
    """
    listed = outputs.values() if isinstance(outputs, dict) else ()
    found = [
        Model(
            name=text(out.get("assetName")),
            version=text(out.get("assetVersion")),
            uri=text(out.get("uri")),
        )
        for out in listed
        if isinstance(out, dict) and str(out.get("jobOutputType")).endswith("_model")
    ]
    if name:
        found = [model for model in found if model.name == name]
    names = sorted({model.name for model in found if model.name})
    if len(found) > 1 and len(names) > 1:
        return Model(several=tuple(names))
    return found[0] if len(found) == 1 else None


def versions(found: Iterable[Mapping[str, Any]]) -> list[Model]:
    """Model versions as the registry tells them, that which was made last first."""
    ordered = sorted(found, key=lambda v: (created(v), number(v.get("version"))), reverse=True)
    return [_version(one) for one in ordered]


def _version(found: Mapping[str, Any]) -> Model:
    name, version = text(found.get("name")), text(found.get("version"))
    uri = text(found.get("source")) or f"models:/{name}/{version}"
    return Model(name=name, version=version, run_id=text(found.get("run_id")), uri=uri)


def created(version: Mapping[str, Any]) -> int:
    """When a version was made, in milliseconds since 1970; 0 where it does not say."""
    return number(version.get("creation_timestamp"))


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


def logged_model(
    infos: Iterable[Mapping[str, Any]], known: Model | None
) -> Mapping[str, Any] | None:
    """Of MLflow 3's logged models the one that is known already; where none is the last one."""
    own = sorted(infos, key=lambda i: number(i.get("creation_timestamp_ms")), reverse=True)
    if known is None or not known.is_known:
        return next(iter(own), None)
    same = [i for i in own if known.uri == f"models:/{i.get('model_id')}"]
    if not same and not (known.uri or "").startswith("models:/m-"):
        same = [i for i in own if may_be_at(known, str(i.get("name")))]
    return same[0] if len({str(i.get("name")) for i in same}) == 1 else None


def may_be_at(known: Model, path: str) -> bool:
    """Whether nothing that is known says that the model was logged under another path."""
    elsewhere = known.path and known.path != path
    return not elsewhere and (not tells(known.uri) or is_of(known.uri, path))


def artifact(run: Run) -> dict[str, str]:
    """Where MLflow 2 serves the file of a model logged under the customary path."""
    return {"run_uuid": run.id, "path": "model/MLmodel"}


def lacking(model: Model, needed: frozenset[str]) -> bool:
    """Whether one of these fields is not known yet."""
    return any(getattr(model, name, None) is None for name in needed)


def text(value: object) -> str | None:
    """A text, or a number as text; None for what is neither, or empty."""
    known = isinstance(value, str | int) and value != ""
    return kept(value, 1000) if known else None
