"""Whose word an answer is: what somebody on the way to Azure DevOps says proves nothing."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.explaining import explained
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.devops.pipelines.catalogue import Project
from local.devops.pipelines.defined import RunRequest
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, route
from tests.saying.refusals import JSON, POST_RUN, WRONG, says
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation

PAGE = "<html><title>Gateway</title><body>Your request is being scanned.</body></html>"
HTML = {"Content-Type": "text/html"}
EXPIRED = "Access%20Denied%3A%20it%20has%20expired."
GITHUB = (
    "/register.yml: Could not get the latest source version for repository contoso/templates "
    'hosted on https://github.com/ using ref refs/heads/main. GitHub reported the error, "API rate '
    'limit exceeded for installation ID 1."'
)


def deliver(stage: Stage, run: str = "r1") -> Continuation:
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed(run))
    return stage.only(run)


# what a stranger puts in the place of the answer


@pytest.mark.parametrize("status", [200, 203, 302, 400, 401, 403, 404, 409, 429, 451])
def test_a_strangers_page_in_the_place_of_the_answer_makes_no_second_start(
    stage: Stage, status: int
) -> None:
    page = Fault("POST", POST_RUN, status=status, after=True, body=PAGE, headers=HTML)
    stage.devops.server.faults.add(page)
    row = deliver(stage)
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.IN_DOUBT, 1)
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.reason, row.duplicates) == (State.STARTED, Reason.FOUND, ())
    assert stage.started() == [(42, "r1")]


def test_the_page_itself_is_told(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=403, body=PAGE, headers=HTML))
    assert "answered 403: Gateway Your request is being scanned." in deliver(stage).detail


def test_a_strangers_page_blocks_nobody(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=203, body=PAGE, headers=HTML))
    deliver(stage)
    assert deliver(stage, "r2").state is State.STARTED


THROTTLES = {
    "a gateway's": '{"statusCode": 429, "message": "Rate limit is exceeded."}',
    "in the form of an error": '{"message": "Too many requests"}',
    "no JSON": "slow down",
    "empty": "",
}


def throttled(body: str, *, after: bool = False) -> Fault:
    headers = {**JSON, "Retry-After": "60", "X-TFS-ProcessId": "kept of what it hides"}
    return Fault("POST", POST_RUN, status=429, after=after, body=body, headers=headers)


@pytest.mark.parametrize("body", THROTTLES.values(), ids=THROTTLES)
def test_a_limit_of_somebody_else_behind_which_a_run_was_queued_makes_no_second_start(
    stage: Stage, body: str
) -> None:
    stage.devops.server.faults.add(throttled(body, after=True))
    row = deliver(stage)
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.IN_DOUBT, 1)
    assert deliver(stage, "r2").reason is Reason.THROTTLED
    for _ in range(3):
        stage.reconcile(seconds=61)
    row = stage.only("r1")
    assert (row.state, row.reason, row.duplicates) == (State.STARTED, Reason.FOUND, ())
    assert sorted(stage.started()) == [(42, "r1"), (42, "r2")]


def test_what_a_limit_of_somebody_else_held_back_is_started_once(stage: Stage) -> None:
    stage.devops.server.faults.add(throttled(THROTTLES["empty"]))
    deliver(stage)
    stage.reconcile(seconds=61)
    stage.reconcile(minutes=11)
    assert (stage.started(), stage.posts()) == ([(42, "r1")], 1)


def test_a_run_of_another_pipeline_is_not_believed(stage: Stage) -> None:
    body = json.dumps({"id": 7, "pipeline": {"id": 43}})
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=200, body=body, headers=JSON))
    row = deliver(stage)
    assert (row.state, row.reason) == (State.OPEN, Reason.IN_DOUBT)
    assert "another pipeline" in row.detail


def test_a_build_of_another_pipeline_is_not_adopted(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="before"))
    deliver(stage)
    build = {"id": 7, "definition": {"id": 43}, "templateParameters": {"run_id": "r1"}}
    body = json.dumps({"value": [build]})
    stage.devops.server.faults.add(Fault("GET", "*/build/builds", status=200, body=body))
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.pipeline_run, row.reason) == (State.OPEN, None, Reason.IN_DOUBT)


def test_a_branch_that_is_not_the_one_that_was_asked_for_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    route(stage)
    text = stage.routes_file.read_text()
    stage.routes(text.replace("pipeline: 42", "pipeline: 42, branch: refs/heads/main"))
    stage.deploy()
    taken = {"repositories": {"self": {"refName": "refs/heads/other"}}}
    body = json.dumps({"id": 7, "pipeline": {"id": 42}, "resources": taken})
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=200, body=body, headers=JSON))
    row = deliver(stage)
    assert (row.state, row.pipeline_run) == (State.STARTED, 7)
    assert row.detail == "it runs from refs/heads/other, although refs/heads/main was asked for"
    (line,) = [r for r in caplog.records if r.message.startswith("continuation=started")]
    assert line.levelno == logging.WARNING


def test_an_answer_with_another_run_s_parameters_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A cache on the way may answer with what it kept. To ask again could start it twice."""
    run = {"id": 7, "pipeline": {"id": 42}, "templateParameters": {"RUN_ID": "r0", "more": "1"}}
    answer = Fault("POST", POST_RUN, status=200, body=json.dumps(run), headers=JSON)
    stage.devops.server.faults.add(answer)
    row = deliver(stage)
    assert (row.state, row.pipeline_run) == (State.STARTED, 7)
    assert row.detail == "it may be another's: it has other values of run_id"
    assert caplog.records[-1].levelname == "WARNING"


