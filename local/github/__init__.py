"""A strict local GitHub over HTTP: what of its REST API starts, finds and follows a workflow.

It refuses what the service refuses, with the service's status and words where those are known
publicly, and can be made to fail in the ways that matter to somebody who must start a workflow
once: see `Switches`, `limit` and `local/serving/faults.py`. `python -m local.github` runs it alone.
Its `url` stands in place of https://api.github.com.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from local.github import app_routes, control, gate, routes
from local.github.state import GitHubState, now
from local.serving.apps import LocalFlask
from local.serving.web import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from local.serving.listener import Listener

__all__ = ["GitHub"]

BASE = "/api/v3"
RELEASE = "3.19.0"
INPUTS, INPUTS_OF_SERVERS = 25, 10


class GitHub(GitHubState):
    """A local GitHub on a loopback port; port 0 takes a free one.

    Use it as a context manager. `url` is what stands in place of `https://api.github.com`,
    `server` holds the received requests and the generic faults, `runs` what was started, `seen`
    which credentials came. It starts without any repository. `tokens` may do all, others are let
    in by `accept`, `clock` tells its time.

    As an `enterprise` server it answers below `/api/v3`, knows the first API version only and, as
    one of an older release, neither `return_run_details` nor more than ten inputs.
    """

    def __init__(
        self,
        port: int | Listener = 0,
        *,
        tokens: Iterable[str] = ("ghp_local",),
        clock: Callable[[], datetime] = now,
        enterprise: bool = False,
    ) -> None:
        super().__init__(tokens, clock, "refused" if enterprise else "told")
        app = LocalFlask()
        self.server = Server(app, port)
        self.url = self.server.url + (BASE if enterprise else "")
        control.install(app, self)
        gate.install(app, self, gate.VERSIONS[:1] if enterprise else gate.VERSIONS)
        web, most = self.server.url, INPUTS_OF_SERVERS if enterprise else INPUTS
        routes.install(app, self, web, most)
        app_routes.install(app, self, web)
        if enterprise:
            app.wsgi_app = _below(BASE, app.wsgi_app)  # type: ignore[method-assign]

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()
        self.server.leave()


def _below(base: str, app: Any) -> Any:
    """An app that answers below a path only, but for what its controls are; it says its release."""

    def based(environ: dict[str, Any], start: Any) -> Any:
        path: str = environ["PATH_INFO"]
        if path.startswith("/_local/"):
            return app(environ, start)
        if not path.startswith(f"{base}/"):
            start("404 Not Found", [("Content-Type", "text/html"), ("Content-Length", "0")])
            return [b""]

        def told(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start(status, [*headers, ("X-GitHub-Enterprise-Version", RELEASE)], *more)

        moved = {"SCRIPT_NAME": base, "PATH_INFO": path.removeprefix(base)}
        return app({**environ, **moved}, told)

    return based
