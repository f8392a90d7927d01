"""Azure DevOps: run a pipeline, and find the run of a request whose answer was lost.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline?view=azure-devops-rest-7.1
https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.adapters.transport import Answer, NoAnswerError, NotSentError, Transport
from functions.core.errors import InDoubt, Permanent, RelayError, Retryable
from functions.core.reasons import Reason
from functions.core.values import PipelineRun, bounded, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.deadline import Deadline
    from functions.core.values import Credential, PipelineRequest

API_VERSION = "7.1"
HEADERS = {
    "Accept": f"application/json;api-version={API_VERSION}",
    "Content-Type": "application/json; charset=utf-8",
    "X-TFS-FedAuthRedirect": "Suppress",  # a refused PAT answers 401 instead of a redirect
    "X-VSS-ForceMsaPassThrough": "true",
}
MOST_PAGES = 50
PAGE = "200"


class DevOpsPipelines:
    """The pipelines of the organizations below one base URL."""

    def __init__(self, url: str, transport: Transport) -> None:
        self._url = url.rstrip("/")
        self._transport = transport

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """Send the request once; see `verdict` for what each answer means."""
        version = f"&pipelineVersion={request.pipeline_version}" if request.pipeline_version else ""
        url = (
            f"{self._project(request)}/_apis/pipelines/{request.pipeline}/runs"
            f"?api-version={API_VERSION}{version}"
        )
        try:
            answer = self._transport.effect(
                url, credential.authorization, deadline, headers=HEADERS, body=request.body
            )
        except NotSentError as error:
            raise Retryable(Reason.NOT_SENT, f"no connection to Azure DevOps: {error}") from None
        except NoAnswerError as error:
            raise InDoubt(Reason.IN_DOUBT, f"no answer from Azure DevOps: {error}") from None
        refusal = verdict(answer, credential)
        if refusal is not None:
            raise refusal
        run = answer.json["id"]
        url = f"{self._project(request)}/_build/results?buildId={run}"
        return PipelineRun(id=run, url=url, retry_after=answer.retry_after)

    def find(
        self,
        request: PipelineRequest,
        credential: Credential,
        since: datetime,
        deadline: Deadline,
    ) -> Sequence[PipelineRun]:
        """Builds queued since then with everything that was asked; raises Retryable unless sure."""
        return [
            PipelineRun(
                id=build["id"],
                url=f"{self._project(request)}/_build/results?buildId={build['id']}",
                queued_at=parse_time(build.get("queueTime")),
            )
            for build in self._builds(request, credential, since, deadline)
            if matches(request, self._whole(request, build, credential, deadline))
        ]

    def _builds(
        self,
        request: PipelineRequest,
        credential: Credential,
        since: datetime,
        deadline: Deadline,
    ) -> Iterator[dict[str, Any]]:
        url = f"{self._project(request)}/_apis/build/builds"
        params = {
            "definitions": str(request.pipeline),
            "minTime": since.isoformat().replace("+00:00", "Z"),
            "queryOrder": "queueTimeAscending",
            "$top": PAGE,
            "api-version": API_VERSION,
        }
        for _ in range(MOST_PAGES):
            answer = self._read(url, credential, deadline, params)
            found = answer.json.get("value") if isinstance(answer.json, dict) else None
            if not isinstance(found, list):
                raise _incomplete("the builds list is no list")
            yield from (build for build in found if _is_build(build))
            token = answer.headers.get("X-MS-ContinuationToken")
            if not token:
                return
            params["continuationToken"] = token
        raise _incomplete(f"more than {MOST_PAGES} pages of builds")

    def _whole(
        self,
        request: PipelineRequest,
        build: dict[str, Any],
        credential: Credential,
        deadline: Deadline,
    ) -> dict[str, Any]:
        """The build with its parameters, read singly where the list leaves them out."""
        if not _asks_parameters(request) or isinstance(build.get("templateParameters"), dict):
            return build
        url = f"{self._project(request)}/_apis/build/builds/{build['id']}"
        single = self._read(url, credential, deadline, {"api-version": API_VERSION}).json
        if not isinstance(single, dict) or not isinstance(single.get("templateParameters"), dict):
            raise _incomplete(f"build {build['id']} does not show its parameters")
        return single

    def _read(
        self, url: str, credential: Credential, deadline: Deadline, params: Mapping[str, str]
    ) -> Answer:
        try:
            answer = self._transport.read(
                url, credential.authorization, deadline, params=params, headers=HEADERS
            )
        except (NotSentError, NoAnswerError) as error:
            raise _incomplete(f"Azure DevOps: {error}") from None
        refusal = verdict(answer, credential, needs_id=False)
        if isinstance(refusal, Retryable) and refusal.reason is not Reason.REFUSED:
            raise refusal
        if refusal is not None or answer.json is None:
            raise Retryable(Reason.IN_DOUBT, f"looking failed: {refusal}", answer.retry_after)
        return answer

    def _project(self, request: PipelineRequest) -> str:
        return f"{self._url}/{quote(request.organization, '')}/{quote(request.project, '')}"


def verdict(answer: Answer, credential: Credential, *, needs_id: bool = True) -> RelayError | None:
    """What an answer means; None is success: 200 with a JSON object that has an integer id.

    A refused PAT comes as 203 with a sign-in page, a redirect to one, 401, or a page with 200.
    https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
    """
    status, wait = answer.status, answer.retry_after
    page = "html" in answer.headers.get("Content-Type", "").lower()
    if status in {203, 401} or 300 <= status < 400 or (page and 200 <= status < 300):  # noqa: PLR2004
        return Retryable(Reason.CREDENTIAL_REFUSED, _refusal(answer, page=page), wait)
    said = f"Azure DevOps answered {status}: {message(answer, credential)}"
    if status == 429:  # noqa: PLR2004
        return Retryable(Reason.THROTTLED, said, wait)
    if status == 400:  # noqa: PLR2004
        return Permanent(Reason.REJECTED, said)
    if 400 < status < 500 and status != 408:  # noqa: PLR2004
        return Retryable(Reason.REFUSED, said)
    if status == 200 and (not needs_id or _has_id(answer.json)):  # noqa: PLR2004
        return None
    return InDoubt(Reason.IN_DOUBT, said, wait)


def message(answer: Answer, credential: Credential) -> str:
    """The service's own words, bounded, without the credential that was sent."""
    found = answer.json
    text = found.get("message") if isinstance(found, dict) else None
    text = str(text or answer.headers.get("X-TFS-ServiceError") or "no message")
    for secret in _secrets(credential):
        text = text.replace(secret, "***")
    return bounded(text)


