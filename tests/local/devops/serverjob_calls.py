"""Agentless jobs for tests: something that their tasks may call, and what it calls in turn."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import requests
from flask import Flask, request

from local.serving.web import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.devops import ServerJob

NOWHERE = "00000000-0000-0000-0000-000000000000"


@contextlib.contextmanager
def endpoint(answer: Callable[[Mapping[str, str], str], tuple[str, int]]) -> Iterator[str]:
    """The URL of something that a task may call."""
    app = Flask(__name__)
    app.add_url_rule(
        "/api/waits",
        "waits",
        lambda: answer(dict(request.headers), request.get_data(as_text=True)),
        methods=["POST"],
    )
    with Server(app) as server:
        yield f"{server.url}/api/waits"


def call(  # noqa: PLR0913 - one keyword for each thing that may be wrong
    job: ServerJob,
    method: str,
    below: str,
    body: object = None,
    *,
    plan: str = "",
    project: str = "",
    hub: str = "build",
    version: str | None = "2.0-preview.1",
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """One request on a job's plan as its endpoint makes it."""
    where = f"{project or job.project_id}/_apis/distributedtask/hubs/{hub}"
    return requests.request(
        method,
        f"{job.plan_url}{where}/plans/{plan or job.plan_id}{below}",
        params={"api-version": version} if version else {},
        json=body,
        headers={"Authorization": f"Bearer {job.token}", **(headers or {})},
        allow_redirects=False,
        timeout=20,
    )


def completed(job: ServerJob, result: str = "succeeded", **ids: str) -> dict[str, str]:
    own = {"taskId": job.task_id, "jobId": job.job_id}
    return {"name": "TaskCompleted", **own, "result": result, **ids}


def complete(job: ServerJob, result: str = "succeeded", **others: Any) -> requests.Response:
    return call(job, "POST", "/events", completed(job, result), **others)


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["typeKey"]