@pytest.mark.parametrize("queued", [True, False])
def test_a_run_that_another_request_was_answered_with_is_nobody_elses(
    stage: Stage, *, queued: bool
) -> None:
    """A cache on the way answers again with what it kept, whether or not it let the request by."""
    first = deliver(stage)
    body = json.dumps({"id": first.pipeline_run, "pipeline": {"id": 42}})
    kept = Fault("POST", POST_RUN, status=200, after=queued, body=body, headers=JSON)
    stage.devops.server.faults.add(kept)
    row = deliver(stage, "r2")
    assert (row.state, row.reason) == (State.OPEN, Reason.IN_DOUBT)
    assert f"answered with run {first.pipeline_run}, which is another's" in row.detail
    for _ in range(4):
        stage.reconcile(minutes=11)
    row = stage.only("r2")
    assert (row.state, row.pipeline_run) == (State.STARTED, stage.devops.runs[1].id)
    assert stage.started() == [(42, "r1"), (42, "r2")]


# what a 400 is about


@pytest.mark.parametrize(
    "message",
    [
        WRONG,
        "A value for the 'run_id' parameter must be provided.",
        "The 'n' parameter value 'x' is not a valid Number.",
        "The 'n' parameter value 'x' is not a permitted value.",
        "You can't set the following variables (X).",
    ],
)
def test_a_request_that_is_wrong_is_failed_at_once(stage: Stage, message: str) -> None:
    stage.devops.server.faults.add(says(400, message))
    row = deliver(stage)
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)
    assert row.detail.endswith(message)


@pytest.mark.parametrize(
    "message",
    [
        GITHUB,
        "The service connection contoso could not be used: it was disabled.",
        "Could not find file register.yml in repository contoso/mlops.",
        "The pipeline is disabled.",
        "The queue of definition 42 is paused.",
    ],
)
def test_what_passes_by_itself_is_started_when_it_has_passed(stage: Stage, message: str) -> None:
    stage.devops.server.faults.add(says(400, message))
    row = deliver(stage)
    assert (row.state, row.reason) == (State.OPEN, Reason.UNAVAILABLE)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1")]


def test_what_does_not_pass_is_failed_after_three_days_and_alerted_before(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.devops.server.faults.add(says(400, GITHUB, times=10**6))
    deliver(stage)
    for _ in range(71):
        stage.reconcile(hours=1)
    assert stage.only("r1").state is State.OPEN
    alerts = [r for r in caplog.records if "reason=unavailable" in r.message]
    assert [r.levelno for r in alerts][:2] == [logging.WARNING] * 2
    assert alerts[-1].levelno == logging.ERROR
    stage.reconcile(hours=2)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.UNAVAILABLE)


