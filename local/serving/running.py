"""What the local Azure services have in common: a server that runs while they are entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from flask import request

from local.serving.apps import LocalFlask
from local.serving.web import Server

if TYPE_CHECKING:
    import ssl

    from local.serving.listener import Listener


class Running:
    """A local service as a context manager; `server` has its requests and its faults.

    Subclasses add their routes to `app`; `tls` makes it https. Port 0 takes a free one.
    """

    def __init__(self, port: int | Listener = 0, tls: ssl.SSLContext | None = None) -> None:
        self.app = LocalFlask()
        self.server = Server(self.app, port, tls)

    @property
    def url(self) -> str:
        """Where the service answers, without a trailing slash."""
        return self.server.url

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.leave()


def bearer() -> str:
    """The bearer token of the request in hand; empty if it carries none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
