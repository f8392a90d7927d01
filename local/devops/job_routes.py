"""What an agentless job's endpoint calls: the plan, its events, live lines, logs and records.

https://learn.microsoft.com/rest/api/azure/devops/distributedtask/events/post-event,
https://learn.microsoft.com/rest/api/azure/devops/distributedtask/logs and
https://learn.microsoft.com/rest/api/azure/devops/distributedtask/records. Only the job's own
token is let in here. The service documents a PAT too, and may let in other tokens of the project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, g, jsonify, request

from local.devops.errors import Refusal
from local.devops.jobs.agentless import Event, ServerJob
from local.devops.jobs.bodies import Lines, Log, Posted, Records, read, read_text
from local.devops.jobs.timelines import missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask import Flask

    from local.devops.state import DevOpsState

_PLAN = "/<organization>/<uuid:scope>/_apis/distributedtask/hubs/<hub>/plans/<uuid:plan>"
_TIMELINE = "/timelines/<uuid:timeline>/records"


def get_plan(job: ServerJob) -> Response:
    """Plans - Get."""
    return jsonify(job.wire(job.result, job.finished))


def post_event(job: ServerJob) -> Response:
    """Events - Post Event: 204. TaskAssigned and TaskStarted change nothing."""
    asked = read(Posted)
    status = 204
    try:
        _happen(job, asked)
    except Refusal as refusal:
        status = refusal.status
        raise
    finally:
        job.events.append(Event(asked.name, asked.result, status))
    return _nothing()


def post_lines(job: ServerJob, timeline: UUID, record: UUID) -> Response:
    """Feed - Append Timeline Record Feed: 204."""
    _same(job, timeline)
    job.timeline.show(str(record), read(Lines).value)
    return _nothing()


def create_log(job: ServerJob) -> Response:
    """Logs - Create."""
    return jsonify(job.timeline.create_log(read(Log).path, job.clock()).wire())


def append_log(job: ServerJob, log: int) -> Response:
    """Logs - Append Log Content."""
    return jsonify(job.timeline.append(log, read_text(), job.clock()).wire())


def list_logs(job: ServerJob) -> Response:
    """Logs - Get Logs."""
    return _collection([log.wire() for log in job.timeline.logs.values()])


def get_log(job: ServerJob, log: int) -> Response:
    """Logs - Get Log: its lines."""
    return _collection(job.timeline.log(log).text.splitlines())


def get_records(job: ServerJob, timeline: UUID) -> Response:
    """Records - List."""
    _same(job, timeline)
    return _collection(job.records)


def update_records(job: ServerJob, timeline: UUID) -> Response:
    """Records - Update: changes those that exist and adds the others."""
    _same(job, timeline)
    return _collection(job.timeline.update(read(Records).by_id(), job.clock()))


_RULES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "", get_plan),
    ("POST", "/events", post_event),
    ("POST", "/logs", create_log),
    ("GET", "/logs", list_logs),
    ("POST", "/logs/<int:log>", append_log),
    ("GET", "/logs/<int:log>", get_log),
    ("GET", _TIMELINE, get_records),
    ("PATCH", _TIMELINE, update_records),
    ("POST", f"{_TIMELINE}/<uuid:record>/feed", post_lines),
)


def install(app: Flask, state: DevOpsState) -> None:
    """Serve these operations on this app, and keep each request with its job."""
    for method, path, operation in _RULES:
        view = _on_plan(state, operation)
        app.add_url_rule(_PLAN + path, operation.__name__, view, methods=[method])
    app.after_request(lambda answer: _keep(state, answer))


def _on_plan(state: DevOpsState, operation: Callable[..., Response]) -> Callable[..., Response]:
    def view(organization: str, scope: UUID, hub: str, plan: UUID, **rest: Any) -> Response:
        job = state.jobs.named(organization, str(scope), hub, str(plan))
        if g.held is not job:
            message = f"Access denied: this identity may not use orchestration plan {plan}."
            raise Refusal(403, "TaskOrchestrationPlanSecurityException", message)
        with job.lock:
            return operation(job, **rest)

    return view


def _keep(state: DevOpsState, answer: Response) -> Response:
    plan = str((request.view_args or {}).get("plan", ""))
    job = state.jobs.plan(plan)
    if job is not None:
        below = request.path.lower().partition(f"/plans/{plan}")[2].strip("/")
        job.requests.append((request.method, below, answer.status_code))
    return answer


def _happen(job: ServerJob, asked: Posted) -> None:
    if asked.result is not None:
        job.complete(*asked.ids, asked.result)
    elif asked.ids != (job.job_id, job.task_id):
        raise job.no_session(*asked.ids)


def _same(job: ServerJob, timeline: UUID) -> None:
    if str(timeline) != job.timeline_id:
        raise missing("TimelineNotFoundException", "timeline", str(timeline))


def _nothing() -> Response:
    return Response(status=204)


def _collection(items: list[Any]) -> Response:
    return jsonify({"count": len(items), "value": items})