def test_a_400_of_an_unknown_kind_is_parked_with_an_alert_and_a_bound(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.devops.server.faults.add(says(400, "The moon is not right.", times=10**6))
    row = deliver(stage)
    assert (row.state, row.reason) == (State.OPEN, Reason.REFUSED)
    assert [r.levelno for r in caplog.records if "The moon" in r.message] == [logging.ERROR]
    stage.reconcile(hours=71)
    assert stage.only("r1").state is State.OPEN
    stage.reconcile(hours=2)
    assert stage.only("r1").state is State.FAILED


def test_the_service_s_own_words_reach_the_operator(stage: Stage) -> None:
    found = {
        "message": "The build could not be queued.",
        "typeKey": "BuildRequestValidationFailedException",
        "customProperties": {"ValidationResults": [{"result": "error", "message": WRONG}]},
    }
    body = json.dumps(found)
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=400, body=body))
    row = deliver(stage)
    assert row.detail.endswith(f"The build could not be queued.; {WRONG}")
    assert row.state is State.FAILED


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=401, headers={"X-TFS-ServiceError": EXPIRED}),
        Fault(
            status=401,
            headers={**HTML, "WWW-Authenticate": "Basic"},
            body="<html><body>Access Denied: it has expired.</body></html>",
        ),
    ],
    ids=["a header", "a page"],
)
def test_the_words_of_a_401_reach_the_operator(stage: Stage, fault: Fault) -> None:
    fault.method, fault.path, fault.times = "POST", POST_RUN, 2
    stage.devops.server.faults.add(fault)
    row = deliver(stage)
    assert row.reason is Reason.CREDENTIAL_REFUSED
    assert "Access Denied: it has expired." in row.detail


# servers of an older version


def older(stage: Stage, newest: str = "7.0") -> None:
    text = (
        "The requested REST API version of 7.1 is out of range for this server. The latest REST "
        f"API version this server supports is {newest}."
    )
    refusal = says(400, text, path="*/_apis/*", method="*", key="VssVersionOutOfRangeException")
    stage.devops.server.faults.add(refusal)


def test_a_server_of_an_older_version_is_asked_for_that(stage: Stage) -> None:
    older(stage)
    row = deliver(stage)
    assert (row.state, row.reason) == (State.OPEN, Reason.UNAVAILABLE)
    assert row.detail.startswith("the server speaks REST 7.0, not 7.1: DEVOPS_API_VERSION=7.0")
    stage.reconcile(seconds=1)
    assert stage.started() == [(42, "r1")]
    (*_, last) = stage.devops.server.received("POST", "/runs")
    assert last.query == {"api-version": "7.0"}


def test_a_server_that_has_running_pipelines_as_a_preview_is_asked_for_that(stage: Stage) -> None:
    older(stage, "6.0")
    text = (
        'The requested version "6.0" of the resource is under preview. The -preview flag must be '
        "supplied in the api-version for such requests."
    )
    stage.devops.server.faults.add(says(400, text, key="VssInvalidPreviewVersionException"))
    assert deliver(stage).reason is Reason.UNAVAILABLE
    stage.reconcile(seconds=1)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.UNAVAILABLE)
    assert row.detail.endswith("DEVOPS_API_VERSION=6.0-preview says so")
    stage.reconcile(seconds=1)
    assert stage.started() == [(42, "r1")]
    (*_, last) = stage.devops.server.received("POST", "/runs")
    assert last.query == {"api-version": "6.0-preview"}


def test_a_version_that_is_a_preview_and_is_none_is_no_riddle_for_ever(stage: Stage) -> None:
    stage.deploy(DEVOPS_API_VERSION="7.1-preview.1")
    refusal = says(400, "no", times=10**6, key="VssInvalidPreviewVersionException")
    stage.devops.server.faults.add(refusal)
    assert deliver(stage).state is State.FAILED


# who is left alone

TWO_SECRETS = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: bad
    match: {experiment: "other-*"}
    start: {pipeline: 43, secret: pat-of-team-b, parameters: {run_id: "{{ run.id }}"}}
  - name: good
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


@pytest.fixture
def two(stage: Stage) -> Stage:
    stage.cloud.vault.put("pat-of-team-b", "revoked-pat-0123456789")
    stage.routes(TWO_SECRETS)
    stage.deploy()
    stage.aml.add_run("b1", experiment="other-x")
    stage.deliver(completed("b1", experimentName="other-x"))
    assert stage.only("b1").reason is Reason.CREDENTIAL_REFUSED
    return stage