def matches(request: PipelineRequest, build: Mapping[str, Any]) -> bool:
    """Whether a build carries everything that was asked, with equal text; it may carry more."""
    body = json.loads(request.body)
    variables = {n: v for n, v in body.get("variables", {}).items() if not v.get("isSecret")}
    if not _carries(build.get("templateParameters"), body.get("templateParameters", {})):
        return False
    if not _carries(_queued_variables(build), {n: v["value"] for n, v in variables.items()}):
        return False
    branch = body.get("resources", {}).get("repositories", {}).get("self", {}).get("refName")
    return branch is None or build.get("sourceBranch") == branch


def _carries(shown: object, asked: Mapping[str, str]) -> bool:
    """Whether every asked value is shown; names are compared in any case, as the service does."""
    folded = {str(n).lower(): v for n, v in shown.items()} if isinstance(shown, dict) else {}
    return all(n.lower() in folded and _same(v, folded[n.lower()]) for n, v in asked.items())


def _queued_variables(build: Mapping[str, Any]) -> Mapping[str, Any]:
    """Queue-time variables: JSON text in `parameters`."""
    try:
        found = json.loads(build.get("parameters") or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _same(asked: str, shown: object) -> bool:
    """Parameters are asked as text and may be shown typed, or with a boolean's case changed."""
    if isinstance(shown, str) and asked == shown:
        return True
    text = shown if isinstance(shown, str) else json.dumps(shown)
    if {asked.lower(), text.lower()} <= {"true", "false"}:
        return asked.lower() == text.lower()
    known = _typed(asked)
    return known is not None and _canonical(known) == _canonical(_typed(text))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _typed(text: str) -> object:
    """The value of a text that is JSON, or YAML as pipelines spell objects."""
    import yaml  # noqa: PLC0415 - only a look-up compares

    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _asks_parameters(request: PipelineRequest) -> bool:
    return bool(json.loads(request.body).get("templateParameters"))


def _has_id(found: object) -> bool:
    return isinstance(found, dict) and type(found.get("id")) is int and found["id"] > 0


def _is_build(found: object) -> bool:
    if not _has_id(found):
        raise _incomplete("a build in the list has no id")
    return True


def _refusal(answer: Answer, *, page: bool) -> str:
    what = "a sign-in page" if page or answer.status == 203 else "a refusal"  # noqa: PLR2004
    what = "a redirect to the sign-in page" if 300 <= answer.status < 400 else what  # noqa: PLR2004
    return f"Azure DevOps answered {answer.status}, {what}: the credential is not accepted"


def _secrets(credential: Credential) -> Iterator[str]:
    token = credential.authorization.partition(" ")[2]
    yield token
    if credential.authorization.startswith("Basic "):
        pat = base64.b64decode(token).decode(errors="replace").partition(":")[2]
        yield pat


def _incomplete(why: str) -> Retryable:
    return Retryable(Reason.IN_DOUBT, f"the look-up was not complete: {why}")
