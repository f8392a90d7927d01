"""Faults on request: what a local service does wrong, for the next N requests that match.

Over HTTP: `POST /_local/faults` with a Fault as JSON, `GET` lists what is pending,
`DELETE` clears it. In process: `server.faults.add(Fault(...))`.
"""

from __future__ import annotations

import errno
import fnmatch
import io
import json
import random
import socket
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

CONTROL = "/_local/faults"
CONNECTION = "local.connection"


@dataclass
class Fault:
    """One thing to do wrong.

    `method` and `path` (wildcards) choose requests; `times` bounds how many are hit, and
    `probability` how likely each is (`seed` makes it repeatable). `per_request` bounds how often
    the very same request (method, path, body) is hit; 0 is no bound. `drop` closes the connection
    before the service saw the request, or after it did its work and before it answered. `hang`
    keeps the connection open without an answer, after the work is done if `drop` is "after".
    With `status` the service does no work and answers that, unless `after` is true: then it
    does its work first and lies about it.
    """

    method: str = "*"
    path: str = "*"
    times: int = 1
    probability: float = 1.0
    seed: int | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    hang: bool = False
    drop: Literal["before", "after"] | None = None
    after: bool = False
    per_request: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable, not secret
        self._hit: Counter[tuple[str, str, bytes]] = Counter()

    def hits(self, method: str, path: str, body: bytes = b"") -> bool:
        """Whether this request is the one; draws from the fault's own random source."""
        fits = fnmatch.fnmatchcase(path, self.path) and self.method in {"*", method}
        if not fits or self.times <= 0 or self._random.random() >= self.probability:
            return False
        if not self.per_request:
            return True
        self._hit[method, path, body] += 1
        return self._hit[method, path, body] <= self.per_request


class Faults:
    """The faults of one service, and the WSGI layer that commits them."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()
        self._released = threading.Event()

    def add(self, fault: Fault) -> None:
        """Commit this fault from the next matching request on."""
        with self._lock:
            self._pending.append(fault)

    @property
    def waiting(self) -> int:
        """How many are still to be committed."""
        return len(self._pending)

    def clear(self) -> None:
        """Forget all faults and let hanging requests go."""
        with self._lock:
            self._pending.clear()
            released, self._released = self._released, threading.Event()
        released.set()

    def around(self, app: Any) -> Any:
        """Wrap a WSGI app so that its faults and their control path are served."""

        def faulty(environ: dict[str, Any], start_response: Any) -> Any:
            path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
            if path == CONTROL:
                return self._control(environ, start_response)
            if path.startswith("/_local/") or not self._pending:
                return app(environ, start_response)
            body = _drain(environ)
            environ["wsgi.input"] = io.BytesIO(body)
            fault = self._take(method, path, body)
            if fault is None:
                return app(environ, start_response)
            return self._commit(fault, app, environ, start_response)

        return faulty

    def _take(self, method: str, path: str, body: bytes) -> Fault | None:
        with self._lock:
            for fault in self._pending:
                if fault.hits(method, path, body):
                    fault.times -= 1
                    self._pending = [f for f in self._pending if f.times > 0]
                    return fault
        return None

    def _commit(self, fault: Fault, app: Any, environ: dict[str, Any], start: Any) -> Any:
        released = self._released
        time.sleep(fault.delay)
        if fault.drop == "before":
            cut(environ)
        if fault.drop == "after" or fault.after:
            b"".join(app(environ, lambda *_args, **_kw: None))
        if fault.hang:
            released.wait()
        if fault.hang or fault.drop:
            cut(environ)
        if fault.status is None:
            return app(environ, start)
        headers = {"Content-Length": str(len(fault.body.encode())), **fault.headers}
        start(f"{fault.status} FAULT", list(headers.items()))
        return [fault.body.encode()]

    def _control(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        method = environ["REQUEST_METHOD"]
        text = _drain(environ)
        if method == "DELETE":
            self.clear()
        if method == "POST":
            try:
                self.add(Fault(**json.loads(text)))
            except (TypeError, ValueError) as error:
                return _answer(start, "400 Bad Request", {"error": str(error)})
        with self._lock:
            return _answer(start, "200 OK", [asdict(f) for f in self._pending])


def _answer(start: Any, status: str, value: object) -> list[bytes]:
    body = json.dumps(value).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _drain(environ: dict[str, Any]) -> bytes:
    """Read the body to its end, so that a kept-alive connection stays in step."""
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def cut(environ: dict[str, Any]) -> None:
    """Close the connection without an answer: the client sees a reset or an empty reply."""
    environ[CONNECTION].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError(errno.ECONNRESET, "cut on request")
