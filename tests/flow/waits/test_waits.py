"""Agentless tasks that wait for runs: registered, answered once, and nothing told to strangers."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import azure.functions as func
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from msgspec.structs import replace

from functions import registrations
from functions.core.kept.tasks import WaitState
from functions.core.terms.deadline import Deadline
from functions.core.waits.admitting import MOST_OF_A_PLAN
from local.aml.jobs import Jobs
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from local.serving.web import Server
from tests.flow.asking import EXPERIMENT
from tests.saying.wrapped import Wrapped
from tests.stage.azure import Stage, changed, completed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.cloud import Cloud
    from local.devops import ServerJob

SAW = "run.metrics.accuracy = 0.95"
KEY = "a key of the waits, long enough"
ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: wait
    complete: true
    match: {experiment: "defect-*"}
    when: run.metrics.accuracy >= 0.9
"""


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = Stage(cloud, tmp_path, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.cloud.vault.put("run-relay-waits-key", KEY)
    stage.routes(ROUTES)
    return stage


def runs(stage: Stage, run: str = "r1", accuracy: float | None = None, **of: Any) -> None:
    """A run that goes on, or has ended if it has an accuracy (or a status)."""
    metrics = {} if accuracy is None else {"accuracy": accuracy}
    status = of.pop("status", "Running" if accuracy is None else "Completed")
    stage.aml.add_run(run, status=status, metrics=metrics, **{"experiment": EXPERIMENT, **of})


def post(stage: Stage, headers: Mapping[str, str], body: object) -> tuple[int, str]:
    """What the endpoint answers."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = func.HttpRequest("POST", "/api/waits", headers=dict(headers), body=raw)
    (endpoint,) = registrations.blueprint(lambda: stage.app)._function_builders  # noqa: SLF001 - as indexed
    answer = endpoint._function._func(request)  # noqa: SLF001 - the same
    return answer.status_code, answer.get_body().decode()


def register(stage: Stage, *asked: str, job: ServerJob | None = None, **body: Any) -> ServerJob:
    """A server job that waits for these runs."""
    job = job or stage.devops.start_server_job("contoso", "mlops")
    told = {"run_ids": list(asked or ["r1"]), **body}
    assert post(stage, job.headers, told) == (202, "")
    return job


def ends(stage: Stage, run: str = "r1", accuracy: float = 0.95, status: str = "Completed") -> None:
    runs(stage, run, accuracy, status=status)
    stage.deliver(completed(run) if status == "Completed" else changed(run, status))


# the ways an answer comes about


def test_the_task_goes_on_when_its_run_completed_and_the_gate_holds(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    assert job.result is None
    ends(stage)
    assert job.result == "succeeded"
    holds = f"its gate holds: {SAW}; when: run.metrics.accuracy >= 0.9"
    assert job.lines == [f"Run Relay: run r1 ended as Completed; route wait: {holds}"]
    assert job.log.strip() == job.lines[0]


def test_the_task_fails_where_the_gate_says_no_and_the_view_says_why(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    ends(stage, accuracy=0.5)
    assert job.result == "failed"
    assert "its gate does not hold: run.metrics.accuracy = 0.5" in job.lines[0]


def sweep(stage: Stage, best: int | None, status: str = "Completed") -> None:
    trials = ({"accuracy": 0.5}, {"accuracy": 0.95}, {"accuracy": 0.6})
    jobs = Jobs(stage.aml, stage.cloud.arm, EXPERIMENT)
    jobs.sweep("r1", trials, best=best, status=status)


def test_a_task_that_waits_for_a_sweep_is_answered_by_its_best_trial(stage: Stage) -> None:
    sweep(stage, None, "Running")
    job = register(stage)
    assert job.result is None
    sweep(stage, 1)
    stage.deliver(completed("r1"))
    assert job.result == "succeeded"
    assert SAW in job.lines[0]


def test_a_best_trial_that_is_told_late_is_waited_for(stage: Stage) -> None:
    sweep(stage, None, "Running")
    job = register(stage)
    sweep(stage, None)
    stage.deliver(completed("r1"))
    assert job.result is None
    sweep(stage, 1)
    stage.reconcile(minutes=1)
    assert job.result == "succeeded"


def test_a_task_whose_sweep_never_tells_its_best_trial_fails_and_says_so(stage: Stage) -> None:
    sweep(stage, None)
    job = register(stage)
    for _ in range(4):
        stage.reconcile(minutes=31)
    assert job.result == "failed"
    assert "run.metrics.accuracy is not known: r1 does not name its best child" in job.lines[0]


@pytest.mark.parametrize("ended", [True, False])
def test_the_task_fails_where_its_run_is_deleted(stage: Stage, ended: bool) -> None:
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=0.95 if ended else None)
    stage.aml.delete_run("r1")
    stage.deliver(completed("r1"))
    assert (job.result, job.lines) == ("failed", ["Run Relay: run r1 was deleted"])


def test_nobody_waits_for_a_run_that_was_deleted(stage: Stage) -> None:
    runs(stage)
    stage.aml.delete_run("r1")
    job = stage.devops.start_server_job("contoso", "mlops")
    status, said = post(stage, job.headers, {"run_ids": ["r1"]})
    assert (status, "run r1 was deleted" in said) == (422, True)


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
def test_the_task_fails_with_its_run(stage: Stage, status: str) -> None:
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=0.95, status=status)
    stage.deliver(changed("r1", status))
    assert job.result == "failed"
    assert job.lines == [f"Run Relay: run r1 ended as {status}"]


def test_a_run_that_is_over_already_is_answered_at_once(stage: Stage) -> None:
    runs(stage, accuracy=0.95)
    assert register(stage).result == "succeeded"


def test_without_an_event_the_clock_answers(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=0.95)
    stage.reconcile(minutes=1)
    assert job.result is None
    stage.reconcile(minutes=30)
    assert job.result == "succeeded"


def test_all_runs_of_a_task_must_succeed(stage: Stage) -> None:
    for run in ("r1", "r2"):
        runs(stage, run)
    job = register(stage, "r1", "r2")
    ends(stage, "r1")
    assert job.result is None
    ends(stage, "r2")
    assert job.result == "succeeded"
    assert len(job.lines) == 2


def test_one_run_that_failed_is_enough(stage: Stage) -> None:
    for run in ("r1", "r2"):
        runs(stage, run)
    job = register(stage, "r1", "r2")
    ends(stage, "r2", accuracy=0.1)
    assert job.result == "failed"


def test_every_task_that_waits_for_a_run_is_answered(stage: Stage) -> None:
    runs(stage)
    jobs = [register(stage) for _ in range(3)]
    ends(stage)
    assert [job.result for job in jobs] == ["succeeded"] * 3


def test_a_route_that_only_answers_claims_nothing(stage: Stage) -> None:
    ends(stage)
    assert stage.of_run("r1") == {}


def test_a_route_may_start_a_pipeline_and_answer_tasks(stage: Stage) -> None:
    start = "start: {pipeline: 42, parameters: {run_id: '{{ run.id }}'}}"
    stage.routes(ROUTES.replace("complete: true", f"complete: true\n    {start}"))
    runs(stage)
    job = register(stage)
    ends(stage)
    assert job.result == "succeeded"
    assert stage.started() == [(42, "r1")]


def test_a_metric_that_comes_late_is_waited_for(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert job.result is None
    runs(stage, accuracy=0.95)
    stage.reconcile(seconds=31)
    assert job.result == "succeeded"


def test_an_event_that_comes_before_the_end_shows_is_not_forgotten(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.deliver(completed("r1"))
    runs(stage, accuracy=0.95)
    stage.reconcile(seconds=31)
    assert job.result == "succeeded"


def test_a_metric_that_never_comes_fails_the_task(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    for _ in range(3):
        stage.reconcile(minutes=31)
    assert job.result == "failed"
    assert "run.metrics.accuracy is not known" in job.lines[0]


# once, whatever happens


def test_a_registration_that_comes_twice_is_one(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    register(stage, job=job)
    ends(stage)
    register(stage, job=job)
    assert [event.status for event in job.events] == [204]


def test_events_that_come_again_answer_once(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    ends(stage)
    stage.deliver(changed("r1", "Completed"))
    stage.reconcile(minutes=31)
    assert [event.status for event in job.events] == [204]


class Dying(Wrapped):
    """The wait book; the process dies as it is about to write what was answered."""

    def change(self, entry: Any, changed: Any) -> Any:
        if changed.state is WaitState.COMPLETED:
            raise KeyboardInterrupt
        return self.real.change(entry, changed)


class DyingLedger(Wrapped):
    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.waits = Dying(real.waits)


def test_a_process_that_dies_after_the_answer_leaves_no_lost_task(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = register(stage)
    stage.build(ledger=DyingLedger(stage.ports.ledger))
    with pytest.raises(KeyboardInterrupt):
        ends(stage)
    assert job.result == "succeeded"
    stage.build()
    stage.reconcile(minutes=2)
    assert stage.ledger.waits.waiting(9) == []
    assert not [m for m in caplog.messages if m.startswith("wait=lost")]


@pytest.mark.parametrize(
    "how", [{"status": 503}, {"status": 429}, {"drop": "before"}, {"drop": "after"}]
)
def test_an_answer_that_is_not_taken_is_given_again(stage: Stage, how: dict[str, Any]) -> None:
    runs(stage)
    job = register(stage)
    stage.devops.server.faults.add(Fault(method="POST", path="*/events", **how))
    ends(stage)
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"
    assert stage.ledger.waits.waiting(9) == []


def test_a_view_that_takes_no_lines_does_not_keep_the_answer_back(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.devops.server.faults.add(Fault(path="*/feed", status=500, times=9))
    ends(stage)
    assert job.result == "succeeded"


def test_a_row_that_cannot_be_read_keeps_nobody_else_waiting(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    register(stage)
    with closing(sqlite3.connect(stage.read.ledger_url.removeprefix("sqlite:///"))) as file:
        file.execute(
            "UPDATE ledger SET columns = json_set(columns, '$.wait', '[') WHERE partition = 'waits'"
        )
        file.commit()
    job = register(stage)
    ends(stage)
    stage.reconcile(minutes=1)
    assert job.result == "succeeded"
    assert any(m.startswith("ledger=unreadable") for m in caplog.messages)


def stands_as(stage: Stage, state: str) -> None:
    """As a newer version leaves all that wait."""
    change = """UPDATE ledger SET columns = json_set(columns, '$.wait',
        json_set(json_extract(columns, '$.wait'), '$.state', ?) || '') WHERE partition = 'waits'"""
    with closing(sqlite3.connect(stage.read.ledger_url.removeprefix("sqlite:///"))) as file:
        file.execute(change, (state,))
        file.commit()


def test_a_wait_in_a_state_of_a_newer_version_is_left_to_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    theirs = register(stage)
    stands_as(stage, "asking")
    ours = register(stage)
    ends(stage)
    stage.reconcile(minutes=31)
    assert (theirs.result, ours.result) == (None, "succeeded")
    (line,) = [m for m in caplog.messages if m.startswith("ledger=unreadable")]
    assert "is asking: left to the version that knows that" in line
    stands_as(stage, "waiting")  # which stands for: another version knows the state
    stage.reconcile(minutes=31)
    assert theirs.result == "succeeded"


def test_a_task_that_registers_again_is_believed_whatever_its_wait_became(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stands_as(stage, "asking")
    register(stage, job=job)
    ends(stage)
    assert job.result == "succeeded"


# what is lost is told


def test_a_task_that_a_person_cancelled_is_no_alarm(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    runs(stage)
    job = register(stage)
    job.cancel()
    ends(stage)
    (line,) = [r for r in caplog.records if r.getMessage().startswith("wait=canceled")]
    assert line.levelname == "INFO"
    assert stage.ledger.waits.waiting(9) == []


@pytest.mark.parametrize("how", ["expire_token", "forget"])
def test_a_task_whose_token_or_plan_is_gone_is_recorded_and_told(
    stage: Stage, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = register(stage)
    getattr(job, how)()
    ends(stage)
    (line,) = [r for r in caplog.records if r.getMessage().startswith("wait=lost")]
    assert line.levelname == "ERROR"
    assert f"task={job.task_id}" in line.getMessage()
    assert stage.ledger.waits.waiting(9) == []


def test_a_task_that_waits_for_a_week_fails_or_is_lost(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.reconcile(days=8)
    assert job.result == "failed"
    assert stage.ledger.waits.waiting(9) == []


def test_an_answer_that_was_noted_and_never_arrived_is_lost_and_not_given(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = register(stage)
    stage.devops.server.faults.add(Fault(method="POST", path="*/events", status=503))
    ends(stage)
    job.expire_token()
    stage.reconcile(minutes=2)
    assert job.result is None
    assert [m for m in caplog.messages if m.startswith("wait=lost")]


def test_what_was_answered_once_is_not_judged_again(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.devops.server.faults.add(Fault(method="POST", path="*/events", drop="before"))
    ends(stage)
    runs(stage, accuracy=0.1)
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"


def test_a_bug_in_one_wait_costs_no_other_and_no_delivery(stage: Stage) -> None:
    class Broken(Wrapped):
        def complete(self, task: Any, *given: Any) -> Any:
            if task.id == first.task_id.lower():
                raise ZeroDivisionError
            return self.real.complete(task, *given)

    runs(stage)
    first, second = register(stage), register(stage)
    stage.build(tasks=Broken(stage.ports.tasks))
    ends(stage)
    assert (first.result, second.result) == (None, "succeeded")
    stage.build()
    stage.reconcile(minutes=2)
    assert first.result == "succeeded"


def test_a_paused_app_answers_nobody_until_it_goes_on(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.deploy(PAUSED="1")
    ends(stage)
    assert job.result is None
    stage.deploy(PAUSED="0")
    stage.reconcile(minutes=1)
    assert job.result == "succeeded"


def test_tags_that_the_run_may_still_set_are_no_reason_to_refuse(stage: Stage) -> None:
    stage.routes(ROUTES.replace('"defect-*"', '"defect-*", tags: {stage: prod}'))
    runs(stage)
    job = register(stage)
    runs(stage, accuracy=0.95, tags={"stage": "prod"})
    stage.deliver(completed("r1", runTags={"stage": "prod"}))
    assert job.result == "succeeded"


# secrets


def rows(stage: Stage) -> str:
    with closing(sqlite3.connect(stage.read.ledger_url.removeprefix("sqlite:///"))) as file:
        return str(file.execute("SELECT * FROM ledger").fetchall())


def test_the_token_lies_sealed_in_the_ledger_and_not_after_the_answer(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    runs(stage)
    job = register(stage)
    (entry,) = stage.ledger.waits.waiting(9)
    assert entry.wait.token
    assert stage.ports.seal.opened(entry.wait.token, Deadline(stage.clock, 9)) == job.token
    assert job.token not in rows(stage)
    ends(stage)
    assert entry.wait.token not in rows(stage)
    assert job.token not in caplog.text


def test_without_a_key_nothing_is_registered(stage: Stage) -> None:
    stage.cloud.vault.delete("run-relay-waits-key")
    runs(stage)
    job = stage.devops.start_server_job("contoso", "mlops")
    assert post(stage, job.headers, {"run_id": "r1"})[0] == 503
    assert job.token not in rows(stage)


def test_a_task_is_answered_though_the_key_was_renewed_meanwhile(stage: Stage) -> None:
    runs(stage)
    old = register(stage)
    stage.cloud.vault.put("run-relay-waits-key", "another key, long enough too")
    other = Stage(stage.cloud, stage.routes_file.parent, WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    other.routes(ROUTES)
    new = register(other)
    ends(stage)  # which has the old key in mind
    assert [job.result for job in (old, new)] == ["succeeded", "succeeded"]


def test_a_task_waits_on_while_its_key_cannot_be_read(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    stage.cloud.vault.delete("run-relay-waits-key")
    stage.deploy()
    ends(stage)
    (entry,) = stage.ledger.waits.waiting(9)
    assert "run-relay-waits-key" in entry.wait.why
    assert not job.result


def test_what_another_key_sealed_is_lost_and_said_so(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    register(stage)
    (entry,) = stage.ledger.waits.waiting(9)
    version, _, _ = entry.wait.token.rpartition(":")
    forged = f"{version}:{Fernet(Fernet.generate_key()).encrypt(b'x').decode()}"
    stage.ledger.waits.change(entry, replace(entry.wait, token=forged))
    ends(stage)
    assert any("wait=lost" in m and "another key" in m for m in caplog.messages)


# refusals


@pytest.mark.parametrize(
    ("routes", "body", "why"),
    [
        (ROUTES.replace("complete: true", "start: {pipeline: 42}"), {}, "no route has `complete"),
        (ROUTES.replace("defect-*", "churn-*"), {}, "wait wants experiment churn-*, it is defect"),
        (ROUTES, {"run_ids": ["r1", "nowhere"]}, "nowhere"),
        (ROUTES.replace("run.metrics.accuracy >= 0.9", "run.type == 'x'"), {}, "only an event"),
    ],
)
def test_a_registration_that_no_route_could_answer_is_refused_naming_why(
    stage: Stage, routes: str, body: dict[str, Any], why: str
) -> None:
    stage.routes(routes)
    runs(stage)
    job = stage.devops.start_server_job("contoso", "mlops")
    status, told = post(stage, job.headers, {"run_id": "r1", **body})
    assert status == 422
    assert why in told


def test_the_workspace_must_be_named_where_none_or_several_are_known(stage: Stage) -> None:
    runs(stage)
    stage.deploy(SWEEP_WORKSPACES="")
    job = stage.devops.start_server_job("contoso", "mlops")
    assert post(stage, job.headers, {"run_id": "r1"})[0] == 422
    register(stage, job=job, workspace=WORKSPACE)


def hostile(job: ServerJob, **headers: str | None) -> dict[str, str]:
    changed = {**job.headers, **headers}
    return {name: value for name, value in changed.items() if value is not None}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/contoso/",
        "https://dev.azure.com.evil.example/contoso/",
        "https://evil.example/dev.azure.com/",
        "https://dev.azure.com@127.0.0.1:{port}/",
        "http://dev.azure.com/contoso/",
        "https://dev.azure.com:8443/contoso/",
        "//127.0.0.1:{port}/",
        "file:///etc/passwd",
        "https://[::1",
        "https://evil.example\\.visualstudio.com/contoso/",
        "https://evil.example\\@dev.azure.com/contoso/",
        "https://dev.azure.com/contoso/?x=",
        "https://dev.azure.com/contoso/#",
        "https://dev.azure.com/contoso/;x/",
        "https://evil.example%2f.visualstudio.com/",
        "https://evil.example#.visualstudio.com/",
        "https://fabrikam.contoso.visualstudio.com/",
        "https://contoso.visualstudio.com./",
        "https://contoso.visualstudio.com:8443/",
        "https://contoso.visualstudio.com/mlops/",
        "https://dev.azure.com./contoso/",
        "https://dev.azure.com/contoso/mlops/",
        "https://dev.azure.com/%2e%2e/",
        "",
    ],
)
def test_a_token_is_never_sent_elsewhere(
    stage: Stage, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    runs(stage)
    job = stage.devops.start_server_job("contoso", "mlops")
    with Server(Flask("elsewhere")) as elsewhere:
        given = hostile(job, PlanUrl=url.format(port=elsewhere.port))
        status, told = post(stage, given, {"run_id": "r1"})
        assert elsewhere.requests == []
    assert (status, json.loads(told)) == (403, {"error": "refused"})
    assert job.requests == []
    assert any(m.startswith("wait=refused") for m in caplog.messages)


@pytest.mark.parametrize(
    "name", ["ProjectId", "HubName", "PlanId", "JobId", "TimelineId", "TaskInstanceId", "AuthToken"]
)
@pytest.mark.parametrize("value", [None, "x /../y", "a" * 9000])
def test_headers_that_are_missing_or_odd_are_refused_without_a_request(
    stage: Stage, name: str, value: str | None
) -> None:
    job = stage.devops.start_server_job("contoso", "mlops")
    status, told = post(stage, hostile(job, **{name: value}), {"run_id": "r1"})
    assert status == 400
    assert name.lower() in json.loads(told)["error"]
    assert stage.outgoing() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 5000,
        b"x" * 100_000,
        {},
        {"run_id": 7},
        {"run_ids": []},
        {"run_ids": ["r"] * 21},
        {"run_id": "a b"},
        {"run_id": "r1", "workspace": "/subscriptions/x"},
        [],
    ],
)
def test_bodies_that_are_odd_are_refused_without_a_request(stage: Stage, body: object) -> None:
    job = stage.devops.start_server_job("contoso", "mlops")
    status, told = post(stage, job.headers, body)
    assert status == 400
    assert 0 < len(json.loads(told)["error"]) < 500
    assert stage.outgoing() == []


def test_one_plan_cannot_take_the_place_of_all(stage: Stage) -> None:
    runs(stage)
    job = stage.devops.start_server_job("contoso", "mlops")
    for _ in range(MOST_OF_A_PLAN):
        given = hostile(job, TaskInstanceId=str(uuid4()))
        assert post(stage, given, {"run_id": "r1"})[0] == 202
    assert post(stage, given, {"run_id": "r1"})[0] == 202  # it waits already
    status, told = post(stage, hostile(job, TaskInstanceId=str(uuid4())), {"run_id": "r1"})
    assert (status, "of this plan" in told) == (429, True)
    assert register(stage)


def test_a_token_of_another_plan_is_refused_and_nothing_is_kept(stage: Stage) -> None:
    runs(stage)
    own, other = (stage.devops.start_server_job("contoso", "mlops") for _ in range(2))
    given = hostile(own, PlanId=other.plan_id, ProjectId=other.project_id)
    status, told = post(stage, given, {"run_id": "r1"})
    assert (status, json.loads(told)) == (403, {"error": "refused"})
    assert stage.ledger.waits.waiting(9) == []
    assert stage.aml.server.requests == []


def test_a_replayed_token_after_the_end_changes_nothing(stage: Stage) -> None:
    runs(stage)
    job = register(stage)
    ends(stage)
    job.expire_token()
    assert post(stage, job.headers, {"run_id": "r1"})[0] == 403
    assert [event.status for event in job.events] == [204]


def test_what_was_answered_is_forgotten_in_the_end(stage: Stage) -> None:
    runs(stage, accuracy=0.95)
    job = register(stage)
    assert job.task_id in rows(stage)
    stage.clock.forward(days=3)
    stage.app.sweep.sweep()
    assert job.task_id not in rows(stage)
