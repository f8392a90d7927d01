"""Callers: what a credential is, which repositories it sees and what it may do there.

https://docs.github.com/rest/authentication/permissions-required-for-github-apps
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Literal

from local.github.errors import Refusal, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.github.repositories import Repository

Kind = Literal["anonymous", "classic", "fine-grained", "installation", "app"]
Level = Literal["read", "write", "admin"]

_LEVELS = ("read", "write", "admin")
_SAID: dict[Kind, str] = {
    "classic": "Must have admin rights to Repository.",
    "fine-grained": "Resource not accessible by personal access token",
    "installation": "Resource not accessible by integration",
    "app": "Resource not accessible by integration",
}


@dataclass(frozen=True)
class Caller:
    """Somebody who was let in.

    `repositories` are full names in lower case, None stands for all. `name` is how a rate limit
    calls it, `login` who its runs are by. A classic token with the scope `repo` may do all that
    its user may; without it, and whoever has no token, reads what is public.
    """

    kind: Kind = "anonymous"
    name: str = ""
    login: str = "octo-user"
    repositories: frozenset[str] | None = frozenset()
    permissions: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None

    def see(self, repository: Repository) -> None:
        """Raise the 404 Refusal of a repository that this credential does not reach."""
        if repository.private and not self._reaches(repository):
            raise not_found()

    def need(self, repository: Repository, permission: str, level: Level) -> None:
        """Raise a Refusal unless it may do this in a repository that it sees."""
        self.see(repository)
        if not repository.private and level == "read":
            return
        if self.kind == "anonymous":
            raise Refusal(401, "Requires authentication")
        if not self._reaches(repository) or not _covers(self.permissions.get(permission), level):
            accepted = {"X-Accepted-GitHub-Permissions": f"{permission}={level}"}
            raise Refusal(403, _SAID[self.kind], headers=accepted)

    def _reaches(self, repository: Repository) -> bool:
        if self.kind == "classic" and not self.permissions:
            return False
        return self.repositories is None or repository.full_name.lower() in self.repositories


def _covers(granted: str | None, level: Level) -> bool:
    return granted in _LEVELS and _LEVELS.index(granted) >= _LEVELS.index(level)


def covers(granted: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    """Whether permissions as asked for are within those that were granted."""
    return all(
        level in _LEVELS and _covers(granted.get(name), level)  # type: ignore[arg-type]
        for name, level in asked.items()
    )
