"""Looks at a workflow with the credential that would start it.

https://docs.github.com/rest/actions/workflows#get-a-workflow
https://docs.github.com/rest/repos/contents#get-repository-content
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from functions.adapters.github.calls import Calls, name_of
from functions.adapters.http.transport import Transport
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.texts.yamltext import NotYaml
from relay.github import comparing, declared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.adapters.http.transport import Answer
    from functions.core.terms.deadline import Clock
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project
    from relay.github.declared import Declared

SECONDS = 30.0
FOLDER = ".github/workflows"


class Seen(NamedTuple):
    """A workflow that is there and active; `declared` is None where its file was not shown."""

    name: str
    declared: Declared | None


class Workflows:
    """The workflows below one base URL of GitHub's REST interface."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._calls, self._clock = Calls(url, Transport()), clock

    def ask(self, request: PipelineRequest, credential: Credential) -> str:
        """What was compared of a request, if nothing is known that GitHub would refuse of it.

        Raises Permanent (rejected) where something is, and what `look` raises.
        """
        seen = self.look(request, credential)
        if seen.declared and (wrong := comparing.refused(request, seen.declared)):
            raise Permanent(Reason.REJECTED, f"{request.where}: {'; '.join(wrong)}")
        return f"{seen.name} is active; {comparing.told(request, seen.declared)}"

    def look(self, request: PipelineRequest, credential: Credential) -> Seen:
        """The workflow, as its ref has it.

        Raises Permanent (rejected) where there is none that could be started, and Retryable where
        GitHub takes no question, or has no usable answer.
        """
        there = self.repository(request, credential)
        where = name_of(request)
        if there is None:
            raise _none(f"there is no repository {where}, or the credential may not see it")
        if _of(there).get("archived") is True:
            raise _none(f"the repository {where} is archived: nothing runs there")
        found = self._read(self._calls.workflow(request), credential)
        if found is None:
            raise _none(f"there is no workflow {request.pipeline} in {where}")
        if (state := _of(found).get("state")) != "active":
            raise _none(f"the workflow {request.where} is {bounded(str(state), 50)}")
        name = bounded(str(_of(found).get("name") or request.pipeline), 100)
        return Seen(name, self._declared(request, credential))

    def repository(self, of: PipelineRequest | Project, credential: Credential) -> Answer | None:
        """GitHub's answer about it, None where it shows none such. Raises Retryable."""
        return self._read(self._calls.repository(of), credential)

    def _declared(self, request: PipelineRequest, credential: Credential) -> Declared | None:
        """What its file says, None where the credential may not read files.

        Both are a 404: a file that is not there, and one that may not be read. The default branch,
        which has the file of every active workflow, tells which of them it is.
        """
        url = f"{self._calls.repository(request)}/contents/{FOLDER}"
        url, ref = f"{url}/{quote(str(request.pipeline), '')}", json.loads(request.body)["ref"]
        try:
            found = self._read(url, credential, {"ref": ref})
            if found is None and self._read(url, credential):
                raise _none(f"there is no {request.where} at {bounded(ref, 100)}")
        except Retryable as error:
            if error.reason is not Reason.REFUSED:
                raise
            return None
        return _decoded(request, _of(found)) if found else None

    def _read(
        self, url: str, credential: Credential, params: Mapping[str, str] | None = None
    ) -> Answer | None:
        return self._calls.read(url, credential, Deadline(self._clock, SECONDS), params)


def _decoded(request: PipelineRequest, file: Mapping[str, Any]) -> Declared | None:
    if file.get("encoding") != "base64":  # of what is larger than a megabyte nothing is told
        return None
    try:
        text = base64.b64decode(str(file.get("content"))).decode("utf-8")
        return declared.read(text)
    except NotYaml as error:
        raise _none(f"the file of {request.where} {error}") from None
    except ValueError:
        raise _none(f"the file of {request.where} is not UTF-8") from None


def _none(why: str) -> Permanent:
    return Permanent(Reason.REJECTED, why)


def _of(answer: Answer) -> Mapping[str, Any]:
    found = answer.json
    return found if isinstance(found, dict) else {}