def test_a_refused_secret_holds_back_those_who_use_it_and_nobody_else(two: Stage) -> None:
    two.aml.add_run("b2", experiment="other-x")
    posts = two.posts()
    two.deliver(completed("b2", experimentName="other-x"))
    assert (two.only("b2").reason, two.posts()) == (Reason.CREDENTIAL_REFUSED, posts)
    assert deliver(two, "a1").state is State.STARTED


def test_the_secret_that_was_refused_is_the_one_that_is_named(two: Stage) -> None:
    told = explained(two.only("b1"), two.clock.now(), Policy())
    assert "pat-of-team-b" in told.means
    assert "pat-of-team-b" in told.do
    two.devops.accept("renewed")
    two.cloud.vault.put("pat-of-team-b", "renewed")
    two.reconcile(minutes=1)
    assert two.only("b1").state is State.STARTED


def test_who_was_throttled_waits_and_others_do_not(two: Stage) -> None:
    two.devops.accept("revoked-pat-0123456789")
    two.reconcile(minutes=16)
    two.devops.throttle(1, 600)
    assert deliver(two, "a1").reason is Reason.THROTTLED
    two.aml.add_run("b2", experiment="other-x")
    two.deliver(completed("b2", experimentName="other-x"))
    assert two.only("b2").state is State.STARTED


def test_three_days_of_403_are_three_days_though_the_connection_stutters(stage: Stage) -> None:
    stage.devops.server.faults.add(says(403, times=10**6))
    deliver(stage)
    for hour in range(71):
        if hour % 5 == 4:
            stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
        stage.reconcile(hours=1)
    assert stage.only("r1").state is State.OPEN
    stage.reconcile(hours=2)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.FAILED, Reason.REFUSED)


# look-ups that come to no end


def doubtful(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="before"))
    assert deliver(stage).reason is Reason.IN_DOUBT


@pytest.mark.parametrize("status", [403, 404])
def test_a_look_up_that_is_refused_is_held_after_three_days_and_says_what_to_do(
    stage: Stage, status: int
) -> None:
    doubtful(stage)
    refused = says(status, "not for you", path="*/_apis/build/*", method="GET", times=10**6)
    stage.devops.server.faults.add(refused)
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.LOOK_FAILED)
    assert "not for you" in row.detail
    stage.reconcile(hours=71)
    assert stage.only("r1").state is State.OPEN
    stage.reconcile(hours=2)
    row = stage.only("r1")
    assert (row.state, row.reason, stage.posts()) == (State.HELD, Reason.IN_DOUBT, 0)
    assert "--as-started" in explained(row, stage.clock.now(), Policy()).do


def test_a_deleted_build_that_shows_no_parameters_blocks_no_look_up_for_ever(stage: Stage) -> None:
    doubtful(stage)
    pipeline = stage.devops.catalogue.pipeline(Project("contoso", "mlops"), 42)
    stage.devops.delete(stage.devops.queue(pipeline, RunRequest()).id)
    for _ in range(5):
        stage.reconcile(days=1)
    assert stage.only("r1").state is not State.OPEN


def test_a_build_of_a_push_is_not_looked_into(stage: Stage) -> None:
    doubtful(stage)
    build = {"id": 7, "definition": {"id": 42}, "reason": "individualCI", "deleted": True}
    body = json.dumps({"value": [build]})
    stage.devops.server.faults.add(Fault("GET", "*/build/builds", status=200, body=body, times=9))
    stage.reconcile(seconds=31)
    assert stage.only("r1").history[-2].what == "looked: absent"
    assert stage.devops.server.received("GET", "/build/builds/7") == []


def test_a_look_up_that_is_throttled_leaves_the_account_alone(stage: Stage) -> None:
    doubtful(stage)
    stage.devops.server.faults.add(Fault("GET", "*", status=429, headers={"Retry-After": "600"}))
    stage.reconcile(seconds=31)
    posts = stage.posts()
    assert deliver(stage, "r2").reason is Reason.THROTTLED
    assert stage.posts() == posts
