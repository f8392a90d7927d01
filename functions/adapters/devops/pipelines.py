"""Azure DevOps: run a pipeline, and find the run of a request whose answer was lost.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.devops.builds import not_a_run, otherwise
from functions.adapters.devops.calls import Calls
from functions.adapters.http.transport import Answered
from functions.core.terms.errors import InDoubt
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from functions.adapters.http.transport import Transport
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project, RunsSeen


class DevOpsPipelines:
    """The pipelines of the organizations below one base URL."""

    def __init__(self, url: str, transport: Transport, api_version: str) -> None:
        self._calls, self._answered = Calls(url, transport, api_version), Answered()

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """Send the request once; see `verdict` for what each answer means.

        What has begun is waited for as long as Event Grid waits: while it throttles, Azure DevOps
        delays its answers by up to half a minute.
        """
        version = f"?pipelineVersion={request.pipeline_version}" if request.pipeline_version else ""
        url = f"{self._calls.pipeline(request)}/runs{version}"
        answer = self._calls.effect(
            url,
            credential,
            request.body,
            within=deadline.for_answer,
            may_begin=lambda: deadline.allows_post,
        )
        found = answer.json
        if why := not_a_run(request, found):
            raise InDoubt(Reason.IN_DOUBT, why, answer.retry_after)
        if not self._answered.is_new((request.organization.lower(), found["id"])):
            why = f"Azure DevOps answered with run {found['id']}, which is another's"
            raise InDoubt(Reason.IN_DOUBT, why, answer.retry_after)
        note = otherwise(request, found)
        return self._run(request, found["id"], answer.retry_after, note)

    def find(
        self,
        request: PipelineRequest,
        credential: Credential,
        queued: tuple[datetime, datetime],
        deadline: Deadline,
    ) -> Iterator[PipelineRun]:
        """Builds `queued` between these times with everything that was asked.

        Raises Retryable, after those that it found, where not all could be looked at.
        """
        from functions.adapters.devops.lookups import LookUp  # noqa: PLC0415 - once in doubt

        look = LookUp(self._calls, request, credential, deadline)
        yield from (self._run(request, run) for run in look.matching(queued))

    def ends(
        self,
        where: Project,
        runs: Mapping[int, int | str],
        credential: Credential,
        deadline: Deadline,
    ) -> RunsSeen:
        """How the runs of these pipelines, by id, have ended, or that they go on.

        Raises Retryable: `refused` where Azure DevOps itself says no.
        """
        from functions.adapters.devops.lookups import ends  # noqa: PLC0415 - in rounds

        return ends(self._calls, where, runs, credential, deadline)

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
        url = f"{self._calls.project(request)}/_apis/build/builds/{run}/tags"
        self._calls.effect(url, credential, json.dumps([tag]), needs_id=False)

    def _run(
        self, request: PipelineRequest, run: int, after: float | None = None, note: str = ""
    ) -> PipelineRun:
        url = f"{self._calls.project(request)}/_build/results?buildId={run}"
        return PipelineRun(id=run, url=url, retry_after=after, note=note)
