"""What every local service shares: a threaded HTTP server on loopback, and its control paths.

`GET /_local/requests` lists what the service received; `local/faults.py` adds the faults.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from flask import Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from local.faults import Faults

if TYPE_CHECKING:
    import ssl

LOOPBACK = "127.0.0.1"
SECRET_HEADERS = frozenset({"authorization", "x-identity-header", "aeg-sas-key", "x-functions-key"})


class _Handler(WSGIRequestHandler):
    """Keeps connections alive and writes each answer in one packet.

    Without both settings a kept-alive connection waits 40 ms per answer for a delayed ACK.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: `GET /_local/requests` is the access log."""


@dataclass(frozen=True)
class Received:
    """One request as the service received it; credentials are left out."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    at: float = field(default_factory=time.time)


class Server:
    """Serve one Flask app on a loopback port until stopped; port 0 takes a free one."""

    def __init__(self, app: Flask, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.app = app
        self.requests: list[Received] = []
        self.faults = Faults()
        app.before_request(self._record)
        app.add_url_rule("/_local/requests", "requests", self._list)
        app.wsgi_app = self.faults.around(app.wsgi_app)  # type: ignore[method-assign]
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server(
            LOOPBACK, port, app, threaded=True, request_handler=_Handler, ssl_context=tls
        )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        host = f"https://localhost:{self.port}" if tls else f"http://{LOOPBACK}:{self.port}"
        self.url = host

    @property
    def port(self) -> int:
        """The port that was taken."""
        return self._server.port

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End hanging answers, stop answering and give the port back."""
        self.faults.clear()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def received(self, method: str, ending: str) -> list[Received]:
        """The requests of a method whose path ends so, in the order they came."""
        return [r for r in self.requests if r.method == method and r.path.endswith(ending)]

    def _record(self) -> None:
        if request.path.startswith("/_local/"):
            return
        headers = {k: v for k, v in request.headers.items() if k.lower() not in SECRET_HEADERS}
        body = request.get_data(as_text=True)
        query = {k: v for k, v in request.args.items() if k != "code"}
        self.requests.append(Received(request.method, request.path, query, headers, body))

    def _list(self) -> Response:
        return jsonify([vars(r) for r in self.requests])
