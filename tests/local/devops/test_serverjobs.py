"""Agentless jobs: what their task sends, and what ends them."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask import Flask

from local.serving.faults import Fault
from local.serving.web import Server
from tests.local.devops.calls import PAT, Clock
from tests.local.devops.serverjob_calls import call, complete, completed, endpoint, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.devops import DevOps, ServerJob

os.environ.setdefault("AZURE_DEVOPS_CACHE_DIR", tempfile.mkdtemp())
azure_devops = pytest.importorskip("azure.devops.connection")
exceptions = pytest.importorskip("azure.devops.exceptions")
models = pytest.importorskip("azure.devops.v7_1.task.models")
TaskClient: Any = pytest.importorskip("azure.devops.v7_1.task.task_client").TaskClient
wrapper = pytest.importorskip("azure.devops._models").VssJsonCollectionWrapper
authentication = pytest.importorskip("msrest.authentication")


def connected(job: ServerJob, token: str = "") -> Any:
    """Microsoft's own client, with what it leaves out: the plan, its events and its feed."""

    class Client(TaskClient):  # type: ignore[misc]
        def _plan(self, method: str, where: str, body: object = None, **more: str) -> Any:
            route = {
                "scopeIdentifier": job.project_id,
                "hubName": job.hub,
                "planId": job.plan_id,
                **more,
            }
            return self._send(method, where, "7.1-preview.1", route_values=route, content=body)

        def get_plan(self) -> Any:
            answer = self._plan("GET", "5cecd946-d704-471e-a45f-3b4064fcfaba")
            return self._deserialize("TaskOrchestrationPlan", answer)

        def post_event(self, event: object) -> int:
            answer = self._plan("POST", "557624af-b29e-4c20-8ab0-0399d2204f3f", event)
            return int(answer.status_code)

        def append_feed(self, lines: list[str]) -> int:
            feed = models.TimelineRecordFeedLinesWrapper(count=len(lines), value=lines)
            where = {"timelineId": job.timeline_id, "recordId": job.job_id}
            identifier = "858983e4-19bd-4c5e-864c-507b59b58b12"
            return int(self._plan("POST", identifier, feed.serialize(), **where).status_code)

    credentials = authentication.BasicAuthentication("", token or job.token)
    return Client(job.plan_url.rstrip("/"), credentials)


def test_the_task_sends_the_plans_values_in_headers_and_waits(devops: DevOps) -> None:
    seen: list[tuple[Mapping[str, str], str]] = []

    def waits(headers: Mapping[str, str], body: str) -> tuple[str, int]:
        seen.append((headers, body))
        return "noted", 202

    with endpoint(waits) as url:
        job = devops.start_server_job(
            "contoso", "mlops", url=url, body={"run_id": "a"}, headers={"X-Key": "k"}
        )
    ((headers, body),) = seen
    got = {name.lower(): value for name, value in headers.items()}
    assert got["planurl"] == f"{devops.url}/contoso/"
    assert {n.lower(): v for n, v in job.headers.items()}.items() <= got.items()
    assert (body, got["x-key"]) == ('{"run_id": "a"}', "k")
    assert job.answer is not None
    assert (job.answer.status, job.answer.body, job.result) == (202, "noted", None)


def test_a_header_can_be_left_out_of_the_tasks_call(devops: DevOps) -> None:
    seen: list[Mapping[str, str]] = []

    def waits(headers: Mapping[str, str], _: str) -> tuple[str, int]:
        seen.append(headers)
        return "", 202

    with endpoint(waits) as url:
        devops.start_server_job("contoso", "mlops", url=url, headers={"AuthToken": None})
    assert "authtoken" not in {name.lower() for name in seen[0]}


@pytest.mark.parametrize("status", [302, 400, 403, 500])
def test_a_job_whose_endpoint_refuses_has_failed(devops: DevOps, status: int) -> None:
    with endpoint(lambda *_: ("no", status)) as url:
        job = devops.start_server_job("contoso", "mlops", url=url)
    assert (job.result, job.reason) == ("failed", f"The endpoint answered {status}.")
    assert said(complete(job)) == (404, "OrchestrationSessionNotFoundException")


