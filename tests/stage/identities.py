"""An identity endpoint that does not do as it should, and what is told of it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from local.serving.faults import Fault

if TYPE_CHECKING:
    from local.identity import Identity

MANY = 1000
JSON, TEXT, HTML, NONE = "application/json", "text/plain", "text/html", ""
_LATER = '"expires_on": "4102444800"'
ODD = {
    "plain-404": (404, TEXT, "no such page"),
    "plain-500": (500, TEXT, "Internal Server Error"),
    "untyped-500": (500, NONE, "Internal Server Error"),
    "json-500": (500, JSON, '{"statusCode": 500, "message": "try later"}'),
    "json-400-text": (400, JSON, '"no"'),
    "empty-500": (500, JSON, ""),
    "html": (200, HTML, "<html>sign in</html>"),
    "empty": (200, JSON, ""),
    "list": (200, JSON, "[]"),
    "number": (200, JSON, "7"),
    "string": (200, JSON, '"access_token"'),
    "null": (200, JSON, "null"),
    "object": (200, JSON, "{}"),
    "cut": (200, JSON, '{"access_token": "hidden-'),
    "bytes": (200, "application/octet-stream", "x"),
    "xml": (200, "application/xml", "<a>"),
    "no-token": (200, JSON, f"{{{_LATER}}}"),
    "empty-token": (200, JSON, f'{{"access_token": "", {_LATER}}}'),
    "token-number": (200, JSON, f'{{"access_token": 5, {_LATER}}}'),
    "token-list": (200, JSON, f'{{"access_token": ["hidden-"], {_LATER}}}'),
    "token-lines": (200, JSON, f'{{"access_token": "hidden-\\n a", {_LATER}}}'),
    "no-end": (200, JSON, '{"access_token": "hidden-"}'),
    "end-garbage": (200, JSON, '{"access_token": "hidden-", "expires_on": "soon"}'),
    "end-list": (200, JSON, '{"access_token": "hidden-", "expires_on": [1]}'),
    "end-negative": (200, JSON, '{"access_token": "hidden-", "expires_on": "-5"}'),
    "end-infinite": (200, JSON, '{"access_token": "hidden-", "expires_on": Infinity}'),
    "deep": (200, JSON, f'{{"access_token": {"[" * 150}{"]" * 150}}}'),
    "end-deep": (200, JSON, f'{{"access_token": "hidden-", "expires_on": {"[" * 150}{"]" * 150}}}'),
    "end-enormous": (200, JSON, f'{{"access_token": "hidden-", "expires_on": 1{"0" * 400}}}'),
}


def odd(identity: Identity, name: str) -> Fault:
    """From now on the endpoint answers in this way."""
    status, kind, body = ODD[name]
    headers = {"Content-Type": kind} if kind else {}
    return broken(identity, status=status, headers=headers, body=body)


def broken(identity: Identity, **how: object) -> Fault:
    """From now on the endpoint does this to each request."""
    fault = Fault(path="/msi/token", times=MANY, **how)  # type: ignore[arg-type]
    identity.server.faults.add(fault)
    return fault


def hits(fault: Fault) -> int:
    """How many requests it was done to."""
    return MANY - fault.times


def all_answered() -> None:
    """Wait until no token is being fetched any more."""
    while fetching := [one for one in threading.enumerate() if one.name == "token"]:
        for thread in fetching:
            with suppress(RuntimeError):  # it is listed a moment before it can be waited for
                thread.join(30)
                assert not thread.is_alive()
