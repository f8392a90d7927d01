"""What authorizes calls to GitHub: a token from the vault, or what a GitHub App's key obtains.

https://docs.github.com/rest/authentication/authenticating-to-the-rest-api
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from functions.adapters.http.authorizing import KEY

if TYPE_CHECKING:
    from functions.adapters.github.app_tokens import AppTokens
    from functions.core.terms.deadline import Clock, Deadline
    from functions.core.terms.pipelines import Credential, Sender


class Secrets(Protocol):
    """Secrets by name, as what `to_github` makes of their texts."""

    def begin(self, name: str, deadline: Deadline) -> None:
        """Begin to read it."""

    def read(self, name: str, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """Read it; raises Retryable (secret_unreadable)."""


class GitHubCredentials:
    """Credentials for owners of repositories. `app`: the id of the GitHub App, if there is one.

    `rights`: what its tokens may do, if not what starting takes.
    """

    def __init__(
        self, secrets: Secrets, url: str, app: str, clock: Clock, rights: object = None
    ) -> None:
        self._secrets = secrets
        self._app = (url, app, clock, rights)

    @cached_property
    def _tokens(self) -> AppTokens:
        from functions.adapters.github.app_tokens import AppTokens  # noqa: PLC0415 - of an App
        from functions.adapters.http.transport import Transport  # noqa: PLC0415 - the same

        return AppTokens(Transport(), *self._app)

    def begin(self, sender: Sender, deadline: Deadline) -> None:
        """Begin to read the secret; an App's token is asked for where it is needed."""
        self._secrets.begin(sender.secret, deadline)

    def read(self, sender: Sender, deadline: Deadline, *, fresh: bool = False) -> Credential:
        """The token, or one of the App for this owner. Raises Retryable (secret_unreadable).

        A key that is not taken any more is read once more, as a token that is refused.
        """
        found = self._secrets.read(sender.secret, deadline, fresh=fresh)
        if not found.authorization.startswith(KEY):
            return found
        from functions.adapters.github.app_tokens import KeyRefused  # noqa: PLC0415 - of an App

        try:
            return self._tokens.of(sender, found, deadline, fresh=fresh)
        except KeyRefused:
            newer = found if fresh else self._secrets.read(sender.secret, deadline, fresh=True)
            if newer.version == found.version:
                raise
        is_key = newer.authorization.startswith(KEY)
        return self._tokens.of(sender, newer, deadline) if is_key else newer
