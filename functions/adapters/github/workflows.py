"""GitHub Actions: run a workflow, and find the run of a request whose answer was lost.

https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.github.answers import DETAILS, names, pause, run_id
from functions.adapters.github.calls import Calls, name_of, pages_of, run_page
from functions.adapters.http.transport import Answered
from functions.core.terms.errors import InDoubt, Retryable
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from functions.adapters.http.transport import Transport
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project, RunsSeen


class GitHubWorkflows:
    """The workflows below one base URL of GitHub's REST interface.

    Every dispatch asks for the id of the run that it becomes. A server that is too old for that
    says so, and is not asked again; its runs are found by their names.
    https://github.com/cli/cli/issues/12672
    """

    def __init__(self, url: str, transport: Transport) -> None:
        self._calls, self._pages = Calls(url, transport), pages_of(url.rstrip("/"))
        self._tells_runs = True
        self._answered = Answered()

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """Send the request once; see `verdict` for what each answer means."""
        tells_runs = self._tells_runs
        body = json.loads(request.body) | ({DETAILS: True} if tells_runs else {})
        try:
            answer = self._calls.effect(
                f"{self._calls.workflow(request)}/dispatches",
                credential,
                json.dumps(body, ensure_ascii=False),
                within=deadline.for_answer,
                may_begin=lambda: deadline.allows_post,
            )
        except Retryable as error:
            self._tells_runs &= not (error.reason is Reason.UNAVAILABLE and DETAILS in error.detail)
            raise
        run = run_id(answer)
        if run == 0 or not names(answer, f"/repos/{name_of(request)}/actions/runs/{run}"):
            raise InDoubt(Reason.IN_DOUBT, "GitHub's answer names no run of that repository")
        if not self._answered.is_new(run):
            raise InDoubt(Reason.IN_DOUBT, f"GitHub answered with run {run}, which is another's")
        return self._run(request, run, pause(answer))

    def find(
        self,
        request: PipelineRequest,
        credential: Credential,
        queued: tuple[datetime, datetime],
        deadline: Deadline,
    ) -> Iterator[PipelineRun]:
        """The runs, made in this time, whose name shows what only this request has.

        Raises Retryable, after those that it found, where not all could be looked at.
        """
        from functions.adapters.github.runs import LookUp  # noqa: PLC0415 - once in doubt

        look = LookUp(self._calls, request, credential, deadline)
        yield from (self._run(request, run) for run in look.marked(queued))

    def ends(
        self,
        where: Project,
        runs: Mapping[int, int | str],
        credential: Credential,
        deadline: Deadline,
    ) -> RunsSeen:
        """How these runs of these workflows have ended, or that they go on. Raises Retryable."""
        from functions.adapters.github.ends import ends  # noqa: PLC0415 - in rounds

        return ends(self._calls, where, runs, credential, deadline)

    def tag(self, request: PipelineRequest, run: int, tag: str, credential: Credential) -> None:
        """Nothing: a run at GitHub has no tags, and its name shows the continuation's hash."""

    def _run(self, request: PipelineRequest, run: int, after: float | None = None) -> PipelineRun:
        """With its page as our settings tell it, whatever the answer says."""
        return PipelineRun(id=run, url=run_page(self._pages, request, run), retry_after=after)
