"""Azure DevOps and GitHub behind the same ports: each request goes to the service that it is for.

A credential is read for its service, and so never reaches the other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from functions.core.terms.pipelines import is_github

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from functions.core.ports.services import Credentials, Pipelines
    from functions.core.terms.deadline import Deadline
    from functions.core.terms.pipelines import (
        Credential,
        PipelineRequest,
        PipelineRun,
        Project,
        RunsSeen,
        Sender,
    )


class Named(Protocol):
    """Credentials of Azure DevOps, each by the name of its secret."""

    def begin(self, name: str, deadline: Deadline) -> None:
        """Begin to read it."""

    def read(self, name: str, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """Read it; raises Retryable (secret_unreadable)."""


class CredentialsByService:
    """The port `Credentials`."""

    def __init__(self, devops: Named, github: Credentials) -> None:
        self._devops, self._github = devops, github

    def begin(self, sender: Sender, deadline: Deadline) -> None:
        """Begin to read what the sender's service takes."""
        if is_github(sender.organization):
            return self._github.begin(sender, deadline)
        return self._devops.begin(sender.secret, deadline)

    def read(self, sender: Sender, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """What the sender's service takes; raises Retryable (secret_unreadable)."""
        if is_github(sender.organization):
            return self._github.read(sender, deadline, fresh=fresh)
        return self._devops.read(sender.secret, deadline, fresh=fresh)


class PipelinesByService:
    """The port `Pipelines`."""

    def __init__(self, devops: Pipelines, github: Pipelines) -> None:
        self._devops, self._github = devops, github

    def start(
        self, request: PipelineRequest, credential: Credential, deadline: Deadline
    ) -> PipelineRun:
        """Send the request once."""
        return self._of(request).start(request, credential, deadline)

    def find(
        self,
        request: PipelineRequest,
        credential: Credential,
        queued: tuple[datetime, datetime],
        deadline: Deadline,
    ) -> Iterator[PipelineRun]:
        """The runs that may be the request's."""
        return self._of(request).find(request, credential, queued, deadline)

    def ends(
        self,
        where: Project,
        runs: Mapping[int, int | str],
        credential: Credential,
        deadline: Deadline,
    ) -> RunsSeen:
        """What became of these runs."""
        return self._of(where).ends(where, runs, credential, deadline)

    def tag(self, request: PipelineRequest, run: int, tag: str, credential: Credential) -> None:
        """Add a tag to the request's run, where it can have any."""
        self._of(request).tag(request, run, tag, credential)

    def _of(self, what: PipelineRequest | Project) -> Pipelines:
        return self._github if is_github(what.organization) else self._devops
