"""What every request passes on its way in and out: credential, limits, version, errors."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast, get_args

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from local.devops.access import Blocked, Shape, refused
from local.devops.discovery import PROFILE
from local.devops.errors import Refusal
from local.devops.versions import require_version

if TYPE_CHECKING:
    from flask import Flask

    from local.devops.state import DevOpsState

_OPEN = ("/_local/", "/_signin")
_OLD = "/_apis/distributedtask/"
_PREVIEW_ONLY = ("/_apis/connectionData", "/_apis/ResourceAreas")


def install(app: Flask, state: DevOpsState) -> None:
    """Guard this app; what is to see refused requests too registers itself before."""
    app.before_request(lambda: _enter(state))
    app.after_request(_leave)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(HTTPException, _not_served)
    app.add_url_rule("/_signin", "sign_in", lambda: Response("Sign in", mimetype="text/html"))


def _enter(state: DevOpsState) -> Response | None:
    """What comes before every operation: the credential, the limits, the version."""
    if request.path.startswith(_OPEN):
        return None
    organization = request.path.split("/")[1].lower()
    g.held = state.jobs.holding(request.authorization)
    allowed = (
        g.held.allowed(organization)
        if g.held
        else state.keys.scope(request.headers.get("Authorization", ""))
    )
    if allowed in get_args(Shape):
        return refused(cast("Shape", allowed))
    if request.path.startswith(PROFILE):
        known = state.keys.is_global(request.headers.get("Authorization", ""))
        return None if known else refused("401-empty")
    g.scope = allowed
    g.limit_headers = state.limits.apply(request.method)
    if organization not in state.catalogue.organizations():
        return Response("<html>The resource cannot be found.</html>", 404, mimetype="text/html")
    version, accept = request.args.get("api-version"), request.headers.get("Accept", "")
    preview_only = any(part in request.path for part in _PREVIEW_ONLY)
    old = _OLD in request.path
    require_version(request.method, version, accept, preview_only=preview_only, old=old)
    return None


def _leave(answer: Response) -> Response:
    answer.headers.update(g.get("limit_headers", {}))
    answer.headers["ActivityId"] = str(uuid.uuid4())
    return answer


def _refusal(error: Refusal) -> Response:
    answer = jsonify(error.wire())
    answer.status_code = error.status
    if isinstance(error, Blocked):
        answer.headers.update(error.headers)
    return answer


def _not_served(error: HTTPException) -> Response:
    return _refusal(Refusal(error.code or 500, "HttpException", error.description or error.name))
