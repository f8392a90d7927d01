"""Requests to Azure DevOps, in the REST version that the server speaks.

https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, TypeGuard
from urllib.parse import quote

from functions.adapters.devops.answers import told, unanswered, verdict
from functions.adapters.devops.origin import is_own, is_page
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import READ_SECONDS, Answer
from functions.core.terms.errors import InDoubt, Permanent, Retryable
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.adapters.http.transport import Transport
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.errors import RelayError
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project

HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "X-TFS-FedAuthRedirect": "Suppress",  # a refused PAT answers 401 instead of a redirect
    "X-VSS-ForceMsaPassThrough": "true",
}
_quoted = lru_cache(maxsize=1024)(quote)  # there are few
_HELD_BACK = frozenset({Reason.CREDENTIAL_REFUSED, Reason.THROTTLED})


class Calls:
    """Calls to the organizations below one base URL.

    Every call names `version`. A server that does not serve it answers 400 and names the newest
    that it does, which is asked for from then on.
    """

    def __init__(self, url: str, transport: Transport, version: str) -> None:
        self._url = url.rstrip("/")
        self._transport = transport
        self._version = version

    def project(self, of: PipelineRequest | Project) -> str:
        """The address of the request's project."""
        return project_url(self._url, of)

    def pipeline(self, request: PipelineRequest) -> str:
        """The address of the request's pipeline."""
        return pipeline_url(self._url, request)

    def effect(
        self,
        url: str,
        credential: Credential,
        body: str,
        *,
        needs_id: bool = True,
        within: float = READ_SECONDS,
        may_begin: Callable[[], bool] | None = None,
    ) -> Answer:
        """Send once; see `verdict` for what each answer means."""
        name, asked = "&" if "?" in url else "?", self._version
        url = f"{url}{name}api-version={asked}"
        try:
            answer = self._transport.effect(
                url,
                credential.authorization,
                headers=_headers(asked),
                body=body,
                within=within,
                may_begin=may_begin,
            )
        except (NotSentError, NoAnswerError) as error:
            raise unanswered(error) from None
        self._learn(answer, asked)
        refusal = verdict(answer, needs_id=needs_id)
        if refusal is not None:
            told = verdict(answer.without(_secrets(body)), needs_id=needs_id)
            raise told if _alike(told, refusal) else _untold(refusal)
        return answer

    def read(
        self, url: str, credential: Credential, deadline: Deadline, params: Mapping[str, str]
    ) -> Answer:
        """An answer that is JSON; raises Retryable, for what is no refusal as `look_failed`.

        Its cause is what Azure DevOps answered, where it did.
        """
        asked = self._version
        answer = self._answer(url, credential, deadline, {**params, "api-version": asked})
        try:
            self._learn(answer, asked)
        except Retryable:  # nothing hangs on a read: it is asked again at once
            params = {**params, "api-version": self._version}
            answer = self._answer(url, credential, deadline, params)
        return _readable(answer)

    def find(self, url: str, credential: Credential, deadline: Deadline) -> Answer | None:
        """The same of one thing; None where Azure DevOps itself says that it is not there."""
        answer = self._answer(url, credential, deadline, {"api-version": self._version})
        return None if answer.status == 404 and is_own(answer) else _readable(answer)

    def _answer(
        self, url: str, credential: Credential, deadline: Deadline, params: Mapping[str, str]
    ) -> Answer:
        headers = _headers(params["api-version"])
        try:
            return self._transport.read(
                url, credential.authorization, deadline, params=params, headers=headers
            )
        except (NotSentError, NoAnswerError) as error:
            raise incomplete(f"Azure DevOps: {error}") from None

    def _learn(self, answer: Answer, asked: str) -> None:
        """Raise Retryable, to be asked again at once, where the server is older than this version.

        It looks at the version before anything else, so that nothing was done.
        """
        if answer.status != 400:
            return
        from functions.adapters.devops.bad_requests import other_version  # noqa: PLC0415 - as said

        other = other_version(answer, asked)
        if other is None:
            return
        if self._version == asked:  # else another has learned of it, or of more
            self._version = other
        what = f"the server speaks REST {other}, not {asked}: DEVOPS_API_VERSION={other} says so"
        raise Retryable(Reason.UNAVAILABLE, what, retry_after=0)


def _readable(answer: Answer) -> Answer:
    """The answer, if it is JSON that Azure DevOps gives; raises as `Calls.read` does."""
    if answer.status == 429 and not is_page(answer):  # whoever says so is heeded: it is a read
        raise Retryable(Reason.THROTTLED, told(answer), answer.retry_after)
    refusal = verdict(answer, needs_id=False)
    if isinstance(refusal, Retryable) and refusal.reason in _HELD_BACK:
        raise refusal
    if refusal is not None or answer.json is None:
        why = refusal or "Azure DevOps answered 200 with what is no JSON"
        failed = f"looking failed: {why}"
        raise Retryable(Reason.LOOK_FAILED, failed, answer.retry_after) from refusal
    return answer


def project_url(url: str, of: PipelineRequest | Project) -> str:
    """The address of the request's project below a base URL without a slash at its end."""
    return f"{url}/{_quoted(of.organization, '')}/{_quoted(of.project, '')}"


def pipeline_url(url: str, request: PipelineRequest) -> str:
    """The address of the request's pipeline, below the same."""
    return f"{project_url(url, request)}/_apis/pipelines/{request.pipeline}"


def _secrets(body: str) -> list[str]:
    """The values of a request's secret variables."""
    found = json.loads(body)
    variables = found.get("variables", {}) if isinstance(found, dict) else {}
    return [v["value"] for v in variables.values() if v.get("isSecret")]


def _alike(told: RelayError | None, refusal: RelayError) -> TypeGuard[RelayError]:
    """Whether it means the same without the secrets."""
    reasons = (getattr(error, "reason", None) for error in (told, refusal))
    return type(told) is type(refusal) and len({*reasons}) == 1


def _untold(refusal: RelayError) -> RelayError:
    if isinstance(refusal, InDoubt | Permanent | Retryable):
        what = "the answer's words hold the value of a secret variable"
        return type(refusal)(refusal.reason, what, refusal.retry_after)
    return refusal


def _headers(version: str) -> Mapping[str, str]:
    return {**HEADERS, "Accept": f"application/json;api-version={version}"}


def incomplete(why: str) -> Retryable:
    """A look-up that does not show everything."""
    return Retryable(Reason.LOOK_FAILED, f"the look-up was not complete: {why}")
