"""A strict local Azure DevOps (Services) over HTTP: pipelines, runs, previews, builds, tags.

It refuses what the service refuses, with the service's status, type key and words where those
are known publicly, and can be made to fail in the ways that matter to somebody who must start
a pipeline once: see `Switches`, `queue_later` and `local/faults.py`. `python -m local.devops`
runs it alone. URLs are those of https://dev.azure.com with this service's `url` in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from flask import Flask

from local.devops import control, discovery, gate, routes
from local.devops.pipelines import Parameter, Pipeline
from local.devops.runs import QueuedRun, now
from local.devops.state import DevOpsState
from local.web import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from local.devops.access import Scope

__all__ = ["DevOps", "Parameter", "Pipeline", "QueuedRun"]


class DevOps(DevOpsState):
    """A local Azure DevOps on a loopback port; port 0 takes a free one.

    Use it as a context manager. `url` is what stands in place of `https://dev.azure.com`,
    `server` holds the received requests and the generic faults, `runs` what was queued. It
    starts without any organization: `add_pipeline` makes one. `pats` and `tokens` say whom it
    accepts, `clock` tells its time.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        pats: Mapping[str, Scope] | Iterable[str] = ("local-pat",),
        tokens: Collection[str] | Callable[[str], bool] = (),
        clock: Callable[[], datetime] = now,
    ) -> None:
        super().__init__(pats, tokens, clock)
        app = Flask(__name__)
        self.server = Server(app, port)
        self.url = self.server.url
        control.install(app, self)
        gate.install(app, self)
        discovery.install(app)
        routes.install(app, self)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()
        self.server.stop()
