"""A proxy as companies have them: it forwards what it is asked for, or opens a tunnel."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

from local.serving.names import LOOPBACK

if TYPE_CHECKING:
    import pytest


class Proxy(ThreadingTCPServer):
    """Bytes go through it both ways until either end closes.

    `refuses`: the status by which it refuses tunnels. `asked` are the first lines of requests.
    """

    daemon_threads = False

    def __init__(self, refuses: int = 0) -> None:
        super().__init__((LOOPBACK, 0), _Forward)
        self.refuses = refuses
        self.asked: list[str] = []
        self.open: set[socket.socket] = set()
        self.url = f"http://{LOOPBACK}:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=[0.01])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        for connection in [*self.open]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment send everything to this proxy, but for one host."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, url)
        monkeypatch.setenv(name.upper(), url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "near.invalid")


class _Forward(StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode().split(" ")
        self.server.asked.append(f"{method} {target}")
        head = list(iter(self.rfile.readline, b"\r\n"))
        if method != "CONNECT":
            address = urlsplit(target)
            own = address._replace(scheme="", netloc="").geturl() or "/"
            kept = [line for line in head if not line.lower().startswith(b"connection:")]
            sent = f"{method} {own} HTTP/1.1\r\nConnection: close\r\n".encode()
            return self._forward(address.netloc, b"".join([sent, *kept, b"\r\n"]))
        if self.server.refuses:
            self.wfile.write(b"HTTP/1.1 %d No\r\n\r\n" % self.server.refuses)
            return None
        return self._forward(target, b"", b"HTTP/1.1 200 Connection established\r\n\r\n")

    def _forward(self, where: str, sent: bytes, answered: bytes = b"") -> None:
        host, _, port = where.partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.wfile.write(answered)
            there.sendall(sent + self._read_already())
            self.server.open.add(self.connection)
            self._relay(there)
            self.server.open.discard(self.connection)

    def _read_already(self) -> bytes:
        self.connection.setblocking(False)
        with suppress(BlockingIOError):
            return self.rfile.peek()  # type: ignore[attr-defined, no-any-return]
        return b""

    def _relay(self, there: socket.socket) -> None:
        self.connection.setblocking(True)
        others = {self.connection: there, there: self.connection}
        with selectors.DefaultSelector() as ready, suppress(OSError):
            for one in others:
                ready.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    one = cast("socket.socket", key.fileobj)
                    if not (data := one.recv(65536)):
                        return
                    others[one].sendall(data)
