"""`/_local/server-jobs`: agentless jobs by hand.

`POST` starts one and makes its task's call, for example
`{"url": "http://127.0.0.1:7071/api/waits", "body": {"run_id": "a"}}`; `GET` tells all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from flask import Response, jsonify, request

from local.devops.errors import Refusal
from local.devops.jobs.plan import TWO_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from local.devops.jobs.agentless import ServerJob
    from local.devops.jobs.all import ServerJobs

PATH = "/_local/server-jobs"


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of `DevOps.start_server_job`."""

    url: str | None = None
    headers: dict[str, str | None] = msgspec.field(default_factory=dict)
    body: object = ""
    method: str = "POST"
    organization: str = "contoso"
    project: str = "mlops"
    hub: str = "build"
    timeout: float = 3600.0
    token_life: float = TWO_DAYS
    call_timeout: float = 20.0


_ASKED = msgspec.json.Decoder(
    _Asked
)  # made before requests come, see functions/core/ledger/decoding.py


def install(app: Flask, jobs: ServerJobs, start: Callable[..., ServerJob]) -> None:
    """Serve the control path on this app; `start` is `DevOps.start_server_job`."""

    def control() -> tuple[Response, int] | Response:
        if request.method == "GET":
            return jsonify([_told(job) for job in jobs.all()])
        try:
            asked = _ASKED.decode(request.get_data())
            job = start(**msgspec.structs.asdict(asked))
        except (msgspec.MsgspecError, ValueError, Refusal) as error:
            return jsonify({"error": str(error)}), 400
        # Who makes the call by hand needs the headers, the token among them.
        made = {} if asked.url else {"headers": job.headers}
        return jsonify({**_told(job), **made})

    app.add_url_rule(PATH, "local_server_jobs", control, methods=["GET", "POST"])


def _told(job: ServerJob) -> dict[str, object]:
    return {
        "organization": job.organization,
        "project": job.project,
        "plan_id": job.plan_id,
        "job_id": job.job_id,
        "task_id": job.task_id,
        "answer": job.answer and vars(job.answer),
        "result": job.result,
        "reason": job.reason,
        "lines": job.lines,
        "log": job.log,
        "variables": job.variables,
        "events": [vars(event) for event in job.events],
        "requests": job.requests,
    }
