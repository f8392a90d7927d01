"""What Azure Machine Learning's MLflow understands, and how it refuses the rest.

Runs and experiments, with the support matrix:
https://learn.microsoft.com/azure/machine-learning/how-to-track-experiments-mlflow
Registered models and their versions:
https://learn.microsoft.com/azure/machine-learning/how-to-manage-models-mlflow

Only what these pages name is understood. Where sources differ the narrower one holds: the
matrix lists LIKE for tags, the service refuses it.
https://github.com/Azure/azure-sdk-for-python/issues/41453
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.aml.filter import Clause, RefusedError, parsed, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JOB_STATUSES = {
    "NotStarted": "SCHEDULED",
    "Starting": "SCHEDULED",
    "Provisioning": "SCHEDULED",
    "Preparing": "SCHEDULED",
    "Queued": "SCHEDULED",
    "Running": "RUNNING",
    "Finalizing": "RUNNING",
    "CancelRequested": "RUNNING",
    "NotResponding": "RUNNING",
    "Completed": "FINISHED",
    "Failed": "FAILED",
    "Canceled": "KILLED",
}
"""AML's words and MLflow's; Starting, Provisioning, Finalizing, CancelRequested and
NotResponding are not in the page's table and read here as their neighbours do."""

CALLS: Mapping[str, tuple[str, ...]] = {
    "artifacts/list": ("GET",),
    "experiments/create": ("POST",),
    "experiments/get": ("GET",),
    "experiments/get-by-name": ("GET",),
    "experiments/search": ("GET", "POST"),
    "metrics/get-history": ("GET",),
    "model-versions/create": ("POST",),
    "model-versions/get": ("GET",),
    "model-versions/get-download-uri": ("GET",),
    "model-versions/search": ("GET",),
    "registered-models/alias": ("GET",),
    "registered-models/create": ("POST",),
    "registered-models/get": ("GET",),
    "registered-models/search": ("GET",),
    "runs/create": ("POST",),
    "runs/delete": ("POST",),
    "runs/delete-tag": ("POST",),
    "runs/get": ("GET",),
    "runs/log-batch": ("POST",),
    "runs/log-metric": ("POST",),
    "runs/log-parameter": ("POST",),
    "runs/restore": ("POST",),
    "runs/search": ("POST",),
    "runs/set-tag": ("POST",),
    "runs/update": ("POST",),
}
"""The calls and their methods. AML's pages do not say that it has aliases: they are served here so
that both can be tried; a fault with 404 makes a workspace without. Not here, so 404: logged-models
(MLflow 3 only, https://github.com/Azure/azure-sdk-for-python/issues/44896), get-artifact,
mlflow-artifacts."""

NUMERIC = ("=", "!=", ">", ">=", "<", "<=")
ATTRIBUTES = (
    *("run_id", "run_name", "status", "user_id"),
    *("start_time", "end_time", "creation_time", "duration"),
)
RUNS: Mapping[str, tuple[str, ...]] = {
    "attributes.": (*NUMERIC, "LIKE", "ILIKE", "IN"),
    "metrics.": NUMERIC,
    "params.": ("=", "!=", "LIKE"),
    "tags.": ("=",),
}
EXPERIMENTS: Mapping[str, tuple[str, ...]] = {
    "experiment_id": ("IN",),
    "creation_time": NUMERIC,
    "tags.": ("=",),
}
ORDERS: Mapping[str, tuple[str, ...]] = {
    "runs/search": ATTRIBUTES,
    "registered-models/search": (
        *("name", "version"),
        *("creation_timestamp", "last_updated_timestamp"),
    ),
}


def mlflow_status(status: str) -> str:
    """MLflow's word for a job's status; MLflow's own words stay as they are."""
    return JOB_STATUSES.get(status, status.upper())


def check(call: str, arguments: Mapping[str, Any], *, by_run: bool = False) -> None:
    """Refuse a search that the service would refuse; `by_run`: see `model_version_filter`.

    Raises RefusedError.
    """
    text = str(arguments.get("filter") or "")
    if call == "runs/search":
        run_filter(text)
    if call == "experiments/search":
        experiment_filter(text)
    if call == "registered-models/search":
        _model_filter(text, ("name",))
    if call == "model-versions/search":
        model_version_filter(text, by_run=by_run)
    if call in ORDERS:
        for order in arguments.get("order_by") or ():
            ordering(order, ORDERS[call])


def run_filter(text: str) -> list[Clause]:
    """The clauses of a run search's filter. Raises RefusedError.

    Attributes are compared with strings only ("values should always be strings"), tags only
    by =, params by =, != and LIKE, metrics by numbers. OR, datasets and escaped keys are
    refused.
    """
    clauses = parsed(text)
    for clause in clauses:
        _known(clause, RUNS, text)
        if clause.kind == "attributes":
            _attribute(clause, text)
        elif clause.quoted is (clause.kind == "metrics"):
            raise unsupported(text)
    return clauses


def experiment_filter(text: str) -> list[Clause]:
    """The clauses of an experiment search's filter. Raises RefusedError."""
    clauses = parsed(text)
    for clause in clauses:
        _known(clause, EXPERIMENTS, text)
    return clauses


def model_version_filter(text: str, *, by_run: bool = False) -> list[Clause]:
    """The clauses of a model version search's filter. Raises RefusedError.

    The documented filter is `name='...'` alone. `by_run` allows `run_id='...'` too, which
    MLflow's own registry understands and AML's pages do not mention.
    https://github.com/Azure/azureml-examples/blob/main/sdk/python/using-mlflow/model-management/model_management.ipynb
    """
    return _model_filter(text, ("name", "run_id") if by_run else ("name",))


def ordering(text: str, known: Sequence[str] = ATTRIBUTES) -> tuple[str, bool]:
    """The attribute an `order_by` names, and whether it descends. Raises RefusedError.

    Ordering by metrics, params or tags is not supported.
    """
    key, _, direction = text.strip().partition(" ")
    key = key.removeprefix("attributes.")
    if key not in known or direction.strip().upper() not in {"", "ASC", "DESC"}:
        raise RefusedError(f"Ordering by '{text}' is currently not supported.")
    return key, direction.strip().upper() == "DESC"


def _known(clause: Clause, rules: Mapping[str, tuple[str, ...]], text: str) -> None:
    operators = rules.get(f"{clause.kind}." if clause.kind else clause.key)
    if operators is None or not clause.key or not clause.values:
        raise unsupported(text)
    if clause.operator not in operators:
        kind = clause.kind.removesuffix("s").capitalize() or clause.key
        raise RefusedError(f"Operator '{clause.operator}' not supported for key type '{kind}'.")


def _attribute(clause: Clause, text: str) -> None:
    listed = clause.operator == "IN"
    if not clause.quoted or clause.key not in ATTRIBUTES or (listed and clause.key != "run_id"):
        raise unsupported(text)


def _model_filter(text: str, keys: tuple[str, ...]) -> list[Clause]:
    """At most one comparison, by = and with a string."""
    clauses = parsed(text)
    for clause in clauses:
        plain = not clause.kind and clause.key in keys and clause.quoted
        if len(clauses) > 1 or not plain or clause.operator != "=":
            raise unsupported(text)
    return clauses
