"""Azure DevOps: run a pipeline, and find the run of a request whose answer was lost.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline?view=azure-devops-rest-7.1
https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.adapters.devops.answers import has_id, unanswered, verdict
from functions.adapters.devops.builds import (
    is_of_a_trigger,
    is_of_another,
    taken_branch,
)
from functions.adapters.devops.matching import asks_parameters, matches
from functions.adapters.devops.rejections import newest_version
from functions.adapters.transport import (
    READ_SECONDS,
    Answer,
    NoAnswerError,
    NotSentError,
    Transport,
)
from functions.core.errors import InDoubt, Retryable
from functions.core.reasons import Reason
from functions.core.values import PipelineRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.deadline import Deadline
    from functions.core.values import Credential, PipelineRequest

API_VERSION = "7.1"
HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "X-TFS-FedAuthRedirect": "Suppress",  # a refused PAT answers 401 instead of a redirect
    "X-VSS-ForceMsaPassThrough": "true",
}
MOST_PAGES = 50
_HELD_BACK = frozenset({Reason.CREDENTIAL_REFUSED, Reason.THROTTLED})
PAGE = "200"


class DevOpsPipelines:
    """The pipelines of the organizations below one base URL.

    Every call names `api_version`. A server that does not serve it answers 400 and names the newest
    that it does, which is asked for from then on.
    https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
    """

    def __init__(self, url: str, transport: Transport, api_version: str = API_VERSION) -> None:
        self._url = url.rstrip("/")
        self._transport = transport
        self._version = api_version

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """Send the request once; see `verdict` for what each answer means.

        What has begun is waited for as long as Event Grid waits: while it throttles, Azure DevOps
        delays its answers by up to half a minute.
        """
        version = f"&pipelineVersion={request.pipeline_version}" if request.pipeline_version else ""
        url = (
            f"{self._project(request)}/_apis/pipelines/{request.pipeline}/runs"
            f"?api-version={self._version}{version}"
        )
        answer = self._effect(url, credential, request.body, within=deadline.for_answer)
        found = answer.json
        if is_of_another(request, found.get("pipeline")):
            detail = "Azure DevOps answered with a run of another pipeline"
            raise InDoubt(Reason.IN_DOUBT, detail, answer.retry_after)
        run = found["id"]
        url = f"{self._project(request)}/_build/results?buildId={run}"
        note = taken_branch(request, found)
        return PipelineRun(id=run, url=url, retry_after=answer.retry_after, note=note)

    def find(
        self,
        request: PipelineRequest,
        credential: Credential,
        queued: tuple[datetime, datetime],
        deadline: Deadline,
    ) -> Sequence[PipelineRun]:
        """Builds `queued` between these times with everything that was asked.

        Raises Retryable where none is found and not all could be looked at.
        """
        found: list[PipelineRun] = []
        try:
            for build in self._builds(request, credential, queued, deadline):
                if matches(request, self._whole(request, build, credential, deadline)):
                    url = f"{self._project(request)}/_build/results?buildId={build['id']}"
                    found.append(PipelineRun(id=build["id"], url=url))
        except Retryable:
            if not found:
                raise
        return found

    def tag(
        self,
        request: PipelineRequest,
        run: int,
        tag: str,
        credential: Credential,
    ) -> None:
        """Tags - Add Build Tags. Raises as `start` does.

        https://learn.microsoft.com/rest/api/azure/devops/build/tags/add-build-tags?view=azure-devops-rest-7.1
        """
        url = f"{self._project(request)}/_apis/build/builds/{run}/tags?api-version={self._version}"
        self._effect(url, credential, json.dumps([tag]), needs_id=False)

    def _effect(
        self,
        url: str,
        credential: Credential,
        body: str,
        *,
        needs_id: bool = True,
        within: float = READ_SECONDS,
    ) -> Answer:
        try:
            answer = self._transport.effect(
                url, credential.authorization, headers=self._headers, body=body, within=within
            )
        except (NotSentError, NoAnswerError) as error:
            raise unanswered(error) from None
        self._learn(answer)
        refusal = verdict(answer, needs_id=needs_id)
        if refusal is not None:
            raise refusal
        return answer

    @property
    def _headers(self) -> Mapping[str, str]:
        return {**HEADERS, "Accept": f"application/json;api-version={self._version}"}

    def _learn(self, answer: Answer) -> None:
        """Raise Retryable, to be asked again at once, where the server is older than this version.

        It looks at the version before anything else, so that nothing was done.
        """
        asked, newest = self._version, newest_version(answer)
        if newest is None or newest == asked:
            return
        self._version = newest
        what = f"the server speaks REST {newest}, not {asked}: DEVOPS_API_VERSION={newest} says so"
        raise Retryable(Reason.UNAVAILABLE, what, retry_after=0)

    def _builds(
        self,
        request: PipelineRequest,
        credential: Credential,
        queued: tuple[datetime, datetime],
        deadline: Deadline,
    ) -> Iterator[dict[str, Any]]:
        url = f"{self._project(request)}/_apis/build/builds"
        params = {
            "definitions": str(request.pipeline),
            "minTime": _text(queued[0]),
            "maxTime": _text(queued[1]),
            "queryOrder": "queueTimeAscending",
            "deletedFilter": "includeDeleted",  # what somebody removed was started all the same
            "$top": PAGE,
            "api-version": self._version,
        }
        for _ in range(MOST_PAGES):
            answer = self._read(url, credential, deadline, params)
            found = answer.json.get("value") if isinstance(answer.json, dict) else None
            if not isinstance(found, list):
                raise _incomplete("the builds list is no list")
            yield from (build for build in found if _is_build(build) and _may_be(request, build))
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
        """The build with its parameters, read singly where the list leaves them out.

        One that was queued without any shows none as a build, and an empty set as a pipeline run.
        https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/get?view=azure-devops-rest-7.1
        """
        if not asks_parameters(request):
            return build
        of_project, number = f"{self._project(request)}/_apis", build["id"]
        found = build.get("templateParameters")
        for where in (f"build/builds/{number}", f"pipelines/{request.pipeline}/runs/{number}"):
            if isinstance(found, dict):
                return {**build, "templateParameters": found}
            params = {"api-version": self._version}
            single = self._read(f"{of_project}/{where}", credential, deadline, params).json
            found = single.get("templateParameters") if isinstance(single, dict) else None
        if not isinstance(found, dict):
            raise _incomplete(f"build {number} does not show its parameters")
        return {**build, "templateParameters": found}

    def _read(
        self, url: str, credential: Credential, deadline: Deadline, params: Mapping[str, str]
    ) -> Answer:
        answer = self._answer(url, credential, deadline, params)
        try:
            self._learn(answer)
        except Retryable:  # nothing hangs on a read: it is asked again at once
            again = {**params, "api-version": self._version}
            answer = self._answer(url, credential, deadline, again)
        refusal = verdict(answer, needs_id=False)
        if isinstance(refusal, Retryable) and refusal.reason in _HELD_BACK:
            raise refusal
        if refusal is not None or answer.json is None:
            raise Retryable(Reason.LOOK_FAILED, f"looking failed: {refusal}", answer.retry_after)
        return answer

    def _answer(
        self, url: str, credential: Credential, deadline: Deadline, params: Mapping[str, str]
    ) -> Answer:
        try:
            return self._transport.read(
                url, credential.authorization, deadline, params=params, headers=self._headers
            )
        except (NotSentError, NoAnswerError) as error:
            raise _incomplete(f"Azure DevOps: {error}") from None

    def _project(self, request: PipelineRequest) -> str:
        return f"{self._url}/{quote(request.organization, '')}/{quote(request.project, '')}"


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _may_be(request: PipelineRequest, build: dict[str, Any]) -> bool:
    """Whether a build of the list may be a request's."""
    return not is_of_another(request, build.get("definition")) and not is_of_a_trigger(build)


def _is_build(found: object) -> bool:
    if not has_id(found):
        raise _incomplete("a build in the list has no id")
    return True


def _incomplete(why: str) -> Retryable:
    return Retryable(Reason.LOOK_FAILED, f"the look-up was not complete: {why}")
