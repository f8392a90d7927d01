"""A local Functions host: runs a function app alone and answers like the real host.

Event Grid deliveries come to `/runtime/webhooks/EventGrid?functionName=NAME`, HTTP functions answer
under `/api`, `POST /admin/functions/NAME` with `{"input": ""}` runs a function in the background
(https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http). Its 202 carries
`Local-Invocation-Id`; `GET /_local/invocations?function=NAME_OR_ID&count=1&timeout=30` waits for
the end. `POST /_local/timers` with `{"stopped": true}` keeps all timers from firing, as was seen in
Azure, and so does the setting LOCAL_TIMERS_STOPPED from the start; what is run by hand runs. With
the setting LOCAL_FUNCTION_KEY HTTP functions ask for that key unless anonymous, with
LOCAL_SYSTEM_KEY deliveries for that one (`x-functions-key`, or `code=` in the query). Queues are
those of the connection string that a binding names, such as Azurite's. Times in events are told in
UTC, or in LOCAL_ZONE, as the real one tells them in TZ. The host itself ends no invocation; the
cloud's limits (230 s for HTTP, Event Grid's 30 s) belong to whoever waits for it.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

import azure.functions as azf
from flask import Response, request

from local.host import admin
from local.host.indexing import EVENT_GRID, QUEUE, TIMER, index, load
from local.host.invocations import Worker
from local.host.triggers import eventgrid, http
from local.host.triggers.queues import Queues
from local.host.triggers.timers import Timers, scheduled
from local.serving.apps import LocalFlask
from local.serving.web import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.host.indexing import IndexedFunction
    from local.host.invocations import Invocation

GRACE_SECONDS = 5.0
log = logging.getLogger("host")


class Host:
    """Runs one function app on a loopback port until stopped.

    `app` is a folder with `function_app.py`, or a FunctionApp that is already built. `threads`
    bounds the sync functions that run at a time (None: PYTHON_THREADPOOL_THREAD_COUNT, else as
    Python decides). `settings` (None: the environment) are read for the host's own part only.
    Raises IndexingError if any function is wrong, as one wrong function hides all others in
    Azure. A timer whose schedule cannot be read is wrong for the host alone: it has all others.
    """

    def __init__(
        self,
        app: azf.FunctionRegister | Path | str,
        port: int = 0,
        *,
        threads: int | None = None,
        timers: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        known = os.environ if settings is None else settings
        indexed, extensions = _indexed(app, known)
        schedules = scheduled((f for f in indexed.values() if f.kind == TIMER), known)
        self.functions = {n: f for n, f in indexed.items() if f.kind != TIMER or n in schedules}
        self.worker = Worker(threads or _threads(known))
        timed = [(self.functions[name], found) for name, found in schedules.items() if timers]
        self._timers = Timers(self.worker, timed)
        self._timers.halted = bool(known.get("LOCAL_TIMERS_STOPPED"))
        waiting = (f for f in indexed.values() if f.kind == QUEUE)
        self._queues = Queues(self.worker, waiting, known, extensions.get("queues", {}))
        self.worker.put = self._queues.put
        host = extensions.get("http", {})
        prefix = str(host.get("routePrefix", "api")).strip("/")
        self.endpoints = http.endpoints(self.functions.values(), prefix)
        self._headers: dict[str, str] = host.get("customHeaders", {})
        self._key = known.get("LOCAL_FUNCTION_KEY")
        self._system_key = known.get("LOCAL_SYSTEM_KEY")
        self._zone = ZoneInfo(known.get("LOCAL_ZONE") or "UTC")
        self.server = Server(self._face(), port)
        self.url = self.server.url

    def start(self) -> Self:
        """Begin to answer and to fire timers."""
        self.worker.start()
        self.server.start()
        self._timers.start()
        self._queues.start()
        return self

    def stop(self, grace: float = GRACE_SECONDS) -> bool:
        """Stop answering, wait up to `grace` seconds for what runs; False if some still does."""
        self._timers.stop()
        self._queues.stop()
        self.server.stop()
        try:
            self.worker.idle(grace)
        except TimeoutError:
            return False
        finally:
            self.worker.stop()
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def invocations(self) -> list[Invocation]:
        """What has finished so far, oldest first."""
        return self.worker.finished()

    def webhook(self, function: str) -> str:
        """The URL that Event Grid delivers to for this function."""
        return f"{self.url}/runtime/webhooks/EventGrid?functionName={function}"

    def where(self, name: str) -> str:
        """How and where the function is called."""
        kind = self.functions[name].kind
        if kind == EVENT_GRID:
            return f"{kind} {self.webhook(name)}"
        for one in self.endpoints:
            if one.function.name == name:
                return f"[{','.join(one.methods)}] {self.url}/{one.route}"
        return f"{kind} POST {self.url}/admin/functions/{name}"

    def fire(self, name: str, text: str = "", *, timeout: float = 30) -> Invocation:
        """Run a function now and wait for it. Raises KeyError, TimeoutError."""
        function = self.functions[name]
        return self.worker.invoke(function, admin.by_hand(function, text), admin.REASON).result(
            timeout
        )

    def _face(self) -> LocalFlask:
        app = LocalFlask()
        app.add_url_rule("/_local/invocations", "invocations", self._invocations)
        app.add_url_rule("/_local/timers", "timers", self._halt, methods=["GET", "POST"])
        for rule in ("/", "/<path:path>"):
            app.add_url_rule(
                rule,
                "everything",
                self._answer,
                defaults={"path": ""} if rule == "/" else None,
                methods=http.METHODS,
                provide_automatic_options=False,
            )
        return app

    def _answer(self, path: str) -> Response:
        """With the headers of host.json, where the answer does not have them already.

        https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script.WebHost/Middleware/CustomHttpHeadersMiddleware.cs
        """
        answer = self._answered(path)
        for name, value in self._headers.items():
            answer.headers.setdefault(name, value)
        return answer

    def _answered(self, path: str) -> Response:
        if path.lower().rstrip("/") == eventgrid.PATH:
            known = (self.functions, self.worker, self._system_key, self._zone)
            return eventgrid.answer(request, *known)
        if path.lower().startswith("admin/"):
            return admin.answer(request, self.functions, self.worker)
        return http.answer(request, self.endpoints, self.worker, self._key)

    def _halt(self) -> Response:
        return admin.halt(request, self._timers)

    def _invocations(self) -> Response:
        return admin.finished(request, self.worker)


def _indexed(
    app: azf.FunctionRegister | Path | str, settings: Mapping[str, str]
) -> tuple[dict[str, IndexedFunction], dict[str, Any]]:
    """The app's functions, and what host.json says of its triggers."""
    if isinstance(app, azf.FunctionRegister):
        return index(app), {}
    directory = Path(app)
    script = settings.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    return index(load(directory, script)), _extensions(directory / "host.json")


def _extensions(path: Path) -> dict[str, Any]:
    host = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    found: dict[str, Any] = host.get("extensions", {})
    return found


def _threads(settings: Mapping[str, str]) -> int | None:
    count = settings.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return int(count) if count.isdecimal() and int(count) > 0 else None
