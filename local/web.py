"""What every local service shares: a threaded HTTP server on loopback, and its control paths.

`GET /_local/requests` lists what the service received; `local/faults.py` adds the faults.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Gateway_10
from flask import Flask, Response, jsonify, request

from local.faults import CONNECTION, Faults

if TYPE_CHECKING:
    import ssl

LOOPBACK = "127.0.0.1"
FIRST = "local.first"
THREADS = 32  # requests at a time, hanging ones among them
BACKLOG = 128  # connections that wait to be accepted, or are kept: beyond a client begins anew
SECRET_HEADERS = frozenset(
    {"authorization", "authtoken", "x-identity-header", "aeg-sas-key", "x-functions-key"}
)


class _Gateway(Gateway_10):
    """Hands the connection to the app, for the faults that cut it and for what making it takes."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """The WSGI environment."""
        environ = super().get_environ()  # type: ignore[no-untyped-call]
        connection = self.req.conn
        first = not hasattr(connection, "greeted")
        connection.greeted = True
        return {**environ, CONNECTION: connection.socket, FIRST: first}


class _Listener(wsgi.Server):
    """Tells of what it did not expect, which cut connections are not."""

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Write to standard error, unless a connection was cut."""
        if not str(msg).startswith("socket.error"):
            super().error_log(msg, level, traceback)


class _Tls(BuiltinSSLAdapter):
    """Wraps connections with a context that is ready made."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._server_env: dict[str, str] = {}


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
    """Serve one Flask app on a loopback port until stopped; port 0 takes a free one.

    `lag` is how many seconds every answer takes on top, after the work was done, and `greeting`
    what the first answer on a connection takes besides.
    """

    def __init__(self, app: Flask, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.app = app
        self.requests: list[Received] = []
        self.faults = Faults()
        self.lag = self.greeting = 0.0
        app.before_request(self._record)
        app.after_request(self._answered)
        app.add_url_rule("/_local/requests", "requests", self._list)
        app.wsgi_app = self.faults.around(app.wsgi_app)  # type: ignore[method-assign]
        self._server = _Listener(
            (LOOPBACK, port), app, numthreads=THREADS, request_queue_size=BACKLOG
        )
        self._server.keep_alive_conn_limit = BACKLOG
        self._server.gateway = _Gateway
        self._server.ssl_adapter = _Tls(tls) if tls else None
        self._server.expiration_interval = 0.02  # seconds that stopping may take
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        host = f"https://localhost:{self.port}" if tls else f"http://{LOOPBACK}:{self.port}"
        self.url = host

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self._server.bind_addr[1])

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End hanging answers, stop answering and give the port back."""
        self.faults.clear()
        self._server.stop()
        self._thread.join()

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

    def _answered(self, response: Response) -> Response:
        if self.lag and not request.path.startswith("/_local/"):
            time.sleep(self.lag + (self.greeting if request.environ[FIRST] else 0.0))
        return response

    def _list(self) -> Response:
        return jsonify([vars(r) for r in self.requests])
