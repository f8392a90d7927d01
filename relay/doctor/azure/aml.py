"""The workspaces: whether each is there, and whether its MLflow endpoint answers.

https://learn.microsoft.com/azure/machine-learning/how-to-use-mlflow-configure-tracking
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.aml import Workspaces
from functions.adapters.aml.answers import found_or_raise
from functions.adapters.entra import access_token
from functions.adapters.http.transport import Transport
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from relay.doctor.findings import failure, ok, unreachable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.terms.runs import Workspace
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

SEARCH = "/api/2.0/mlflow/experiments/search"


def readable(case: Case) -> Iterator[Finding]:
    """Every workspace that is known, asked for one experiment."""
    scope = f"{case.settings.cloud.resource_manager}/.default"
    workspaces = Workspaces(
        case.settings.resource_manager_url,
        lambda: access_token(case.identity, scope, Reason.RUN_UNREADABLE).token,
        Transport(),
    )
    known = case.heard_of
    for workspace in known:
        yield _readable(case, workspaces, workspace)
    if not known:
        how = "name one with --workspace, or wait until the first event came"
        yield warning("not checked: no workspace is known yet", how)


def _readable(case: Case, workspaces: Workspaces, workspace: Workspace) -> Finding:
    deadline = case.deadline()
    try:
        answer = workspaces.mlflow(workspace, SEARCH, deadline, body={"max_results": 1})
        found_or_raise(answer, f"MLflow of {workspace.name}")
    except Retryable as error:
        if error.reason is Reason.RUN_NOT_FOUND:
            return failure(error.detail, "see that the workspace's id is right")
        refused = " answered 40" in error.detail
        how = "ask for the role Reader at the workspace, or AzureML Data Scientist"
        return failure(error.detail, how) if refused else unreachable(error.detail)
    return ok(f"{workspace.name} and its MLflow answer")
