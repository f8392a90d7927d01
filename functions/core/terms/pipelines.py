"""Pipelines that are asked for, and their runs: of Azure DevOps, or workflows of GitHub Actions."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads it to decode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from functions.core.terms.words import Ending  # noqa: TC001 - msgspec reads it to decode
from functions.core.texts import jsontext
from functions.core.texts.bounds import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping


GITHUB: Final = "github:"
"""Before an owner's name: no organization of Azure DevOps has a colon, so the two are never one."""

_PAGE: Final = "/actions/runs/"


def is_github(organization: str) -> bool:
    """Whether it is an owner of repositories at GitHub."""
    return organization.startswith(GITHUB)


def service(organization: str) -> str:
    """The name of the service that has it."""
    return "GitHub" if is_github(organization) else "Azure DevOps"


def service_told(organization: str, detail: str, url: str = "") -> str:
    """The service that this is about; where no organization is known, its run's page tells it.

    Else who answered, and that is named first: Azure DevOps tells of files that lie at GitHub.
    """
    if organization or url:
        return service(organization or (GITHUB if _PAGE in url else ""))
    names = [name for name in (service(GITHUB), service("")) if name in detail]
    return min(names, key=detail.index, default=service(""))


class Sender(NamedTuple):
    """By whom pipelines of an organization are started: with the secret of this name.

    A secret is for one service, and is never sent to the other.
    """

    organization: str
    secret: str


class Credential(Struct, frozen=True, kw_only=True):
    """What authorizes a call to a service: a header's value that is never printed.

    `renews`: it is replaced in time without anybody's doing. `login`: who its runs are by, if that
    is known.
    """

    authorization: str
    version: str
    expires_at: datetime | None = None
    renews: bool = False
    login: str = ""

    def has_expired(self, now: datetime) -> bool:
        """Whether it is of no use any more."""
        return self.expires_at is not None and self.expires_at <= now

    def __repr__(self) -> str:
        return f"Credential(version={self.version!r})"


class Project(Struct, frozen=True):
    """A project of an organization, or a repository of an owner."""

    organization: str
    project: str


class PipelineRequest(Struct, frozen=True, kw_only=True):
    """One exact request to run a pipeline. `body` is the JSON text that is sent, byte for byte.

    A workflow of GitHub is the `pipeline` that its file's name is; `organization` and `project` are
    its owner, as `GITHUB` marks it, and its repository. Versions that know no such pipeline cannot
    read the row, and so send nothing of it to anybody.

    `distinct` tells whether a build that matches can only be this request's; it was worked out
    from the routes of the day, so that later routes do not change what is adopted. `mark`: what the
    name of its run shows, and no other's. `by`: the version of the secret that it was sent with,
    whenever it was sent; "" where there were several.
    """

    organization: str
    project: str
    pipeline: int | str
    secret: str
    body: str
    pipeline_version: int | None = None
    distinct: bool = False
    mark: str = ""
    by: str = ""

    @property
    def where(self) -> str:
        """Its pipeline, as people see it."""
        return f"{self.organization}/{self.project}/{self.pipeline}"

    @property
    def sender(self) -> Sender:
        """Whose credential it is sent with."""
        return Sender(self.organization, self.secret)

    def sent_by(self, version: str, before: PipelineRequest | None) -> PipelineRequest:
        """As it is sent with this version of its secret, and was `before`, if it was."""
        is_one = before is None or before.by == version
        return replace(self, by=version if is_one else "")

    @property
    def service(self) -> str:
        """The name of the service that it is sent to."""
        return service(self.organization)

    def named(self, said: str) -> str:
        """A detail that tells the service, which it is to be where that is not Azure DevOps."""
        is_told = not is_github(self.organization) or self.service in said
        return said if is_told or not said else f"{self.service}: {said}"

    @property
    def shown(self) -> Any:  # noqa: ANN401 - JSON
        """Its body as anybody may see it, secret variables hidden; None where it is no request."""
        try:
            body = jsontext.read(self.body)
            for variable in body.get("variables", {}).values():
                variable["value"] = HIDDEN if variable.get("isSecret") else variable["value"]
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return body


class PipelineRun(Struct, frozen=True, kw_only=True):
    """A pipeline run that exists at the service.

    `retry_after`: the service asked to slow down; `note`: what is not as it was asked for.
    """

    id: int
    url: str = ""
    retry_after: float | None = None
    note: str = ""


class PipelineEnd(Struct, frozen=True, kw_only=True):
    """How a pipeline run ended, when (UTC), and what else is to be said of it.

    `run`: which one it was, where it is not the first of several.
    """

    how: Ending = field(name="as")
    at: datetime
    detail: str = ""
    run: int | None = None


class RunsSeen(Struct, frozen=True, kw_only=True):
    """What a look at some pipeline runs showed, by id: an end, or None of one that goes on.

    What is missing was not there, unless it is `untold`, which could not be looked at, or
    `unasked`, since others could not be; or `withheld`, with what the service said of it. `names`:
    what the runs are called, where that shows marks.
    `retry_after`: the service asked to slow down, for so many seconds; `scarce`: more than half of
    what the account may ask is used up.
    """

    runs: Mapping[int, PipelineEnd | None]
    untold: frozenset[int] = frozenset()
    unasked: frozenset[int] = frozenset()
    withheld: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    retry_after: float | None = None
    scarce: bool = False
