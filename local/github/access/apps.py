"""GitHub Apps, where they are installed, and the tokens that an installation gets.

https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.github.access.callers import Caller, covers
from local.github.errors import DOCS, Refusal, unprocessable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

TOKEN_LIFE = 3600  # seconds


@dataclass(frozen=True)
class App:
    """An app as GitHub knows it: of its key only the public half, as PEM."""

    id: int
    client_id: str
    slug: str
    owner: str
    public_key: str
    permissions: Mapping[str, str]


@dataclass
class Installation:
    """Where an app may act. `repositories` without the owner; None stands for all of its own."""

    id: int
    app: App
    account: str
    repositories: frozenset[str] | None
    permissions: Mapping[str, str]
    created_at: datetime
    suspended_at: datetime | None = None

    def covers(self, owner: str, name: str) -> bool:
        """Whether it has this repository, in any case."""
        if owner.lower() != self.account.lower():
            return False
        return self.repositories is None or name.lower() in _lower(self.repositories)


@dataclass(frozen=True)
class Asked:
    """The body of a token request; None stands for all that the installation has."""

    repositories: list[str] | None = None
    permissions: dict[str, str] = field(default_factory=dict)


def caller_for(
    installation: Installation, asked: Asked, existing: Collection[str], expires_at: datetime
) -> Caller:
    """Who calls with the token that was asked for; `existing` are the owner's repositories.

    Raises a Refusal for what the installation does not have.
    """
    if installation.suspended_at:
        raise Refusal(403, "This installation has been suspended", documentation=DOCS)
    mine = installation.repositories
    there = _lower(existing) if mine is None else _lower(existing) & _lower(mine)
    if asked.repositories is not None and not _lower(asked.repositories) <= there:
        raise unprocessable(
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation."
        )
    if not covers(installation.permissions, asked.permissions):
        raise unprocessable("The permissions requested are not granted to this installation.")
    named = there if asked.repositories is None else _lower(asked.repositories)
    return Caller(
        kind="installation",
        name=f"installation ID {installation.id}",
        login=f"{installation.app.slug}[bot]",
        repositories=frozenset(f"{installation.account.lower()}/{name}" for name in named),
        permissions={"metadata": "read", **(asked.permissions or installation.permissions)},
        expires_at=expires_at,
    )


def _lower(names: Collection[str]) -> set[str]:
    return {name.lower() for name in names}
