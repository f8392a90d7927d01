"""Whether a run of GitHub Actions is the one that a continuation asked for.

https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.github.calls import Calls, name_of, pages_of, run_page
from functions.adapters.http.transport import Transport
from functions.core.starts.whose import queued_since
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.texts import marks
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time
from relay.continuations.naming.refusals import NotIts, Unknown

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.terms.pipelines import PipelineRequest

SECONDS = 30.0
DISPATCH = "workflow_dispatch"


def page(settings: Settings, request: PipelineRequest, number: int) -> str:
    """Where people look at a run of the request's repository."""
    return run_page(pages_of(settings.github_url.rstrip("/")), request, number)


class Runs:
    """Asks GitHub with the continuation's own credential; nothing is started or changed."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._credentials, self._clock = ports.credentials, ports.clock
        self._calls = Calls(settings.github_url, Transport())

    def insist(self, c: Continuation, request: PipelineRequest, number: int) -> None:
        """That it is a run of the request's workflow, and may be this request's.

        No run shows its inputs: only the mark in its name tells it from others, where the request
        has one. Raises NotIts and Unknown.
        """
        run = self._read(request, number)
        what = f"run {number} of {bounded(name_of(request))}"
        path = str(run.get("path", "")).partition("@")[0]
        if path.rpartition("/")[2] != request.pipeline:
            raise NotIts(f"{what} is one of {bounded(path, 100)}, not of {request.pipeline}")
        if run.get("event") != DISPATCH:
            raise NotIts(f"{what} was started by {bounded(str(run.get('event')), 50)}")
        at = parse_time(run.get("created_at"))
        if at and c.asked_at and at < queued_since(c):
            asked = f"asked for at {c.asked_at:%Y-%m-%d %H:%M} UTC"
            raise NotIts(f"{what} was made at {at:%Y-%m-%d %H:%M} UTC, and this one {asked}")
        title = str(run.get("display_title", ""))
        if request.mark and request.mark not in marks.shown(title):
            said = f"{what} is called {bounded(title, 100)}, which does not show {request.mark}"
            how = "" if marks.of_others(title, request.body) else "; if you know it: --unchecked"
            raise NotIts(f"{said}, as the name of the one that was asked for would{how}")

    def _read(self, request: PipelineRequest, number: int) -> dict[str, Any]:
        url = f"{self._calls.repository(request)}/actions/runs/{number}"
        deadline = Deadline(self._clock, SECONDS)
        try:
            credential = self._credentials.read(request.sender, deadline)
            answer = self._calls.read(url, credential, deadline)
        except Retryable as error:
            raise Unknown(error.detail) from None
        if answer is None:
            raise NotIts(f"there is no run {number}, or the credential may not see it")
        run = answer.json
        if not isinstance(run, dict) or run.get("id") != number:
            raise Unknown(f"what GitHub answered for run {number} is not about it")
        return run
