"""One run as Azure tells of it: its job at Resource Manager, else the run at MLflow; cancelling it.

https://learn.microsoft.com/rest/api/azureml/jobs/get
https://learn.microsoft.com/rest/api/azureml/jobs/cancel
https://mlflow.org/docs/latest/rest-api.html#get-run
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.adapters.aml.answers import about_or_raise
from functions.adapters.aml.workspaces import API_VERSION
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from relay.waiting import statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.adapters.aml import Workspaces
    from functions.adapters.http.transport import Answer, Transport
    from functions.core.terms.deadline import Clock
    from functions.core.terms.runs import Workspace
    from relay.waiting.statuses import Status

CALL_SECONDS = 30.0
_OK, _NOT_FOUND = 200, 404
_ACCEPTED = frozenset({200, 202, 204})
_REFUSED = frozenset({401, 403})


class Kind(IntEnum):
    """Why a run could not be read; of two reasons the greater one counts."""

    NOT_FOUND = 1
    UNREADABLE = 2
    REFUSED = 3


class Trouble(Exception):
    """The run could not be read, or not be cancelled. `retry_after`: seconds that were asked for.

    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    """

    def __init__(self, kind: Kind, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


class NoToken(Trouble):
    """Nobody is signed in, or the identity gives no token."""

    def __init__(self, detail: str) -> None:
        super().__init__(Kind.REFUSED, detail)


class Watched:
    """A run of a workspace. Each call asks `token` for a token and takes half a minute at most."""

    def __init__(
        self, workspaces: Workspaces, workspace: Workspace, run: str, clock: Clock
    ) -> None:
        self.workspace = workspace
        self.id = run
        self._workspaces = workspaces
        self._clock = clock
        self._job = f"{workspace.id}/jobs/{quote(run, '')}"

    def status(self) -> Status:
        """The job's status in AML's words; MLflow's, where no job of that name may be read.

        Raises Trouble.
        """
        try:
            job = self._read("the job", lambda deadline: self._workspaces.arm(self._job, deadline))
        except Trouble as trouble:
            if trouble.kind is Kind.UNREADABLE or isinstance(trouble, NoToken):
                raise
            return self._of_run(trouble)
        self._check(job.get("name"), "the job")
        return statuses.status(_below(job, "properties").get("status"))

    def _of_run(self, because: Trouble) -> Status:
        try:
            found = self._read("the run", self._mlflow)
        except Trouble as trouble:
            raise max(because, trouble, key=lambda t: t.kind) from None
        info = _below(_below(found, "run"), "info")
        self._check(info.get("run_id") or info.get("run_uuid"), "the run")
        if str(info.get("lifecycle_stage", "")).lower() == "deleted":
            deleted = f"the run {self.id} of {self.workspace.name} was deleted"
            raise Trouble(Kind.NOT_FOUND, bounded(deleted))
        return statuses.status(info.get("status"))

    def _check(self, said: object, what: str) -> None:
        """Raises Trouble for an answer about another run."""
        try:
            about_or_raise(said, self.id, f"{what} {self.id} of {self.workspace.name}")
        except Retryable as error:
            raise Trouble(Kind.UNREADABLE, error.detail) from None

    def _mlflow(self, deadline: Deadline) -> Answer:
        asked = {"run_id": self.id}
        call = "/api/2.0/mlflow/runs/get"
        return self._workspaces.mlflow(self.workspace, call, deadline, params=asked)

    def _read(self, what: str, ask: Callable[[Deadline], Answer]) -> Mapping[str, object]:
        try:
            answer = ask(Deadline(self._clock, CALL_SECONDS))
        except Retryable as error:
            missing = error.reason is Reason.RUN_NOT_FOUND
            kind = Kind.NOT_FOUND if missing else Kind.UNREADABLE
            raise Trouble(kind, error.detail, error.retry_after) from None
        found = answer.json
        if answer.status != _OK or not isinstance(found, dict):
            raise _refusal(f"{what} {self.id} of {self.workspace.name}", answer)
        return found


class Cancelling:
    """Asks Resource Manager to cancel jobs."""

    def __init__(self, url: str, token: Callable[[], str], transport: Transport) -> None:
        self._url = url
        self._token = token
        self._transport = transport

    def cancel(self, workspace: Workspace, run: str) -> None:
        """Have the job cancelled, which takes its time; raises Trouble."""
        url = f"{self._url}{workspace.id}/jobs/{quote(run, '')}/cancel?api-version={API_VERSION}"
        authorization = f"Bearer {self._token()}"
        headers = {"Accept": "application/json"}
        try:
            answer = self._transport.effect(url, authorization, headers=headers, body="")
        except (NotSentError, NoAnswerError) as error:
            raise Trouble(Kind.UNREADABLE, f"no answer: {error}") from None
        if answer.status not in _ACCEPTED:
            raise _refusal(f"cancelling {run}", answer)


def _refusal(what: str, answer: Answer) -> Trouble:
    kind = Kind.UNREADABLE
    if answer.status in _REFUSED:
        kind = Kind.REFUSED
    elif answer.status == _NOT_FOUND:
        kind = Kind.NOT_FOUND
    body = answer.json if isinstance(answer.json, dict) else {}
    said = _below(body, "error").get("message") or body.get("message") or ""
    detail = bounded(f"{what}: answered {answer.status}: {said}", 300).rstrip(": ")
    return Trouble(kind, detail, answer.retry_after)


def _below(found: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}
