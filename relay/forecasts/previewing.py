"""Asks Azure DevOps whether it would run a request as asked. Nothing is queued by it.

The address that is asked can only preview, whatever the body says: the one that runs pipelines
is never called.
https://learn.microsoft.com/rest/api/azure/devops/pipelines/preview/preview
https://learn.microsoft.com/rest/api/azure/devops/pipelines/pipelines/get
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.devops.answers import has_id, told, verdict
from functions.adapters.devops.calls import pipeline_url
from functions.adapters.devops.origin import is_own, words
from functions.core.terms.errors import InDoubt, Permanent
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from relay.forecasts.calls import Calls

if TYPE_CHECKING:
    from functions.core.terms.deadline import Clock
    from functions.core.terms.pipelines import Credential, PipelineRequest

_BAD_REQUEST, _NOT_FOUND = 400, 404


class Previews:
    """Previews of the pipelines below one base URL, in the REST version that it speaks."""

    def __init__(self, url: str, version: str, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._calls = Calls(version, clock)

    def ask(self, request: PipelineRequest, credential: Credential) -> str:
        """The pipeline's name, if it would run with this branch, version and these parameters.

        Raises Permanent (rejected) with the service's words where it would not, or where there is
        no such pipeline; Retryable where the credential is refused, the service asks to slow down
        or there is no connection; InDoubt where there is no usable answer.
        """
        pipeline = pipeline_url(self._url, request)
        name = self._name(pipeline, request, credential)  # asked first: without one it is a 500
        body = {**json.loads(request.body), "previewRun": True}
        answer = self._calls.answer(f"{pipeline}/preview", credential, _version(request), body)
        if answer.status == _BAD_REQUEST and is_own(answer):  # whatever passes by itself: not now
            raise Permanent(Reason.REJECTED, told(answer))
        if refusal := verdict(answer, needs_id=False):
            raise refusal
        if not isinstance(answer.json, dict) or not isinstance(answer.json.get("finalYaml"), str):
            raise InDoubt(Reason.IN_DOUBT, "Azure DevOps answered 200 without a preview")
        return name

    def _name(self, pipeline: str, request: PipelineRequest, credential: Credential) -> str:
        answer = self._calls.answer(pipeline, credential, {}, None)
        if answer.status == _NOT_FOUND:
            why = f"there is no pipeline {request.where}, or the token may not see it"
            raise Permanent(Reason.REJECTED, f"{why}: {words(answer)}")
        if refusal := verdict(answer, needs_id=False):
            raise refusal
        if not has_id(answer.json):
            raise InDoubt(Reason.IN_DOUBT, "Azure DevOps answered 200 without a pipeline")
        return bounded(answer.json.get("name") or "", 100)


def run_url(url: str, version: str, request: PipelineRequest) -> str:
    """Where the request to run the pipeline is posted."""
    query = {"api-version": version, **_version(request)}
    return f"{pipeline_url(url.rstrip('/'), request)}/runs?" + "&".join(
        f"{n}={v}" for n, v in query.items()
    )


def _version(request: PipelineRequest) -> dict[str, str]:
    version = request.pipeline_version
    return {"pipelineVersion": str(version)} if version else {}
