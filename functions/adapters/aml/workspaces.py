"""Where a workspace's MLflow endpoint is, asked of ARM once per process; and calls to both.

https://learn.microsoft.com/rest/api/azureml/workspaces/get
https://learn.microsoft.com/azure/machine-learning/how-to-use-mlflow-configure-tracking
"""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import TYPE_CHECKING

from functions.adapters.ahead import Ahead
from functions.adapters.aml.answers import about_or_raise, found_or_raise
from functions.adapters.entra_tokens import waiting
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.core.terms.errors import NoWorkspace, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.adapters.http.transport import Answer, Transport
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.runs import Workspace

API_VERSION = "2024-10-01"
# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found
_NONE = frozenset({"ResourceNotFound", "ResourceGroupNotFound"})
_BASE = re.compile(r"(azureml|https?)://([^/?#@\s]+(?:/[^?#\s]*)?)")


class Workspaces:
    """Calls to ARM and MLflow with the managed identity's token.

    `token` gives an access token for ARM, which AML's MLflow endpoint takes as well; `refused`
    hears of each that was answered with 401. `ahead` keeps the calls that are begun before they are
    asked for.
    """

    def __init__(
        self,
        resource_manager_url: str,
        token: Callable[[], str],
        transport: Transport,
        refused: Callable[[str], None] | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        self._url = resource_manager_url
        self._ahead = ahead or Ahead()
        self._token = token
        self._transport = transport
        self._refused = refused
        self._lock = threading.Lock()
        self._tracking: dict[str, str] = {}

    def tracking_uri(self, workspace: Workspace, deadline: Deadline) -> str:
        """`azureml://…` for AML's own endpoint, `http(s)://…` for a plain MLflow server."""
        known = self._tracking.get(workspace.key)
        if known:
            return known
        with self._lock:  # the first events of a process arrive together
            if (key := workspace.key) not in self._tracking:
                self._tracking[key] = self._ask(workspace, deadline)
            return self._tracking[key]

    def forget(self, workspace: Workspace) -> None:
        """Ask ARM again where it is, since it is there no more."""
        with self._lock:
            self._tracking.pop(workspace.key, None)

    def mlflow(
        self,
        workspace: Workspace,
        call: str,
        deadline: Deadline,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """GET (or POST, with a body) below `/api/2.0/`; raises Retryable if it does not answer."""
        asked = _asked(workspace, call, params, body)
        sent = partial(self._mlflow, workspace, call, deadline, params, body)
        answer: Answer = self._ahead.result(deadline, asked, sent)
        return answer

    def begin_mlflow(
        self,
        workspace: Workspace,
        call: str,
        deadline: Deadline,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> None:
        """Begin what `mlflow` will be asked for."""
        asked = _asked(workspace, call, params, body)
        sent = partial(self._mlflow, workspace, call, deadline, params, body)
        self._ahead.begin(deadline, asked, sent)

    def arm(self, path: str, deadline: Deadline) -> Answer:
        """GET a resource; raises Retryable if ARM does not answer."""
        answer: Answer = self._ahead.result(deadline, path, partial(self._arm, path, deadline))
        return answer

    def begin_arm(self, path: str, deadline: Deadline) -> None:
        """Begin what `arm` will be asked for."""
        self._ahead.begin(deadline, path, partial(self._arm, path, deadline))

    def drop(self, deadline: Deadline) -> None:
        """Send again what was begun with this deadline, where it is asked for."""
        self._ahead.drop(deadline)

    def is_known_aml(self, workspace: Workspace) -> bool:
        """Whether it is known already to have AML's own endpoint."""
        return self._tracking.get(workspace.key, "").startswith("azureml:")

    def _mlflow(
        self,
        workspace: Workspace,
        call: str,
        deadline: Deadline,
        params: Mapping[str, str] | None,
        body: object,
    ) -> Answer:
        base = re.sub(r"^azureml:", "https:", self.tracking_uri(workspace, deadline))
        return self._read(f"{base.rstrip('/')}{call}", deadline, params, body)

    def _arm(self, path: str, deadline: Deadline) -> Answer:
        return self._read(f"{self._url}{path}", deadline, {"api-version": API_VERSION}, None)

    def _ask(self, workspace: Workspace, deadline: Deadline) -> str:
        answer = self.arm(workspace.id, deadline)
        try:
            found = found_or_raise(answer, f"workspace {workspace.name}")
        except Retryable as error:
            if answer.status == 404 and _code(answer.json) in _NONE:
                raise NoWorkspace(error.reason, error.detail) from None
            raise
        about_or_raise(found.get("id"), workspace.id, f"workspace {workspace.name}")
        properties = found.get("properties")
        uri = properties.get("mlFlowTrackingUri") if isinstance(properties, dict) else None
        if not isinstance(uri, str) or not _BASE.fullmatch(uri):
            raise Retryable(
                Reason.RUN_UNREADABLE, f"workspace {workspace.name} names no MLflow tracking URI"
            )
        return uri

    def _read(
        self, url: str, deadline: Deadline, params: Mapping[str, str] | None, body: object
    ) -> Answer:
        if deadline.has_passed:
            raise Retryable(Reason.DEADLINE, "no time was left to read the run")
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        with waiting(deadline.left):
            token = self._token()
        try:
            answer = self._transport.read(
                url, f"Bearer {token}", deadline, params=params, headers=headers, body=body
            )
        except (NotSentError, NoAnswerError) as error:
            raise Retryable(Reason.RUN_UNREADABLE, f"no answer from AML: {error}") from None
        if answer.status == 401 and self._refused:
            self._refused(token)
        return answer


def _asked(
    workspace: Workspace, call: str, params: Mapping[str, str] | None, body: object
) -> tuple[str, str, str, str]:
    """What a call is known by."""
    return workspace.key, call, repr(params), repr(body)


def _code(found: object) -> str:
    """What an error of ARM is called."""
    error = found.get("error") if isinstance(found, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""
