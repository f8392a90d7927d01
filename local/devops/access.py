"""Who may call the local Azure DevOps: accepted credentials, the ways to refuse one, limits."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from flask import Response, jsonify, request

from local.devops.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Scope = Literal["read", "execute"]
Shape = Literal["203", "302", "401-html", "401-json", "401-empty"]

_EXPIRED = "Access Denied: The Personal Access Token used has expired."
_SIGN_IN = "<!DOCTYPE html><html><title>Azure DevOps Services | Sign In</title></html>"
_NOBODY = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


class Keys:
    """The accepted PATs and Entra tokens, and how each refused PAT is answered.

    A PAT comes as `Basic base64(":" + PAT)`, an Entra token as `Bearer`. A credential nobody
    named is answered like an invalid PAT: 302 to the sign-in page, or 401 where the request
    says `X-TFS-FedAuthRedirect: Suppress`.
    https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/authentication-guidance
    """

    def __init__(
        self, pats: Mapping[str, Scope] | Iterable[str], bearer: Callable[[str], bool]
    ) -> None:
        self._scopes: dict[str, Scope] = {}
        for pat in pats:
            self._scopes[pat] = pats[pat] if isinstance(pats, Mapping) else "execute"
        self._bearer = bearer
        self._shapes: dict[str, Shape] = {}
        self._global: set[str] = set()

    def accept(self, pat: str, scope: Scope = "execute") -> None:
        """Let this PAT in from now on; "read" may look, "execute" may also queue and tag."""
        self._shapes.pop(pat, None)
        self._scopes[pat] = scope

    def accept_everywhere(self, pat: str) -> None:
        """Let this PAT in as one for all organizations; the hosts above them know no other."""
        self.accept(pat)
        self._global.add(pat)

    def is_global(self, authorization: str) -> bool:
        """Whether this Authorization header is good beyond one organization."""
        return _pat(authorization.partition(" ")[2]) in self._global

    def refuse(self, pat: str, shape: Shape = "401-html") -> None:
        """Refuse this PAT from now on, in one of the shapes seen from the service."""
        self._shapes[pat] = shape

    def scope(self, authorization: str) -> Scope | Shape:
        """What this Authorization header may do, or the shape of its refusal."""
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "bearer" and self._bearer(value):
            return "execute"
        pat = _pat(value) if kind.lower() == "basic" else ""
        if pat in self._shapes:
            return self._shapes[pat]
        return self._scopes.get(pat, "302")


def refused(shape: Shape) -> Response:
    """The answer to a bad credential, in this shape."""
    if shape == "302" and request.headers.get("X-TFS-FedAuthRedirect") == "Suppress":
        shape = "401-html"
    answer = _SHAPES[shape]()
    if answer.status_code == 401:  # noqa: PLR2004 - the HTTP status
        answer.headers["WWW-Authenticate"] = f'Basic realm="{request.host_url}"'
    return answer


def _page() -> Response:
    return Response(_SIGN_IN, 203, mimetype="text/html")


def _redirect() -> Response:
    # The real page is on another host; this one stays on loopback, and following the redirect
    # ends as it does there: 200 with HTML.
    target = f"{request.host_url}_signin?realm=dev.azure.com&reply_to={quote(request.url, safe='')}"
    return Response(_SIGN_IN, 302, {"Location": target}, mimetype="text/html")


def _html() -> Response:
    headers = {"X-TFS-ServiceError": quote(_EXPIRED)}
    return Response(f"<html><body>{_EXPIRED}</body></html>", 401, headers, mimetype="text/html")


def _json() -> Response:
    message = f"TF400813: The user '{_NOBODY}' is not authorized to access this resource."
    answer = jsonify(Refusal(401, "UnauthorizedRequestException", message).wire())
    answer.status_code = 401
    return answer


def _empty() -> Response:
    return Response(b"", 401)


_SHAPES: dict[Shape, Callable[[], Response]] = {
    "203": _page,
    "302": _redirect,
    "401-html": _html,
    "401-json": _json,
    "401-empty": _empty,
}


def _pat(encoded: str) -> str:
    """The PAT in a Basic credential: all after the first colon."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


@dataclass(frozen=True)
class _Limit:
    method: str
    retry_after: int
    delay: float | None


class Limits:
    """Rate limits on demand: the next requests are refused with 429, or answered late.

    https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
    """

    def __init__(self) -> None:
        self._pending: list[_Limit] = []
        self._lock = threading.Lock()

    def throttle(self, times: int, retry_after: int, method: str = "*") -> None:
        """Answer the next `times` requests with 429; nothing is done for them."""
        self._add(times, _Limit(method, retry_after, None))

    def delay(self, times: int, seconds: float, retry_after: int, method: str = "*") -> None:
        """Answer the next `times` requests rightly but late, with Retry-After."""
        self._add(times, _Limit(method, retry_after, seconds))

    def clear(self) -> None:
        """Limit nothing any more."""
        with self._lock:
            self._pending.clear()

    def apply(self, method: str) -> dict[str, str]:
        """Wait or raise a 429 Refusal if it is time; else the headers the answer carries."""
        limit = self._take(method)
        if limit is None:
            return {}
        headers = _headers(limit)
        if limit.delay is None:
            raise Blocked(headers)
        time.sleep(limit.delay)
        return headers

    def _add(self, times: int, limit: _Limit) -> None:
        with self._lock:
            self._pending += [limit] * times

    def _take(self, method: str) -> _Limit | None:
        with self._lock:
            for limit in self._pending:
                if limit.method in {"*", method}:
                    self._pending.remove(limit)
                    return limit
        return None


class Blocked(Refusal):
    """429 with the headers that say how long to wait."""

    def __init__(self, headers: dict[str, str]) -> None:
        message = (
            "TF400733: The request has been canceled: Request was blocked due to exceeding usage "
            "of resource 'Concurrency' in namespace 'User'."
        )
        super().__init__(429, "RequestBlockedException", message)
        self.headers = headers


def _headers(limit: _Limit) -> dict[str, str]:
    return {
        "Retry-After": str(limit.retry_after),
        "X-RateLimit-Resource": "Azure DevOps/User",
        "X-RateLimit-Delay": f"{limit.delay or 0:.3f}",
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + limit.retry_after),
    }