def test_the_task_follows_no_redirect(devops: DevOps) -> None:
    app = Flask(__name__)
    app.add_url_rule("/moved", "moved", lambda: ("", 302, {"Location": "/here"}), methods=["POST"])
    app.add_url_rule("/here", "here", lambda: ("", 202))
    with Server(app) as server:
        job = devops.start_server_job("contoso", "mlops", url=f"{server.url}/moved")
    assert (job.result, len(server.requests)) == ("failed", 1)


def test_a_job_whose_endpoint_does_not_answer_in_time_has_failed(devops: DevOps) -> None:
    hanging = Server(Flask(__name__))
    hanging.faults.add(Fault(hang=True))
    with hanging:
        job = devops.start_server_job("contoso", "mlops", url=hanging.url, call_timeout=0.2)
    assert (job.result, job.answer) == ("failed", None)
    assert "timed out after 0.2 seconds" in job.reason


def test_a_job_whose_endpoint_cannot_be_reached_has_failed(devops: DevOps) -> None:
    with Server(Flask(__name__)) as gone:
        url = gone.url
    job = devops.start_server_job("contoso", "mlops", url=url)
    assert (job.result, job.timed_out) == ("failed", False)
    assert "could not be sent" in job.reason


def test_a_completion_that_comes_before_the_endpoints_answer_counts(devops: DevOps) -> None:
    def waits(_: Mapping[str, str], __: str) -> tuple[str, int]:
        return "", complete(devops.server_jobs[0]).status_code

    with endpoint(waits) as url:
        assert devops.start_server_job("contoso", "mlops", url=url).result == "succeeded"


def test_a_body_longer_than_the_tasks_input_is_not_sent(devops: DevOps) -> None:
    with pytest.raises(ValueError, match="more than 2000 characters"):
        devops.start_server_job("contoso", "mlops", url="http://127.0.0.1:1", body="a" * 2001)


@pytest.mark.parametrize("result", ["succeeded", "failed"])
def test_a_completed_task_ends_the_job_with_its_result(job: ServerJob, result: str) -> None:
    answer = complete(job, result)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (job.result, job.reason) == (result, "")
    assert {(r["state"], r["result"]) for r in job.records} == {("completed", result)}


def test_the_first_completion_counts_and_the_second_is_refused(job: ServerJob) -> None:
    complete(job, "failed")
    assert said(complete(job, "succeeded")) == (404, "OrchestrationSessionNotFoundException")
    assert job.result == "failed"
    assert [(e.name, e.result, e.status) for e in job.events] == [
        ("TaskCompleted", "failed", 204),
        ("TaskCompleted", "succeeded", 404),
    ]


def test_a_job_that_nobody_completes_is_canceled_by_its_timeout(
    devops: DevOps, clock: Clock
) -> None:
    job = devops.start_server_job("contoso", "mlops", timeout=600)
    clock.pass_by(599)
    assert (job.result, job.timed_out) == (None, False)
    clock.pass_by(1)
    assert (job.timed_out, job.result) == (True, "canceled")
    assert job.reason == "The job ran longer than the maximum time of 10 minutes."
    assert said(complete(job)) == (404, "OrchestrationSessionNotFoundException")
    assert call(job, "GET", "").json()["result"] == "canceled"


def test_a_canceled_job_takes_no_completion(job: ServerJob) -> None:
    job.cancel()
    assert complete(job).status_code == 404
    assert (job.result, job.timed_out) == ("canceled", False)


def test_canceling_a_job_that_is_over_changes_nothing(job: ServerJob) -> None:
    complete(job)
    job.cancel()
    assert job.result == "succeeded"


def test_waiting_ends_with_the_completion(job: ServerJob) -> None:
    assert job.wait(0.01) is None
    later = threading.Thread(target=complete, args=[job, "failed"])
    later.start()
    assert job.wait(20) == "failed"
    later.join()


def test_waiting_ends_with_the_timeout_of_a_clock_that_is_moved(
    devops: DevOps, clock: Clock
) -> None:
    job = devops.start_server_job("contoso", "mlops", timeout=60)
    later = threading.Timer(0.05, clock.pass_by, [60])
    later.start()
    assert job.wait(20) == "canceled"
    later.join()


