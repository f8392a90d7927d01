"""A loopback port with its threads: one app is served on it at a time, another may follow."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from cheroot import wsgi
from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Gateway_10

from local.serving.faults import CONNECTION, cut

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    App = Callable[..., Any]

LOOPBACK = "127.0.0.1"
FIRST = "local.first"
THREADS = 32  # requests at a time, hanging ones among them
BACKLOG = 128  # connections that wait to be accepted, or are kept: beyond a client begins anew
PATIENCE = 5.0  # seconds that a request in hand gets to end


class Listener:
    """A port and its threads, running from `start` to `stop`; port 0 takes a free one.

    `serve` gives it an app and `leave` takes the app away, after which nothing of it is left: its
    connections are closed and its requests have ended. With `tls` it speaks https.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.secure = tls is not None
        self.ended = False
        self._server = _Server((LOOPBACK, port), nobody, numthreads=THREADS)
        self._server.request_queue_size = self._server.keep_alive_conn_limit = BACKLOG
        self._server.gateway = _Gateway
        self._server.ssl_adapter = _Tls(tls) if tls else None
        self._server.expiration_interval = 0.02  # seconds that stopping may take
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self._server.bind_addr[1])

    def start(self) -> Self:
        """Begin to accept connections."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Give the port back, for good."""
        self.ended = True
        self._server.stop()
        if self._thread.ident:
            self._thread.join()

    def serve(self, app: App) -> None:
        """Answer with this app."""
        self._server.wsgi_app = app

    def leave(self) -> None:
        """Take the app away; what does not end is ended with the port itself."""
        self._server.wsgi_app = nobody
        self._server.cut()
        end = time.monotonic() + PATIENCE
        while self._server.requests.idle < THREADS and not self.ended:
            if time.monotonic() > end:
                self.stop()
            time.sleep(0.001)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def nobody(environ: dict[str, Any], _start: object) -> None:
    """Answers as a port does on which nobody listens, as nearly as one that is open can."""
    cut(environ)


class _Gateway(Gateway_10):
    """Hands the connection to the app, for the faults that cut it and for what making it takes."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """The WSGI environment."""
        environ = super().get_environ()  # type: ignore[no-untyped-call]
        connection = self.req.conn
        first = not hasattr(connection, "greeted")
        connection.greeted = True
        return {**environ, CONNECTION: connection.socket, FIRST: first}


class _Connection(HTTPConnection):
    """Known to its server for as long as it is open.

    It says nothing of an answer that nobody waits for any more: from Python 3.13 on a writer that
    is thrown away with something left to write tells of it on standard error.
    """

    def __init__(self, server: _Server, sock: Any, makefile: Any = MakeFile) -> None:
        super().__init__(server, sock, makefile)
        server.open.add(self)

    def close(self) -> None:
        self.server.open.discard(self)
        with suppress(OSError):
            self.wfile.close()
        super().close()


class _Server(wsgi.Server):
    """Tells of what it did not expect, which cut connections are not."""

    ConnectionClass = _Connection

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.open: set[_Connection] = set()

    def cut(self) -> None:
        """Cut every connection, in use or kept; whoever reads from it finds its end."""
        for connection in self.open.copy():
            with suppress(OSError):  # it was closed meanwhile
                socket.socket.shutdown(connection.socket, socket.SHUT_RDWR)

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Write to standard error, unless a connection was cut."""
        if not str(msg).startswith("socket.error"):
            super().error_log(msg, level, traceback)


class _Tls(BuiltinSSLAdapter):
    """Wraps connections with a context that is ready made."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._server_env: dict[str, str] = {}
