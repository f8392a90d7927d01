"""Whether a build of Azure DevOps is the one that a continuation asked for.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/get?view=azure-devops-rest-7.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.devops import matching
from functions.adapters.devops.answers import has_id, told, verdict
from functions.adapters.devops.builds import is_of_a_trigger, is_of_another
from functions.adapters.devops.calls import project_url
from functions.adapters.devops.origin import is_own
from functions.core.starts.whose import queued_since
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time
from relay.continuations.naming.refusals import NotIts, Unknown
from relay.forecasts.calls import Calls

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.ports.services import Ports
    from functions.core.terms.pipelines import PipelineRequest

SECRET_SECONDS = 30.0
_NOT_FOUND = 404


def page(settings: Settings, request: PipelineRequest, number: int) -> str:
    """Where people look at a build of the request's project."""
    return f"{_project(settings, request)}/_build/results?buildId={number}"


class Builds:
    """Asks Azure DevOps with the continuation's own credential; nothing is queued or changed."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._credentials, self._clock = ports.credentials, ports.clock
        self._settings = settings
        self._calls = Calls(settings.devops_version, ports.clock)

    def insist(self, c: Continuation, request: PipelineRequest, number: int) -> None:
        """That the build is a run of the request's pipeline, and may be this request's.

        Its parameters are compared where it shows any. Raises NotIts and Unknown.
        """
        build = self._read(request, "build/builds", number)
        what = f"build {number} of {bounded(request.organization)}/{bounded(request.project)}"
        if is_of_another(request, build.get("definition")):
            raise NotIts(f"{what} is a run of {_pipeline(build)}, not of {request.pipeline}")
        if is_of_a_trigger(build):
            raise NotIts(f"{what} was queued by {bounded(build.get('reason'), 50)}")
        at = parse_time(build.get("queueTime"))
        if at and c.asked_at and at < queued_since(c):
            asked = f"asked for at {c.asked_at:%Y-%m-%d %H:%M} UTC"
            raise NotIts(f"{what} was queued at {at:%Y-%m-%d %H:%M} UTC, and this one {asked}")
        if other := matching.unlike(request, self._with_parameters(request, build, number)):
            raise NotIts(f"{what} was queued with other values: {other}")

    def _with_parameters(
        self, request: PipelineRequest, build: dict[str, Any], number: int
    ) -> dict[str, Any]:
        """The build; with its parameters as the pipeline run shows them, where it has none.

        Only there does an empty set say that it was queued without any. Raises NotIts for that.
        """
        if build.get("templateParameters") or not matching.asks_parameters(request):
            return build
        try:
            run = self._read(request, f"pipelines/{request.pipeline}/runs", number)
        except (NotIts, Unknown):
            return build  # which shows nothing that could be compared
        found = run.get("templateParameters")
        if found == {}:
            raise NotIts(f"build {number} was queued without parameters")
        return {**build, "templateParameters": found}

    def _read(self, request: PipelineRequest, where: str, number: int) -> dict[str, Any]:
        url = f"{_project(self._settings, request)}/_apis/{where}/{number}"
        deadline = Deadline(self._clock, SECRET_SECONDS)
        try:
            credential = self._credentials.read(request.sender, deadline)
            answer = self._calls.answer(url, credential, {}, None)
        except Retryable as error:
            raise Unknown(error.detail) from None
        if answer.status == _NOT_FOUND and is_own(answer):
            raise NotIts(f"there is no build {number}, or the token may not see it; {told(answer)}")
        if refusal := verdict(answer, needs_id=False):
            raise Unknown(getattr(refusal, "detail", str(refusal)))
        if not has_id(answer.json) or answer.json["id"] != number:
            raise Unknown(f"what Azure DevOps answered for build {number} is not about it")
        return dict(answer.json)


def _project(settings: Settings, request: PipelineRequest) -> str:
    return project_url(settings.devops_url.rstrip("/"), request)


def _pipeline(build: dict[str, Any]) -> str:
    found = build.get("definition")
    known = found if isinstance(found, dict) else {}
    return f"pipeline {known.get('id')} ({bounded(known.get('name') or 'without a name', 100)})"
