"""The accepted tokens and apps of the local GitHub, and who a request is by."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from local.github.access import jwts
from local.github.access.apps import App, Installation
from local.github.access.callers import Caller
from local.github.access.seen import Seen, parts
from local.github.errors import Refusal, bad_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

WRITES = {"metadata": "read", "actions": "write", "contents": "read"}


class Accounts:
    """Tokens, apps and their installations. Safe for threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.seen = Seen()
        self._clock = clock
        self._callers: dict[str, Caller] = {}
        self._apps: list[App] = []
        self._installations: list[Installation] = []
        self._lock = threading.Lock()

    def accept(
        self,
        token: str,
        *,
        repositories: Iterable[str] | None = None,
        permissions: Mapping[str, str] | None = None,
        login: str = "octo-user",
        expires_at: datetime | None = None,
    ) -> None:
        """Let this token in from now on: `github_pat_…` is fine-grained, others are classic.

        `repositories` are full names, None stands for all; without `permissions` it may start
        workflows and read files. A classic one that has none (`{}`) is without the scope `repo`.
        """
        names = None if repositories is None else frozenset(n.lower() for n in repositories)
        with self._lock:
            self._callers[token] = Caller(
                kind="fine-grained" if token.startswith("github_pat_") else "classic",
                name=f"user ID {1000 + len(self._callers)}",
                login=login,
                repositories=names,
                permissions=WRITES if permissions is None else permissions,
                expires_at=expires_at,
            )

    def refuse(self, token: str) -> None:
        """Let it in no more, as one that was taken back."""
        with self._lock:
            self._callers.pop(token, None)

    def add_app(
        self,
        public_key: str,
        *,
        owner: str = "contoso",
        slug: str = "run-relay",
        permissions: Mapping[str, str] | None = None,
    ) -> App:
        """Know an app by the public half of its key (PEM)."""
        with self._lock:
            number = 900_001 + len(self._apps)
            granted = WRITES if permissions is None else permissions
            app = App(number, f"Iv23li{number:014d}", slug, owner, public_key, granted)
            self._apps.append(app)
            return app

    def rekey(self, app: App, public_key: str) -> App:
        """Know an app by another key from now on; the tokens that it has stay good."""
        changed = replace(app, public_key=public_key)
        with self._lock:
            self._apps = [changed if one == app else one for one in self._apps]
            for one in self._installations:
                one.app = changed if one.app == app else one.app
        return changed

    def install(
        self,
        app: App,
        account: str,
        repositories: Iterable[str] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> Installation:
        """Install an app; `repositories` without the owner, None stands for all of them."""
        names = None if repositories is None else frozenset(repositories)
        granted = app.permissions if permissions is None else permissions
        with self._lock:
            number = 70_000_001 + len(self._installations)
            made = Installation(number, app, account, names, granted, self._clock())
            self._installations.append(made)
            return made

    def suspend(self, installation: Installation) -> None:
        """Suspend it: no token is given, and those that were given are refused."""
        installation.suspended_at = self._clock()
        with self._lock:
            name = f"installation ID {installation.id}"
            self._callers = {t: c for t, c in self._callers.items() if c.name != name}

    def uninstall(self, installation: Installation) -> None:
        """Take an app away from where it was installed."""
        self.suspend(installation)
        with self._lock:
            self._installations.remove(installation)

    def installations(self, app: App) -> list[Installation]:
        """Where an app is installed."""
        with self._lock:
            return [one for one in self._installations if one.app == app]

    def give(self, caller: Caller) -> str:
        """A new token for an installation."""
        token = f"ghs_{secrets.token_hex(18)}"
        with self._lock:
            self._callers[token] = caller
        return token

    def app(self, authorization: str) -> App:
        """The app that signed a request. Raises a Refusal, where it came with a token too."""
        token = _token(authorization)
        try:
            return jwts.app_of(token, self._found, self._clock().timestamp())
        except Refusal:
            self.seen.refuse(authorization)
            raise

    def caller(self, authorization: str) -> Caller:
        """Who calls with this Authorization header. Raises a 401 Refusal."""
        if not authorization:
            return Caller()
        for token in _tokens(authorization):
            with self._lock:
                known = self._callers.get(token)
            if known and not (known.expires_at and known.expires_at <= self._clock()):
                return known
        self.seen.refuse(authorization)
        raise bad_credentials()

    def _found(self, issuer: str) -> App | None:
        with self._lock:
            return next((a for a in self._apps if issuer in {str(a.id), a.client_id}), None)


def _token(authorization: str) -> str:
    """The token behind `Bearer`; `token` is for no JWT."""
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _tokens(authorization: str) -> list[str]:
    """What may be a token: behind `Bearer` or `token`, or the password or name of `Basic`."""
    scheme = authorization.partition(" ")[0].lower()
    return parts(authorization) if scheme in {"bearer", "token", "basic"} else []
