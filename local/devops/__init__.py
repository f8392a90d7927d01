"""A strict local Azure DevOps (Services) over HTTP: pipelines, runs, builds, agentless jobs.

It refuses what the service refuses, with the service's status, type key and words where those
are known publicly, and can be made to fail in the ways that matter to somebody who must start
a pipeline once: see `Switches`, `queue_later` and `local/serving/faults.py`.
`python -m local.devops` runs it alone. URLs are those of https://dev.azure.com with this
service's `url` in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from local.devops import control, discovery, gate, job_routes, routes
from local.devops.jobs import by_hand
from local.devops.jobs.agentless import ServerJob
from local.devops.jobs.plan import TWO_DAYS
from local.devops.pipelines.defined import Parameter, Pipeline
from local.devops.pipelines.runs import QueuedRun, now
from local.devops.state import DevOpsState
from local.serving.apps import LocalFlask
from local.serving.web import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from local.devops.access import Scope
    from local.serving.listener import Listener

__all__ = ["DevOps", "Parameter", "Pipeline", "QueuedRun", "ServerJob"]


class DevOps(DevOpsState):
    """A local Azure DevOps on a loopback port; port 0 takes a free one.

    Use it as a context manager. `url` is what stands in place of `https://dev.azure.com`,
    `server` holds the received requests and the generic faults, `runs` what was queued. It
    starts without any organization: `add_pipeline` makes one. `pats` and `tokens` say whom it
    accepts, `clock` tells its time.
    """

    def __init__(
        self,
        port: int | Listener = 0,
        *,
        pats: Mapping[str, Scope] | Iterable[str] = ("local-pat",),
        tokens: Collection[str] | Callable[[str], bool] = (),
        clock: Callable[[], datetime] = now,
    ) -> None:
        super().__init__(pats, tokens, clock)
        app = LocalFlask()
        self.server = Server(app, port)
        self.url = self.server.url
        control.install(app, self)
        gate.install(app, self)
        discovery.install(app)
        routes.install(app, self)
        job_routes.install(app, self)
        by_hand.install(app, self.jobs, self.start_server_job)

    @property
    def server_jobs(self) -> list[ServerJob]:
        """Every agentless job, oldest first."""
        return self.jobs.all()

    def start_server_job(  # noqa: PLR0913 - one keyword for each thing a job or its task sets
        self,
        organization: str,
        project: str,
        *,
        url: str | None = None,
        body: object = "",
        headers: Mapping[str, str | None] | None = None,
        method: str = "POST",
        hub: str = "build",
        timeout: float = 3600.0,
        token_life: float = TWO_DAYS,
        call_timeout: float = 20.0,
    ) -> ServerJob:
        """Start an agentless job in a project that exists, and with a `url` make its task's call.

        `body` is sent as it is if it is text, else as JSON; `headers` come on top of the task's
        default ones, and None leaves one out. `timeout` and `token_life` count in seconds by
        this service's clock. The call is over when this returns; the endpoint has `call_timeout`
        real seconds to answer. ValueError if the body is longer than the task's input may be.
        """
        where = self.catalogue.project(organization, project)
        job = self.jobs.start(where, self.url, hub, timeout, token_life)
        if url is not None:
            job.call(url, body, headers, method, call_timeout)
        return job

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()
        self.server.leave()
