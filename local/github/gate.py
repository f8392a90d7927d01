"""What every request passes on its way in and out.

User-Agent, API version, credential, limits, Accept and, on the way out, the headers and errors.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from local.github.errors import DOCS, Refusal

if TYPE_CHECKING:
    from flask import Flask

    from local.github.state import GitHubState

VERSIONS = ("2022-11-28", "2026-03-10")  # the first is meant where none is named
RAW = "application/vnd.github.raw+json"

_NO_AGENT = (
    "\r\nRequest forbidden by administrative rules. Please make sure your request has a "
    "User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api"
    "#user-agent-required). Check https://developer.github.com for other possible causes.\r\n"
)
_TAKEN = re.compile(
    r"\*/\*|application/(\*|json|vnd\.github(\.v3)?(\.(raw|html|object|text|full))?\+json"
    r"|vnd\.github(\.v3)?(\.raw)?|vnd\.github\.[\w-]+-preview(\.\w+)?\+json)"
)
_FOR_APPS = re.compile(r"/app(/.*)?|(/repos/[^/]+/[^/]+|/repositories/\d+)/installation")


def install(app: Flask, state: GitHubState, versions: tuple[str, ...]) -> None:
    """Guard this app; what is to see refused requests too registers itself before."""
    app.before_request(lambda: _enter(state, versions))
    app.after_request(_leave)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(HTTPException, _not_served)


def _enter(state: GitHubState, versions: tuple[str, ...]) -> Response | None:
    """What comes before every operation."""
    if request.path.startswith("/_local/"):
        return None
    g.told, g.operation = {}, DOCS
    authorization = request.headers.get("Authorization", "")
    if authorization:
        state.seen.note(authorization)
    if not request.headers.get("User-Agent"):
        return Response(_NO_AGENT, 403, mimetype="text/html")
    g.version = request.headers.get("X-GitHub-Api-Version") or versions[0]
    if g.version not in versions:
        raise Refusal(400, _unsupported(g.version, versions), documentation=f"{DOCS}/versions")
    g.told["X-GitHub-Api-Version-Selected"] = g.version
    g.app = state.accounts.app(authorization) if _is_for_apps(request.path) else None
    g.caller = None if g.app else state.accounts.caller(authorization)
    counted = g.caller.name if g.caller else f"app ID {g.app.id}"
    if request.path == "/rate_limit":
        g.told |= state.limits.headers(counted)
    else:
        g.told |= state.limits.count(counted, request.method)
    _need_acceptable()
    return None


def _is_for_apps(path: str) -> bool:
    """Whether an app itself calls, by its JWT."""
    return bool(_FOR_APPS.fullmatch(path))


def _need_acceptable() -> None:
    """Raise the 415 Refusal for an Accept header that names nothing that is served."""
    named = [part.partition(";")[0].strip() for part in _accept().split(",")]
    if not any(_TAKEN.fullmatch(one.lower()) for one in named):
        said = f"Unsupported 'Accept' header: '{_accept()}'. Must accept 'application/json'."
        raise Refusal(415, said, documentation=DOCS)


def is_raw() -> bool:
    """Whether a file is asked for as it is."""
    return bool(re.search(r"vnd\.github(\.v3)?\.raw", _accept()))


def _accept() -> str:
    return request.headers.get("Accept") or "*/*"


def _unsupported(asked: str, versions: tuple[str, ...]) -> str:
    return (
        f"The version '{asked}' of the API is not supported. "
        f"Supported versions: {', '.join(versions)}."
    )


def _leave(answer: Response) -> Response:
    """Headers of every answer, also of those that refuse."""
    for name, value in g.get("told", {}).items():
        answer.headers.setdefault(name, value)
    if answer.status_code == 204:  # noqa: PLR2004 - the HTTP status
        answer.headers.pop("Content-Type", None)  # which has no content
    answer.headers["X-GitHub-Request-Id"] = secrets.token_hex(16).upper()
    answer.headers.setdefault("X-GitHub-Media-Type", "github.v3; format=json")
    if answer.mimetype == "application/json":
        answer.headers["Content-Type"] = "application/json; charset=utf-8"
    return answer


def _refusal(error: Refusal) -> Response:
    answer = jsonify(error.wire(g.get("operation", DOCS)))
    answer.status_code = error.status
    answer.headers.update(error.headers)
    return answer


def _not_served(error: HTTPException) -> Response:
    """What has no path here is not found; nor is a path by a method that it does not take."""
    if error.code == 500:  # noqa: PLR2004 - the HTTP status
        return _refusal(Refusal(500, "Server Error", documentation=DOCS))
    return _refusal(Refusal(404, "Not Found", documentation=DOCS))