def test_neither_a_job_nor_a_service_tells_the_token(devops: DevOps, job: ServerJob) -> None:
    complete(job)
    with endpoint(lambda *_: ("", 202)) as url:
        job.call(url)
        called = requests.get(url.replace("/api/waits", "/_local/requests"), timeout=20).text
    told = requests.get(f"{devops.url}/_local/server-jobs", timeout=20).text
    received = requests.get(f"{devops.url}/_local/requests", timeout=20).text
    assert job.token not in repr(job) + told + received + called
    assert job.plan_id in told
    assert job.plan_id in called


def test_a_job_can_be_started_by_hand(devops: DevOps) -> None:
    control = f"{devops.url}/_local/server-jobs"
    with endpoint(lambda _, body: (body, 202)) as url:
        called = requests.post(control, json={"url": url, "body": {"a": 1}}, timeout=20).json()
    waiting = requests.post(control, json={}, timeout=20).json()
    assert (called["answer"], called["result"]) == ({"status": 202, "body": '{"a": 1}'}, None)
    assert "headers" not in called
    assert waiting["headers"] == devops.server_jobs[1].headers
    assert [j["plan_id"] for j in requests.get(control, timeout=20).json()] == [
        job.plan_id for job in devops.server_jobs
    ]


@pytest.mark.parametrize("body", [{"ulr": "x"}, {"project": "none"}, {"url": 7}, []])
def test_a_job_that_cannot_be_started_by_hand_is_refused(devops: DevOps, body: object) -> None:
    answer = requests.post(f"{devops.url}/_local/server-jobs", json=body, timeout=20)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert devops.server_jobs == []


def test_microsofts_client_reads_the_plan_and_completes_the_task(job: ServerJob) -> None:
    client = connected(job)
    plan = client.get_plan()
    assert (plan.plan_id, plan.scope_identifier) == (job.plan_id, job.project_id)
    assert (plan.timeline.id, plan.state) == (job.timeline_id, "inProgress")
    assert client.post_event(completed(job)) == 204
    assert (client.get_plan().result, job.result) == ("succeeded", "succeeded")


def test_microsofts_client_writes_lines_a_log_and_a_variable(job: ServerJob) -> None:
    client, plan = connected(job), (job.project_id, "build", job.plan_id)
    assert client.append_feed(["waiting for a", "a is Completed"]) == 204
    log = client.create_log(models.TaskLog(path=f"logs\\{job.task_id}"), *plan)
    client.append_log_content(io.BytesIO(b"\xef\xbb\xbfone\n"), *plan, log.id)
    grown = client.append_log_content(io.BytesIO("zwölf\n".encode()), *plan, log.id)
    held = {"model": models.VariableValue(value="m:3", is_secret=False)}
    record = models.TimelineRecord(id=job.task_id, log=grown, variables=held)
    changes = wrapper(count=1, value=[record.serialize()])
    (changed,) = client.update_records(changes, *plan, job.timeline_id)
    assert job.lines == ["waiting for a", "a is Completed"]
    assert (job.log, job.logs) == ("one\nzwölf\n", {1: "one\nzwölf\n"})
    assert (grown.line_count, grown.created_on.year) == (2, 2026)
    assert (changed.log.id, changed.name, job.variables) == (1, "Task", {"model": "m:3"})
    assert client.get_log(*plan, 1) == ["one", "zwölf"]
    assert [one.path for one in client.get_logs(*plan)] == [f"logs\\{job.task_id}"]
    assert [r.type for r in client.get_records(*plan, job.timeline_id)] == ["Job", "Task"]


def test_microsofts_client_tells_the_refusals(job: ServerJob) -> None:
    client = connected(job)
    client.post_event(completed(job))
    with pytest.raises(exceptions.AzureDevOpsServiceError, match="orchestration session"):
        client.post_event(completed(job))
    with pytest.raises(exceptions.AzureDevOpsServiceError, match="Access denied"):
        connected(job, token=PAT).get_plan()
    job.expire_token()
    with pytest.raises(exceptions.AzureDevOpsAuthenticationError):
        client.get_plan()
