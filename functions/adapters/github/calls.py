"""Requests to GitHub's REST interface, in one version of it.

https://docs.github.com/rest/about-the-rest-api/api-versions
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.adapters.github.answers import (
    MOVED,
    PAUSE,
    is_own,
    is_page,
    pause,
    told,
    unanswered,
    verdict,
)
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import READ_SECONDS, Answer
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.pipelines import GITHUB
from functions.core.terms.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.adapters.http.transport import Transport
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import Credential, PipelineRequest, Project

VERSION = "2022-11-28"  # which servers of the last years speak as well
HEADERS = {
    "Accept": "application/vnd.github+json",
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "run-relay",  # which GitHub wants to be told
    "X-GitHub-Api-Version": VERSION,
}
_HELD_BACK = frozenset({Reason.CREDENTIAL_REFUSED, Reason.THROTTLED})
_SERVICES = "https://api."


class Calls:
    """Calls below one base URL: `https://api.github.com`, or a server's `https://HOST/api/v3`."""

    def __init__(self, url: str, transport: Transport) -> None:
        self._url = url.rstrip("/")
        self._transport = transport

    @property
    def user(self) -> str:
        """The address of whoever asks, if that is a person."""
        return f"{self._url}/user"

    def repository(self, of: PipelineRequest | Project) -> str:
        """The address of the request's repository."""
        return repository_url(self._url, of)

    def workflow(self, of: PipelineRequest) -> str:
        """The address of the request's workflow."""
        return workflow_url(self._url, of)

    def effect(
        self,
        url: str,
        credential: Credential,
        body: str,
        *,
        within: float = READ_SECONDS,
        may_begin: Callable[[], bool] | None = None,
    ) -> Answer:
        """Send once; see `verdict` for what each answer means."""
        try:
            answer = self._transport.effect(
                url,
                credential.authorization,
                headers=HEADERS,
                body=body,
                within=within,
                may_begin=may_begin,
            )
        except (NotSentError, NoAnswerError) as error:
            raise unanswered(error) from None
        if refusal := verdict(answer):
            raise refusal
        return answer

    def read(
        self,
        url: str,
        credential: Credential,
        deadline: Deadline,
        params: Mapping[str, str] | None = None,
    ) -> Answer | None:
        """An answer of GitHub's own that is JSON; None: 404.

        What was renamed is asked where it is now, below the same base URL. Raises Retryable: a
        credential that is not accepted, a limit, `refused` where GitHub says no otherwise,
        `look_failed` for all else.
        """
        answer = self._read(url, credential, deadline, params)
        there = answer.headers.get("Location", "") if answer.status in MOVED else ""
        if there.startswith(f"{self._url}/") and is_own(answer):
            answer = self._read(there, credential, deadline, None if "?" in there else params)
        if answer.status == 200 and is_own(answer) and answer.json is not None:
            return answer
        if answer.status == 404 and is_own(answer):
            return None
        if answer.status == 429 and not is_page(answer):  # whoever says so is heeded: it is a read
            raise Retryable(Reason.THROTTLED, told(answer), pause(answer) or PAUSE)
        refusal = verdict(answer)
        if isinstance(refusal, Retryable) and refusal.reason in _HELD_BACK:
            raise refusal
        if isinstance(refusal, Permanent | Retryable):
            raise Retryable(Reason.REFUSED, refusal.detail, refusal.retry_after)
        raise incomplete(told(answer))

    def _read(
        self,
        url: str,
        credential: Credential,
        deadline: Deadline,
        params: Mapping[str, str] | None,
    ) -> Answer:
        try:
            return self._transport.read(
                url, credential.authorization, deadline, params=params, headers=HEADERS
            )
        except (NotSentError, NoAnswerError) as error:
            raise incomplete(f"GitHub: {error}") from None


def repository_url(url: str, of: PipelineRequest | Project) -> str:
    """The address of the request's repository below a base URL without a slash at its end."""
    return f"{url}/repos/{name_of(of)}"


def workflow_url(url: str, of: PipelineRequest) -> str:
    """The address of the request's workflow, by its file's name, below the same."""
    return f"{repository_url(url, of)}/actions/workflows/{quote(str(of.pipeline), '')}"


def name_of(repository: PipelineRequest | Project) -> str:
    """A repository's name with its owner's, as addresses have it."""
    owner = repository.organization.removeprefix(GITHUB)
    return f"{quote(owner, '')}/{quote(repository.project, '')}"


def pages_of(url: str) -> str:
    """Where people look at what stands below this base URL of the interface."""
    if url.startswith(_SERVICES):
        return f"https://{url.removeprefix(_SERVICES)}"
    return url.removesuffix("/api/v3")


def run_page(pages: str, of: PipelineRequest, run: int) -> str:
    """The page of a run of the request's repository."""
    return f"{pages}/{name_of(of)}/actions/runs/{run}"


def incomplete(why: str) -> Retryable:
    """A look-up that does not show everything."""
    return Retryable(Reason.LOOK_FAILED, f"the look-up was not complete: {why}")
