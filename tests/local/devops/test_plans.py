"""An agentless job's plan: who may touch it, and what it takes from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.serving.faults import Fault
from tests.local.devops.calls import PAT, Clock, authorization
from tests.local.devops.serverjob_calls import NOWHERE, call, complete, completed, said

if TYPE_CHECKING:
    from local.devops import DevOps, ServerJob


@pytest.mark.parametrize("name", ["TaskAssigned", "TaskStarted"])
def test_other_events_leave_the_job_waiting(job: ServerJob, name: str) -> None:
    started = {"name": name, "taskId": job.task_id, "jobId": job.job_id}
    assert call(job, "POST", "/events", started).status_code == 204
    assert call(job, "POST", "/events", {**started, "jobId": NOWHERE}).status_code == 404
    assert (job.result, [event.status for event in job.events]) == (None, [204, 404])


def test_the_plan_says_whose_it_is_and_whether_it_is_over(job: ServerJob) -> None:
    before = call(job, "GET", "").json()
    complete(job, "failed")
    after = call(job, "GET", "").json()
    assert (before["planId"], before["scopeIdentifier"]) == (job.plan_id, job.project_id)
    assert (before["timeline"]["id"], before["planType"]) == (job.timeline_id, "Build")
    assert (before["state"], after["state"], after["result"]) == (
        "inProgress",
        "completed",
        "failed",
    )


def test_the_token_is_good_as_a_bearer_and_as_a_password(job: ServerJob) -> None:
    basic = {"Authorization": authorization(job.token)}
    assert call(job, "GET", "").status_code == 200
    assert call(job, "GET", "", headers=basic).status_code == 200


def test_an_expired_token_is_refused_while_the_job_goes_on_waiting(
    devops: DevOps, clock: Clock
) -> None:
    job = devops.start_server_job("contoso", "mlops", timeout=7200, token_life=3600)
    clock.pass_by(3599)
    assert call(job, "GET", "").status_code == 200
    clock.pass_by(1)
    suppress = {"X-TFS-FedAuthRedirect": "Suppress"}
    assert complete(job).status_code == 302
    assert complete(job, headers=suppress).status_code == 401
    assert (job.result, job.events) == (None, [])


def test_a_token_can_be_ended_in_the_shape_of_a_sign_in_page(job: ServerJob) -> None:
    job.expire_token("203")
    answer = complete(job)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (203, "text/html")
    assert job.result is None


def test_the_token_outlives_the_job(job: ServerJob) -> None:
    complete(job)
    assert call(job, "GET", "").status_code == 200


@pytest.mark.parametrize("way", ["another job's token", "a PAT"])
def test_only_the_plans_own_token_may_touch_it(devops: DevOps, job: ServerJob, way: str) -> None:
    other = devops.start_server_job("contoso", "mlops").token
    header = authorization(PAT) if way == "a PAT" else f"Bearer {other}"
    for answer in (
        complete(job, headers={"Authorization": header}),
        call(job, "GET", "", headers={"Authorization": header}),
    ):
        assert said(answer) == (403, "TaskOrchestrationPlanSecurityException")
    assert (job.result, job.events) == (None, [])


@pytest.mark.parametrize("header", ["", "Bearer nobody", "Basic ???", f"Bearer {PAT}"])
def test_an_unknown_token_is_refused(job: ServerJob, header: str) -> None:
    assert complete(job, headers={"Authorization": header}).status_code == 302
    assert job.result is None


def test_a_jobs_token_starts_no_pipeline_and_is_unknown_elsewhere(
    devops: DevOps, job: ServerJob
) -> None:
    devops.add_project("fabrikam", "mlops")
    bearer = {"Authorization": f"Bearer {job.token}"}
    run = f"{devops.url}/contoso/mlops/_apis/pipelines/42/runs?api-version=7.1"
    assert requests.post(run, json={}, headers=bearer, timeout=20).status_code == 403
    elsewhere = f"{devops.url}/fabrikam/mlops/_apis/pipelines"
    answer = requests.get(elsewhere, headers=bearer, timeout=20, allow_redirects=False)
    assert (answer.status_code, devops.runs) == (302, [])


@pytest.mark.parametrize(
    "wrong", [{"plan": NOWHERE}, {"project": NOWHERE}, {"hub": "rm"}, {"hub": "Gates"}]
)
def test_a_plan_that_is_not_there_is_not_found(job: ServerJob, wrong: dict[str, str]) -> None:
    expected = (404, "TaskOrchestrationPlanNotFoundException")
    assert said(call(job, "GET", "", **wrong)) == expected  # type: ignore[arg-type]
    assert said(complete(job, **wrong)) == expected
    assert job.result is None


def test_a_plan_of_another_project_is_not_found(devops: DevOps, job: ServerJob) -> None:
    other = devops.start_server_job("contoso", "other").project_id
    assert complete(job, project=other).status_code == 404


@pytest.mark.parametrize("wrong", [{"project": "mlops"}, {"plan": "7"}])
def test_ids_in_the_path_are_guids(job: ServerJob, wrong: dict[str, str]) -> None:
    assert complete(job, **wrong).status_code == 404


def test_capitals_do_not_matter_in_hubs_and_guids(job: ServerJob) -> None:
    body = completed(job, taskId=job.task_id.upper(), jobId=job.job_id.upper())
    where = {"hub": "Build", "plan": job.plan_id.upper(), "project": job.project_id.upper()}
    assert call(job, "POST", "/events", body, **where).status_code == 204  # type: ignore[arg-type]
    assert job.result == "succeeded"


def test_a_forgotten_plan_is_gone(job: ServerJob) -> None:
    job.forget()
    assert said(call(job, "GET", "")) == (404, "TaskOrchestrationPlanNotFoundException")
    assert said(complete(job)) == (404, "TaskOrchestrationPlanNotFoundException")


@pytest.mark.parametrize("name", ["taskId", "jobId"])
def test_a_completion_for_other_ids_ends_nothing(job: ServerJob, name: str) -> None:
    answer = call(job, "POST", "/events", completed(job, **{name: NOWHERE}))
    assert said(answer) == (404, "OrchestrationSessionNotFoundException")
    assert "not found for hub Build" in answer.json()["message"]
    assert job.result is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": "TaskFinished"},
        {"result": "Succeeded"},
        {"result": None},
        {"taskId": "7"},
        {"jobId": None},
        {"more": 1},
    ],
)
def test_an_event_that_is_none_ends_nothing(job: ServerJob, change: dict[str, Any]) -> None:
    assert call(job, "POST", "/events", {**completed(job), **change}).status_code == 400
    assert (job.result, job.events) == (None, [])


def test_versions_are_served_from_the_first_on_and_must_be_told(job: ServerJob) -> None:
    good = ["2.0", "2.0-preview.1", "4.1", "5.1-preview.1", "7.1", "7.1-preview.1", "7.2-preview.1"]
    assert {call(job, "GET", "", version=version).status_code for version in good} == {200}
    assert said(complete(job, version=None)) == (400, "VssVersionNotSpecifiedException")
    assert complete(job, version="1.0").status_code == 400
    assert complete(job, version="7.2").status_code == 400
    assert job.result is None


def test_the_first_versions_are_served_for_tasks_only(devops: DevOps, job: ServerJob) -> None:
    old = f"{devops.url}/contoso/mlops/_apis/pipelines?api-version=4.1"
    bearer = {"Authorization": f"Bearer {job.token}"}
    key = (400, "VssVersionOutOfRangeException")
    assert said(requests.get(old, headers=bearer, timeout=20)) == key


def test_content_types_are_held_to(job: ServerJob) -> None:
    form = {"Content-Type": "text/plain"}
    key = (400, "VssRequestContentTypeNotSupportedException")
    assert said(complete(job, headers=form)) == key
    call(job, "POST", "/logs", {"path": "logs\\a"})
    assert said(call(job, "POST", "/logs/1", {"a": 1})) == key
    assert (job.result, job.logs) == (None, {1: ""})


def test_live_lines_come_in_order_on_the_job_or_the_task(job: ServerJob) -> None:
    feed = f"/timelines/{job.timeline_id}/records/{{}}/feed"
    first = {"value": ["one", "two"], "count": 2}
    assert call(job, "POST", feed.format(job.job_id), first).status_code == 204
    more = {"value": ["three"], "count": 1, "stepId": job.task_id, "startLine": 3}
    assert call(job, "POST", feed.format(job.task_id), more).status_code == 204
    assert job.lines == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("where", "body", "status"),
    [
        ("/timelines/{t}/records/{j}/feed", {"value": ["a"], "count": 2}, 400),
        ("/timelines/{t}/records/{j}/feed", {"value": "a", "count": 1}, 400),
        ("/timelines/{t}/records/{n}/feed", {"value": ["a"], "count": 1}, 404),
        ("/timelines/{n}/records/{j}/feed", {"value": ["a"], "count": 1}, 404),
        ("/logs", {}, 400),
        ("/events", [], 400),
    ],
)
def test_what_cannot_be_shown_is_refused(
    job: ServerJob, where: str, body: object, status: int
) -> None:
    path = where.format(t=job.timeline_id, j=job.job_id, n=NOWHERE)
    assert call(job, "POST", path, body).status_code == status
    assert (job.lines, job.logs) == ([], {})


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"id": "{task}", "log": {"id": 9}}, 404),
        ({"id": "7", "name": "a", "type": "Task"}, 400),
        ({"id": NOWHERE, "name": "a"}, 400),
        ({"id": NOWHERE, "name": "a", "type": "Task"}, 200),
    ],
)
def test_a_record_needs_a_guid_a_log_that_exists_and_a_name_and_type_if_new(
    job: ServerJob, record: dict[str, Any], status: int
) -> None:
    change = {**record, "id": record["id"].format(task=job.task_id)}
    path = f"/timelines/{job.timeline_id}/records"
    body = {"value": [change], "count": 1}
    assert call(job, "PATCH", path, body).status_code == status
    assert len(job.records) == (3 if status == 200 else 2)


def test_what_is_null_in_a_record_stays_as_it_was(job: ServerJob) -> None:
    change = {"id": job.task_id, "name": None, "type": None, "percentComplete": 50}
    path = f"/timelines/{job.timeline_id}/records"
    (told,) = call(job, "PATCH", path, {"value": [change], "count": 1}).json()["value"]
    assert (told["name"], told["type"], told["percentComplete"]) == ("Task", "Task", 50)
    assert call(job, "GET", path).json()["value"][1] == told


def test_a_log_that_is_not_there_takes_no_text(job: ServerJob) -> None:
    stream = {"Content-Type": "application/octet-stream"}
    assert call(job, "POST", "/logs/1", "a", headers=stream).status_code == 404


def test_faults_hit_events_as_everything_else(devops: DevOps, job: ServerJob) -> None:
    devops.server.faults.add(Fault(path="*/events", status=503, after=True))
    assert complete(job).status_code == 503
    assert (job.result, complete(job).status_code) == ("succeeded", 404)
    devops.throttle(1, retry_after=7)
    assert call(job, "GET", "").headers["Retry-After"] == "7"


def test_the_requests_on_a_plan_are_kept_with_how_they_were_answered(job: ServerJob) -> None:
    call(job, "GET", "")
    complete(job, headers={"Authorization": "Bearer nobody"})
    complete(job)
    assert job.requests == [("GET", "", 200), ("POST", "events", 302), ("POST", "events", 204)]
