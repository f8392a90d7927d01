"""Every build that may be a request's, whole: a look-up that shows less shows nothing.

And how the builds ended that are followed (`ends`).

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.adapters.devops.answers import has_id
from functions.adapters.devops.builds import (
    end_of,
    is_of,
    is_of_a_trigger,
    is_of_another,
    is_queued_at_another_time,
)
from functions.adapters.devops.calls import incomplete
from functions.adapters.devops.matching import asks_parameters, hides_variables, matches
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.pipelines import PipelineEnd, RunsSeen
from functions.core.terms.reasons import Reason
from functions.core.texts.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from functions.adapters.devops.calls import Calls
    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project

MOST_PAGES = 50
PAGE = "200"
MOST_SINGLY = 10  # of those that a list of ends leaves out


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
            "minTime": iso(queued[0]),
            "maxTime": iso(queued[1]),
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
        own = (b for b in listed if has_id(b) and b["id"] in runs and is_of(b, runs[b["id"]]))
        found |= {build["id"]: end_of(build) for build in own}
        token = answer.headers.get("X-MS-ContinuationToken")
        if not token or len(found) == len(runs):
            left = {number: runs[number] for number in runs if number not in found}
            more = _singly(calls, where, left, credential, deadline)
            wait = more.retry_after or answer.retry_after
            seen = {**found, **more.runs}
            return replace(more, runs=seen, retry_after=wait, scarce=answer.is_scarce)
        params["continuationToken"] = token
    raise incomplete(f"more than {MOST_PAGES} pages of builds")


def _singly(
    calls: Calls,
    where: Project,
    runs: Mapping[int, int | str],
    credential: Credential,
    deadline: Deadline,
) -> RunsSeen:
    """The same of those that a list leaves out, each by itself: so many, and the others untold.

    It may leave out what may not be seen, or be somebody else's. Only what Azure DevOps says of the
    one shows that it is gone.
    """
    found, withheld = dict[int, PipelineEnd | None](), dict[int, str]()
    untold, wait = {*runs}, None
    for number in [*runs][:MOST_SINGLY]:
        try:
            url = f"{calls.project(where)}/_apis/build/builds/{number}"
            answer = calls.find(url, credential, deadline)
        except Retryable as error:
            if error.reason is not Reason.LOOK_FAILED:  # a limit: the next would meet it, too
                wait = error.retry_after
                break
            if isinstance(error.__cause__, Permanent | Retryable):
                untold.remove(number)
                withheld[number] = error.detail
            continue
        build = answer.json if answer else {}
        if answer and not (has_id(build) and build["id"] == number):
            continue
        untold.remove(number)
        if answer and is_of(build, runs[number]):
            found[number] = end_of(build)
    return RunsSeen(runs=found, untold=frozenset(untold), withheld=withheld, retry_after=wait)


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
