"""A loopback port with its threads: one app is served on it at a time, another may follow."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from local.serving.connections import Connections
from local.serving.faults import cut

if TYPE_CHECKING:
    import ssl

    from local.serving.connections import App

PATIENCE = 5.0  # seconds that a request in hand gets to end


class Listener:
    """A port and its threads, running from `start` to `stop`; port 0 takes a free one.

    `serve` gives it an app and `leave` takes the app away, after which nothing of it is left: its
    connections are closed and its requests have ended. With `tls` it speaks https.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.secure = tls is not None
        self.ended = False
        self._connections = Connections(port, tls, nobody)
        self._thread = threading.Thread(target=self._connections.accept, daemon=True)

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self._connections.bind_addr[1])

    def start(self) -> Self:
        """Begin to accept connections."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Give the port back, for good; what is in hand is answered, unless it takes too long."""
        self.ended = True
        self.serve(nobody)
        self._connections.close(self._thread)
        self._connections.answered(PATIENCE)
        self._connections.cut()
        self._connections.left(None)

    def serve(self, app: App) -> None:
        """Answer with this app."""
        self._connections.wsgi_app = app

    def leave(self) -> None:
        """Take the app away; what does not end is ended with the port itself."""
        self.serve(nobody)
        self._connections.cut()
        if not self._connections.left(PATIENCE):
            self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def nobody(environ: dict[str, Any], _start: object) -> None:
    """Answers as a port does on which nobody listens, as nearly as one that is open can."""
    cut(environ)
