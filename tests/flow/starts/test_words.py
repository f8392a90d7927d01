"""What Azure DevOps says is understood as it was meant, and told as it was said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.devops.pipelines.defined import Parameter
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.saying.refusals import JSON, POST_RUN, says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

HTML = {"Content-Type": "text/html"}
KEPT = {**JSON, "X-VSS-E2EID": "1", "X-TFS-ProcessId": "2"}
MICROSOFT = "https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize?client_id=1"


def deliver(stage: Stage, run: str = "r1") -> Continuation:
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed(run))
    return stage.only(run)


# names and values of one's own among the service's words


@pytest.mark.parametrize(
    "message",
    [
        "Unexpected parameter 'timeout'",
        "A value for the 'temporary_storage' parameter must be provided.",
        "The 'env' parameter value 'temporary' is not a permitted value.",
        "The 'queue' parameter value 'it's disabled' is not a permitted value of this pipeline.",
        "You can't set the following variables (TIMEOUT, RATE).",
    ],
)
def test_a_name_or_a_value_of_one_s_own_is_no_reason_to_try_again(
    stage: Stage, message: str
) -> None:
    stage.devops.server.faults.add(says(400, message))
    row = deliver(stage)
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)
    assert row.detail.endswith(message)


@pytest.mark.parametrize(
    "message",
    [
        "The pipeline 'nightly' is disabled.",
        "Could not find file 'register.yml' in repository 'contoso/mlops'.",
        "The service can't say why: the pipeline 'nightly' is paused.",
    ],
)
def test_a_name_among_the_words_hides_nothing_that_passes(stage: Stage, message: str) -> None:
    stage.devops.server.faults.add(says(400, message))
    assert deliver(stage).reason is Reason.UNAVAILABLE


@pytest.mark.parametrize(
    ("message", "reason"),
    [("The moon is not right.", Reason.REFUSED), ("Temporarily no.", Reason.UNAVAILABLE)],
)
def test_a_400_that_may_be_tried_at_once_is_failed_after_three_days_too(
    stage: Stage, message: str, reason: Reason
) -> None:
    refusal = says(400, message, times=10**6)
    refusal.headers["Retry-After"] = "0"
    stage.devops.server.faults.add(refusal)
    assert deliver(stage).reason is reason
    stage.reconcile(hours=71)
    assert stage.only("r1").state is State.OPEN
    stage.reconcile(hours=2)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.FAILED, reason)


def test_the_words_of_an_error_in_its_other_form_are_told(stage: Stage) -> None:
    body = json.dumps({"count": 1, "value": {"Message": "The request is invalid."}})
    headers = {**JSON, "X-TFS-ProcessId": "1"}
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=400, body=body, headers=headers))
    assert deliver(stage).detail.endswith("400: The request is invalid.")


# who asks to slow down


def test_a_429_with_a_page_of_azure_devops_leaves_the_account_alone(stage: Stage) -> None:
    headers = {**HTML, "Retry-After": "600", "X-TFS-ServiceError": "TF400733"}
    page = Fault("POST", POST_RUN, status=429, body="<html>Slow down</html>", headers=headers)
    stage.devops.server.faults.add(page)
    assert deliver(stage).reason is Reason.THROTTLED
    posts = stage.posts()
    assert deliver(stage, "r2").reason is Reason.THROTTLED
    assert stage.posts() == posts


# strangers that sound like the service


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=302, headers={"Location": MICROSOFT}),
        Fault(status=203, headers=HTML, body=f'<html><a href="{MICROSOFT}">Sign in</a></html>'),
        Fault(status=200, headers=HTML, body=f'<html><a href="{MICROSOFT}">Sign in</a></html>'),
        Fault(status=401, headers=JSON, body='{"message": "Unauthorized"}'),
        Fault(status=403, headers=JSON, body='{"message": "Forbidden"}'),
        Fault(status=404, headers=JSON, body='{"message": "no Route matched"}'),
        Fault(status=400, headers=JSON, body='{"message": "Bad request"}'),
        Fault(status=403, headers=JSON, body='{"statusCode": 403, "message": "Forbidden"}'),
        Fault(status=403, headers={**HTML, "X-VSS-E2EID": "1"}, body="<html>Scanned</html>"),
        Fault(status=403, headers=KEPT, body='{"statusCode": 403, "message": "Forbidden"}'),
        Fault(status=401, headers=KEPT, body='{"message": "Unauthorized"}'),
        Fault(status=409, headers=KEPT, body='{"error": {"code": "Blocked"}}'),
        Fault(status=403, headers={**KEPT, "Content-Type": "text/plain"}, body="Forbidden"),
        Fault(status=404, headers=KEPT, body='{"message": "Not found", "typeKey": 7}'),
        Fault(status=403, headers={"X-VSS-E2EID": "1"}),
        Fault(status=302, headers={**KEPT, "Location": MICROSOFT}),
        Fault(status=203, headers={**KEPT, **HTML}, body=f"<html>{MICROSOFT}</html>"),
    ],
    ids=[
        "redirect",
        "203",
        "200",
        "401",
        "403",
        "404",
        "400",
        "keys of a gateway",
        "headers that a page keeps",
        "headers that JSON keeps",
        "headers that a 401 keeps",
        "headers that other JSON keeps",
        "headers that a text keeps",
        "a type that is none",
        "headers and nothing else",
        "headers that a redirect keeps",
        "headers that a 203 keeps",
    ],
)
def test_a_gateway_that_sounds_like_the_service_makes_no_second_start(
    stage: Stage, fault: Fault
) -> None:
    fault.method, fault.path, fault.after, fault.times = "POST", POST_RUN, True, 1
    stage.devops.server.faults.add(fault)
    row = deliver(stage)
    assert (row.state, row.reason, stage.posts()) == (State.OPEN, Reason.IN_DOUBT, 1)
    stage.reconcile(seconds=31)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.STARTED, Reason.FOUND)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_somebody_refuses_each_time_ends_as_failed_once_it_is_nowhere_to_be_found(
    stage: Stage, status: int
) -> None:
    refused = Fault("POST", POST_RUN, status=status, headers=JSON, body='{"message": "no"}')
    refused.times = 99
    stage.devops.server.faults.add(refused)
    deliver(stage)
    for _ in range(12):
        stage.reconcile(hours=1)
    row = stage.only("r1")
    assert (row.state, row.reason, row.sends) == (State.FAILED, Reason.REFUSED, 3)
    assert row.detail == "sent 3 times, refused at last, and never found"


def test_a_loss_after_a_refusal_is_for_a_person_to_settle(stage: Stage) -> None:
    refused = Fault("POST", POST_RUN, status=403, headers=JSON, body='{"message": "no"}')
    stage.devops.server.faults.add(refused)
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="before", times=2))
    deliver(stage)
    for _ in range(12):
        stage.reconcile(hours=1)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.HELD, Reason.IN_DOUBT)


def test_words_that_only_azure_devops_has_for_a_wrong_request_need_no_type(stage: Stage) -> None:
    body = '{"message": "Unexpected parameter"}'
    stage.devops.server.faults.add(Fault("POST", POST_RUN, status=400, headers=JSON, body=body))
    row = deliver(stage)
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)


def test_a_look_up_that_is_no_json_is_told_as_such(stage: Stage) -> None:
    stage.devops.server.faults.add(Fault("POST", POST_RUN, drop="before"))
    deliver(stage)
    stage.devops.server.faults.add(Fault("GET", "*/build/builds", status=200, body="{"))
    stage.reconcile(seconds=31)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.OPEN, Reason.LOOK_FAILED)
    assert row.detail == "looking failed: Azure DevOps answered 200 with what is no JSON"


def test_a_small_metric_is_a_number_to_a_pipeline_that_wants_one(stage: Stage) -> None:
    types = {"run_id": Parameter(), "lr": Parameter(type="number")}
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=types)
    text = stage.routes_file.read_text().replace(
        'pipeline: 42\n      parameters: {run_id: "{{ run.id }}"}',
        'pipeline: 42\n      parameters: {run_id: "{{ run.id }}", lr: "{{ run.metrics.lr }}"}',
    )
    stage.routes(text)
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"lr": 2e-05})
    stage.deliver(completed("r1"))
    assert stage.only("r1").state is State.STARTED
    (run,) = stage.devops.runs
    assert run.template_parameters["lr"] == "0.00002"
