"""What a GitHub App asks for itself, by its JWT, and how much of a limit is left.

https://docs.github.com/rest/apps/apps
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, g, jsonify, request

from local.github.access.apps import TOKEN_LIFE, App, Asked, Installation, caller_for
from local.github.errors import DOCS, Refusal, malformed, not_found
from local.github.routes import STARTS, redirected
from local.github.shown import repositories as shown
from local.github.shown.basics import Urls, user

if TYPE_CHECKING:
    from flask import Flask

    from local.github.state import GitHubState

_APPS = f"{DOCS}/apps/apps"


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """A token request; `repository_ids` are not served here."""

    repositories: list[str] | None = None
    permissions: dict[str, str] = msgspec.field(default_factory=dict)


_BODY = msgspec.json.Decoder(_Body)  # before requests come: functions/core/ledger/decoding.py


class AppRoutes:
    """Every operation of an app."""

    def __init__(self, state: GitHubState, web: str) -> None:
        self._state, self._web = state, web

    def get_app(self) -> Response:
        """Get the authenticated app."""
        g.operation = f"{_APPS}#get-the-authenticated-app"
        installed = len(self._state.accounts.installations(_app()))
        return jsonify(shown.app(self._urls, _app(), installed))

    def get_installation(self, owner: str = "", name: str = "", repository_id: int = 0) -> Response:
        """Get a repository installation for the authenticated app."""
        g.operation = f"{_APPS}#get-a-repository-installation-for-the-authenticated-app"
        known = self._state.repositories
        where = known.by_id(repository_id) if repository_id else known.find(owner, name)
        meant = where or known.formerly(owner, name)
        for one in self._state.accounts.installations(_app()):
            if meant and one.covers(meant.owner, meant.name):
                if where is None:
                    return redirected(self._urls, meant, f"/repos/{owner}/{name}")
                return jsonify(shown.installation(self._urls, one))
        raise not_found()

    def list_installations(self) -> Response:
        """List installations for the authenticated app."""
        g.operation = f"{_APPS}#list-installations-for-the-authenticated-app"
        size = min(request.args.get("per_page", 30, int), 100)
        first = (request.args.get("page", 1, int) - 1) * size
        every = self._state.accounts.installations(_app())[first : first + size]
        return jsonify([shown.installation(self._urls, one) for one in every])

    def create_token(self, installation_id: int) -> Response:
        """Create an installation access token for an app."""
        g.operation = f"{_APPS}#create-an-installation-access-token-for-an-app"
        one = self._installation(installation_id)
        asked = _asked()
        there = self._state.repositories.names_of(one.account)
        ends = self._state.clock() + timedelta(seconds=TOKEN_LIFE)
        caller = caller_for(one, asked, there, ends)
        secret = self._state.accounts.give(caller)
        everywhere = one.repositories is None and asked.repositories is None
        told = shown.token(secret, caller, everywhere=everywhere)
        if asked.repositories is not None:
            found = [self._state.repositories.find(one.account, n) for n in asked.repositories]
            told["repositories"] = [
                shown.plain(self._urls, where, g.version) for where in found if where
            ]
        answer = jsonify(told)
        answer.status_code = 201
        return answer

    def get_user(self) -> Response:
        """Get the authenticated user; an installation is none."""
        g.operation = f"{DOCS}/users/users#get-the-authenticated-user"
        if g.caller.kind in {"anonymous", "installation"}:
            raise Refusal(403, "Resource not accessible by integration")
        return jsonify(user(self._urls, g.caller.login))

    def rate_limit(self) -> Response:
        """Get rate limit status for the authenticated user; it costs nothing."""
        headers = self._state.limits.headers(g.caller.name)
        rate = {
            name: int(headers[f"X-RateLimit-{name.capitalize()}"])
            for name in ("limit", "remaining", "reset", "used")
        }
        resources: dict[str, Any] = {"core": rate, "search": rate}
        old = {} if g.version >= "2026-03-10" else {"rate": rate}
        return jsonify({"resources": resources, **old})

    @property
    def _urls(self) -> Urls:
        return Urls(request.url_root.rstrip("/"), self._web)

    def _installation(self, installation_id: int) -> Installation:
        for one in self._state.accounts.installations(_app()):
            if one.id == installation_id:
                return one
        raise not_found()


def install(app: Flask, state: GitHubState, web: str) -> None:
    """Serve every operation on this app."""
    routes = AppRoutes(state, web)
    rule = app.add_url_rule
    rule("/app", "app", routes.get_app)
    for start, kind in STARTS:
        rule(f"{start}/installation", f"installation {kind}", routes.get_installation)
    rule("/app/installations", "installations", routes.list_installations)
    path = "/app/installations/<int:installation_id>/access_tokens"
    rule(path, "token", routes.create_token, methods=["POST"])
    rule("/user", "user", routes.get_user)
    rule("/rate_limit", "rate_limit", routes.rate_limit)


def _asked() -> Asked:
    """What the token is to be for; a body may be left out."""
    body = request.get_data()
    if not body:
        return Asked()
    try:
        told = _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise malformed(str(error)) from error
    except msgspec.DecodeError as error:
        raise Refusal(400, "Problems parsing JSON") from error
    return Asked(told.repositories, told.permissions)


def _app() -> App:
    app: App = g.app
    return app
