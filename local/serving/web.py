"""What every local service shares: a threaded HTTP server on loopback, and its control paths.

`GET /_local/requests` lists what the service received; `local/serving/faults.py` adds the faults.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from flask import Response, jsonify, request

from local.serving.connections import FIRST
from local.serving.faults import Faults
from local.serving.listener import Listener
from local.serving.names import LOOPBACK

if TYPE_CHECKING:
    import ssl

    from flask import Flask

SECRET_HEADERS = frozenset(
    {"authorization", "authtoken", "x-identity-header", "aeg-sas-key", "x-functions-key"}
)


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

    A Listener in place of the port is lent: it goes on when this server leaves it. `lag` is how
    many seconds every answer takes on top, after the work was done, and `greeting` what the first
    answer on a connection takes besides.
    """

    def __init__(
        self, app: Flask, port: int | Listener = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.app = app
        self.requests: list[Received] = []
        self.faults = Faults()
        self.lag = self.greeting = 0.0
        app.before_request(self._record)
        app.after_request(self._answered)
        app.add_url_rule("/_local/requests", "requests", self._list)
        app.wsgi_app = self.faults.around(app.wsgi_app)  # type: ignore[method-assign]
        self._lent = isinstance(port, Listener)
        self._listener = port if isinstance(port, Listener) else Listener(port, tls)
        scheme, host = ("https", "localhost") if self._listener.secure else ("http", LOOPBACK)
        self.url = f"{scheme}://{host}:{self.port}"

    @property
    def port(self) -> int:
        """The port that was taken."""
        return self._listener.port

    def start(self) -> Self:
        """Begin to answer."""
        self._listener.serve(self.app)
        if not self._lent:
            self._listener.start()
        return self

    def stop(self) -> None:
        """End hanging answers, stop answering and give the port back, even a lent one."""
        self.faults.clear()
        self._listener.stop()

    def leave(self) -> None:
        """Stop as well, but leave a lent port to its owner."""
        self.faults.clear()
        if self._lent:
            self._listener.leave()
        else:
            self._listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.leave()

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
