"""The connections of one port: each is read in a thread of its own, which waits for nothing else.

While nobody asks, nothing wakes: a test run has dozens of ports open all the time.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cheroot import wsgi
from cheroot.server import HTTPConnection
from cheroot.wsgi import Gateway_10

from local.serving.faults import CONNECTION
from local.serving.names import LOOPBACK

if TYPE_CHECKING:
    import io
    import ssl
    from collections.abc import Callable

    App = Callable[..., Any]

FIRST = "local.first"
BACKLOG = 128  # connections that wait to be accepted, or are kept: beyond a client begins anew
IDLE = 10  # seconds after which a connection is closed that nobody uses


class Connections(wsgi.Server):
    """Binds the port, and answers from `accept` to `close` with `wsgi_app`; `tls` makes it https.

    It tells of what it did not expect, which cut connections are not.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None, app: App) -> None:
        super().__init__((LOOPBACK, port), app, timeout=IDLE)
        self.socket = socket.create_server((LOOPBACK, port), backlog=BACKLOG)
        self.bind_addr = self.socket.getsockname()
        self.software, self.gateway, self.ready = self.version, _Gateway, True
        self.tls = self.ssl_adapter = tls  # the latter is asked only whether there is one
        self._held: dict[_Connection, bool] = {}  # whether a request is in hand
        self._changed = threading.Condition()

    def accept(self) -> None:
        """Take connections until the port is closed."""
        while self.ready:
            with suppress(OSError):  # it was gone before it was taken
                self._take()

    def close(self, accepting: threading.Thread) -> None:
        """Take no more connections, by the thread that does, and give the port back."""
        self.ready = False
        if accepting.is_alive():
            socket.create_connection(self.bind_addr).close()
            accepting.join()
        self.socket.close()

    def cut(self) -> None:
        """Cut every connection, in use or kept; whoever reads from it finds its end."""
        with self._changed:
            for held in self._held:
                with suppress(OSError):  # it was closed meanwhile
                    socket.socket.shutdown(held.socket, socket.SHUT_RDWR)

    def answered(self, patience: float | None) -> bool:
        """Wait until no request is in hand; whether that came in so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(self._held.values()), patience)

    def left(self, patience: float | None) -> bool:
        """Wait until there is no connection; whether that came in so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, patience)

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether a connection is kept after its answer."""
        return self.ready and len(self._held) <= BACKLOG

    def clear_stats(self) -> None:
        """Count nothing: what counts is known to the logging module for good, and this with it."""
        self.stats = {"Enabled": False}

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Write to standard error, unless a connection was cut."""
        if not str(msg).startswith("socket.error"):
            super().error_log(msg, level, traceback)

    def _take(self) -> None:
        taken, (_, port) = self.socket.accept()
        if not self.ready:
            taken.close()
            return
        taken.settimeout(IDLE)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:  # greeted where it is read, so that nobody waits for who is slow at it
            taken = self.tls.wrap_socket(taken, server_side=True, do_handshake_on_connect=False)
        held = _Connection(self, taken, port)
        with self._changed:
            self._held[held] = False
        threading.Thread(target=self._serve, args=[held], daemon=True).start()

    def _serve(self, held: _Connection) -> None:
        try:
            while held.asked():
                self._note(held, busy=True)
                if not self._goes_on(held):
                    break
                self._note(held, busy=False)
        finally:
            with suppress(OSError):
                held.close()
            with self._changed:
                del self._held[held]
                self._changed.notify_all()

    def _goes_on(self, held: _Connection) -> bool:
        """Answer one request; whether another may follow."""
        try:
            return bool(held.communicate())  # type: ignore[no-untyped-call]
        except ConnectionError:  # it was cut
            return False

    def _note(self, held: _Connection, *, busy: bool) -> None:
        with self._changed:
            self._held[held] = busy
            if not busy:
                self._changed.notify_all()


class _Gateway(Gateway_10):
    """Hands the connection to the app, for the faults that cut it and for what making it takes."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """The WSGI environment."""
        environ = super().get_environ()  # type: ignore[no-untyped-call]
        connection = self.req.conn
        first = not connection.greeted
        connection.greeted = True
        return {**environ, CONNECTION: connection.socket, FIRST: first}


class _Connection(HTTPConnection):
    """A connection that is waited on by being read."""

    remote_addr, greeted = LOOPBACK, False

    def __init__(self, server: Connections, sock: socket.socket, port: int) -> None:
        super().__init__(server, sock, _file)
        self.remote_port = port

    def asked(self) -> bool:
        """Wait for a request; whether one comes before the connection ends."""
        try:
            return bool(self.rfile.peek(1))
        except (OSError, ValueError):  # it took too long, was cut, or speaks no TLS
            return False


class _Writer:
    """Sends all that it is given at once, and keeps nothing."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def write(self, data: bytes) -> int:
        self._socket.sendall(data)
        return len(data)


def _file(sock: socket.socket, mode: str, size: int) -> io.IOBase | _Writer:
    """What a connection is read by, and what is written to."""
    return sock.makefile("rb", size) if mode == "rb" else _Writer(sock)
