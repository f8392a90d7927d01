"""Every build that may be a request's, whole: a look-up that shows less shows nothing.

And how the builds ended that are followed (`ends`).

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.adapters.devops.answers import has_id
from functions.adapters.devops.builds import (
    is_of_a_trigger,
    is_of_another,
    is_queued_at_another_time,
)
from functions.adapters.devops.calls import incomplete
from functions.adapters.devops.matching import asks_parameters, hides_variables, matches
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.pipelines import PipelineEnd, RunsSeen
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from functions.adapters.devops.calls import Calls
    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project

MOST_PAGES = 50
PAGE = "200"
RESULTS = frozenset(Ending) - {Ending.LOST}


class LookUp:
    """One look for the builds of a request; raises Retryable where it cannot be whole."""

    def __init__(
        self, calls: Calls, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> None:
        self._calls, self._request = calls, request
        self._credential, self._deadline = credential, deadline
        self._apis = f"{calls.project(request)}/_apis"

    def matching(self, queued: tuple[datetime, datetime]) -> Iterator[int]:
        """The ids of builds `queued` between these times with everything that was asked."""
        for build in self._builds(queued):
            whole = self._whole(build)
            if hides_variables(self._request, whole):
                whole = self._with_variables(whole)
            if matches(self._request, whole):
                yield build["id"]

    def _builds(self, queued: tuple[datetime, datetime]) -> Iterator[dict[str, Any]]:
        params = {
            "definitions": str(self._request.pipeline),
            "minTime": _text(queued[0]),
            "maxTime": _text(queued[1]),
            "queryOrder": "queueTimeAscending",
            "deletedFilter": "includeDeleted",  # what somebody removed was started all the same
            "$top": PAGE,
        }
        for _ in range(MOST_PAGES):
            answer = self._calls.read(
                f"{self._apis}/build/builds", self._credential, self._deadline, params
            )
            found = answer.json.get("value") if isinstance(answer.json, dict) else None
            if not isinstance(found, list):
                raise incomplete("the builds list is no list")
            yield from (build for build in found if self._may_be(build, queued))
            token = answer.headers.get("X-MS-ContinuationToken")
            if not token:
                return
            params["continuationToken"] = token
        raise incomplete(f"more than {MOST_PAGES} pages of builds")

    def _may_be(self, build: dict[str, Any], queued: tuple[datetime, datetime]) -> bool:
        """Whether a build of the list may be the request's: filters may have been ignored."""
        if not has_id(build):
            raise incomplete("a build in the list has no id")
        return not (
            is_of_another(self._request, build.get("definition"))
            or is_of_a_trigger(build)
            or is_queued_at_another_time(build, queued)
        )

    def _whole(self, build: dict[str, Any]) -> dict[str, Any]:
        """The build with its parameters, read singly where the list leaves them out.

        One that was queued without any shows none as a build, and an empty set as a pipeline run:
        only there is an empty set what was asked.
        https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/get?view=azure-devops-rest-7.1
        """
        if not asks_parameters(self._request):
            return build
        number, found = build["id"], build.get("templateParameters")
        for where in ("build/builds", f"pipelines/{self._request.pipeline}/runs"):
            if isinstance(found, dict) and found:
                return {**build, "templateParameters": found}
            found = self._single(where, number).get("templateParameters")
        if not isinstance(found, dict):
            raise incomplete(f"build {number} does not show its parameters")
        return {**build, "templateParameters": found}

    def _with_variables(self, build: dict[str, Any]) -> dict[str, Any]:
        """The build with its variables, as the build or the pipeline run shows them singly."""
        number = build["id"]
        if found := self._single("build/builds", number).get("parameters"):
            return {**build, "parameters": found}
        run = self._single(f"pipelines/{self._request.pipeline}/runs", number).get("variables")
        if not isinstance(run, dict) or not run:
            raise incomplete(f"build {number} does not show its variables")
        values = {n: v.get("value") for n, v in run.items() if isinstance(v, dict)}
        return {**build, "parameters": json.dumps(values)}

    def _single(self, where: str, number: int) -> dict[str, Any]:
        """A build or a run by its id; raises Retryable for an answer that is not about it."""
        url = f"{self._apis}/{where}/{number}"
        found = self._calls.read(url, self._credential, self._deadline, {}).json
        if not has_id(found) or found["id"] != number:
            raise incomplete(f"what was answered for build {number} is not about it")
        return dict(found)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def ends(
    calls: Calls,
    where: Project,
    runs: Mapping[int, int | str],
    credential: Credential,
    deadline: Deadline,
) -> RunsSeen:
    """How these runs of these pipelines ended; raises Retryable where not all could be looked at.

    Only what was asked for is taken from an answer: an address that is too long is cut on its way.
    https://github.com/microsoft/azure-devops-dotnet-samples/issues/49
    """
    params = {
        "buildIds": ",".join(map(str, runs)),
        "deletedFilter": "includeDeleted",  # what somebody removed has ended all the same
        "queryOrder": "queueTimeAscending",
        "$top": str(len(runs)),
    }
    found: dict[int, PipelineEnd | None] = {}
    for _ in range(MOST_PAGES):
        answer = _listed(
            calls, f"{calls.project(where)}/_apis/build/builds", credential, deadline, params
        )
        listed = answer.json.get("value") if isinstance(answer.json, dict) else None
        if not isinstance(listed, list):
            raise incomplete("the builds list is no list")
        own = (b for b in listed if has_id(b) and b["id"] in runs and _is_of(b, runs[b["id"]]))
        found |= {build["id"]: _end(build) for build in own}
        token = answer.headers.get("X-MS-ContinuationToken")
        if not token or len(found) == len(runs):
            return RunsSeen(runs=found, retry_after=answer.retry_after, scarce=_is_scarce(answer))
        params["continuationToken"] = token
    raise incomplete(f"more than {MOST_PAGES} pages of builds")


def _listed(
    calls: Calls, url: str, credential: Credential, deadline: Deadline, params: Mapping[str, str]
) -> Answer:
    """Raises Retryable as `refused` where Azure DevOps itself says no, and not only just now."""
    try:
        return calls.read(url, credential, deadline, params)
    except Retryable as error:
        if isinstance(error.__cause__, Permanent | Retryable):
            raise Retryable(Reason.REFUSED, error.detail, error.retry_after) from None
        raise


def _is_of(build: dict[str, Any], pipeline: int | str) -> bool:
    """Whether a build is one of this pipeline, as far as it says."""
    definition = build.get("definition")
    number = definition.get("id") if isinstance(definition, dict) else None
    return type(number) is not int or number == pipeline


def _end(build: dict[str, Any]) -> PipelineEnd | None:
    """How a build ended, and None as long as it does not say so in words that are known."""
    result, at = build.get("result"), parse_time(build.get("finishTime"))
    if build.get("status") != "completed" or at is None:
        return None
    if not isinstance(result, str) or result not in RESULTS:
        return None
    said = []
    if result == Ending.CANCELED and not build.get("startTime"):
        said.append("canceled while it was queued")
    if build.get("deleted") is True:
        said.append("deleted since")
    return PipelineEnd(how=Ending(result), at=at, detail="; ".join(said))


def _is_scarce(answer: Answer) -> bool:
    """Whether more than half of what this account may ask in five minutes is used up.

    https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
    """
    try:
        limit, left = (float(answer.headers[f"X-RateLimit-{n}"]) for n in ("Limit", "Remaining"))
    except (KeyError, ValueError):
        return False
    return left * 2 < limit
