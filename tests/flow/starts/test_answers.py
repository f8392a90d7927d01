"""What Azure DevOps answers, and what the ledger and the log make of it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import pytest

from functions.core.limits.admission import Admission
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import SECRET
from local.devops.access import Shape
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.saying.refusals import WRONG, says
from tests.stage.azure import Stage, completed, now

if TYPE_CHECKING:
    from pathlib import Path

RUNS = "*/_apis/pipelines/42/runs"
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
SIGN_IN = "<html><title>Azure DevOps Services | Sign In</title></html>"
SIGN_IN_PAGE = Fault(status=200, headers=HTML, body=SIGN_IN, times=2)
ELSEWHERE = {"Location": "https://portal.example/"}
TO_SIGN_IN = {"Location": "https://spsprodeus1.vssps.visualstudio.com/_signin?realm=dev.azure.com"}
MANAGEMENT = "https://management.azure.com"


def deliver(stage: Stage, run: str = "r1") -> tuple[State, Reason]:
    stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed(run))
    row = stage.only(run)
    return row.state, row.reason


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (says(429, after="90"), State.OPEN, Reason.THROTTLED),
        (Fault(status=429, headers={"Retry-After": "90"}), State.OPEN, Reason.IN_DOUBT),
        (says(400, WRONG), State.FAILED, Reason.REJECTED),
        (says(400), State.OPEN, Reason.REFUSED),
        (Fault(status=400), State.OPEN, Reason.IN_DOUBT),
        (says(403), State.OPEN, Reason.REFUSED),
        (Fault(status=403), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=403, headers={"X-TFS-ServiceError": "no"}), State.OPEN, Reason.REFUSED),
        (says(404), State.OPEN, Reason.REFUSED),
        (Fault(status=404, headers=HTML, body="<html>"), State.OPEN, Reason.IN_DOUBT),
        (says(409), State.OPEN, Reason.REFUSED),
        (Fault(status=409), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=500), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=502, headers=HTML, body="<html>"), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=503, headers={"Retry-After": "90"}), State.OPEN, Reason.IN_DOUBT),
        (
            replace(SIGN_IN_PAGE, status=203),
            State.OPEN,
            Reason.CREDENTIAL_REFUSED,
        ),
        (Fault(status=203), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=203, headers=JSON, body='{"id": 7}'), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=302, headers=TO_SIGN_IN, times=2), State.OPEN, Reason.CREDENTIAL_REFUSED),
        (Fault(status=302), State.OPEN, Reason.IN_DOUBT),
        (
            Fault(status=302, headers=ELSEWHERE),
            State.OPEN,
            Reason.IN_DOUBT,
        ),
        (Fault(status=408), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=202, headers=JSON, body='{"id": 7}'), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=200, headers=JSON, body='{"id": "7"}'), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=200, headers=JSON, body='{"id": true}'), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=200, headers=JSON, body='{"id": 7'), State.OPEN, Reason.IN_DOUBT),
        (Fault(status=200, headers=JSON, body="[7]"), State.OPEN, Reason.IN_DOUBT),
        (Fault(drop="before"), State.OPEN, Reason.IN_DOUBT),
        (Fault(drop="after"), State.OPEN, Reason.IN_DOUBT),
    ],
)
def test_each_answer_means_what_the_table_says(
    stage: Stage, fault: Fault, state: State, reason: Reason
) -> None:
    fault.method, fault.path = "POST", RUNS
    stage.devops.server.faults.add(fault)
    assert deliver(stage) == (state, reason)


@pytest.mark.parametrize("status", [400, 403, 409, 423])
def test_a_refusal_that_says_when_to_come_again_is_tried_again_then(
    stage: Stage, status: int
) -> None:
    asked = says(status)
    asked.headers["Retry-After"] = "90"
    stage.devops.server.faults.add(asked)
    assert deliver(stage) == (State.OPEN, Reason.REFUSED)
    stage.reconcile(seconds=80)
    assert stage.posts() == 0  # none that arrived
    stage.reconcile(seconds=20)
    assert (stage.posts(), stage.only("r1").state) == (1, State.STARTED)


@pytest.mark.parametrize("shape", get_args(Shape))
def test_every_shape_of_a_refused_pat_is_asked_twice_and_blocks_the_organization(
    stage: Stage, shape: Shape
) -> None:
    stage.devops.refuse(PAT, shape)
    assert deliver(stage) == (State.OPEN, Reason.CREDENTIAL_REFUSED)
    assert stage.posts() == 2
    assert deliver(stage, "r2") == (State.OPEN, Reason.CREDENTIAL_REFUSED)
    assert stage.posts() == 2


def test_a_sign_in_page_with_200_is_no_success(stage: Stage) -> None:
    page = replace(SIGN_IN_PAGE, method="POST", path=RUNS)
    stage.devops.server.faults.add(page)
    assert deliver(stage) == (State.OPEN, Reason.CREDENTIAL_REFUSED)


def test_a_new_pat_in_the_vault_is_taken_at_once(stage: Stage) -> None:
    assert deliver(stage, "warm") == (State.STARTED, Reason.ANSWERED)
    stage.devops.refuse(PAT, "203")
    stage.devops.accept("renewed")
    stage.cloud.vault.put("azure-devops-pat", "renewed")
    assert deliver(stage) == (State.STARTED, Reason.ANSWERED)
    assert [run for _, run in stage.started()] == ["warm", "r1"]


def test_a_success_that_asks_to_slow_down_forgets_no_refused_secret(stage: Stage) -> None:
    other = Admission(stage.ports, stage.read.policy)
    name = Admission.account("contoso", "azure-devops-pat")
    assert other.blocked(name) is None  # which it believes for seconds
    stage.devops.refuse(PAT, "401-json")
    deliver(stage)
    other.slow_down(name, 5)
    assert stage.ledger.shared(name).value["secret"] == "azure-devops-pat"
    assert other.refused(name)[0] == "azure-devops-pat"


def test_a_renewed_secret_releases_the_organization(stage: Stage) -> None:
    stage.devops.refuse(PAT, "401-html")
    deliver(stage, "r1")
    deliver(stage, "r2")
    stage.reconcile(seconds=60)
    posts = stage.posts()
    stage.devops.accept("renewed")
    stage.cloud.vault.put("azure-devops-pat", "renewed")
    stage.reconcile(seconds=60)
    assert posts == 2
    assert sorted(run for _, run in stage.started()) == ["r1", "r2"]


def test_the_pause_releases_the_organization_too(stage: Stage) -> None:
    stage.devops.refuse(PAT, "401-html")
    deliver(stage)
    stage.devops.accept(PAT)
    stage.reconcile(seconds=901)
    assert stage.started() == [(42, "r1")]


def test_an_expired_secret_is_not_sent(stage: Stage) -> None:
    stage.cloud.vault.put("azure-devops-pat", PAT, expires=now() - timedelta(days=1))
    assert deliver(stage) == (State.OPEN, Reason.SECRET_EXPIRED)
    assert stage.posts() == 0


def test_a_missing_secret_parks_and_names_it(stage: Stage) -> None:
    stage.cloud.vault.delete("azure-devops-pat")
    assert deliver(stage) == (State.OPEN, Reason.SECRET_UNREADABLE)
    assert "azure-devops-pat: it is not in the vault" in stage.only("r1").detail


def test_the_pat_is_read_once_for_many_starts(stage: Stage) -> None:
    for run in ("a", "b", "c"):
        deliver(stage, run)
    asked = stage.cloud.vault.server.received("GET", "/secrets/azure-devops-pat/")
    assert len(asked) in {1, 2}  # the answer, after the challenge if the process had not met it


def test_a_rotated_pat_is_used_within_five_minutes(stage: Stage) -> None:
    deliver(stage, "before")
    stage.devops.refuse(PAT, "203")
    stage.devops.accept("renewed")
    stage.cloud.vault.put("azure-devops-pat", "renewed")
    stage.clock.forward(seconds=301)
    assert deliver(stage, "after") == (State.STARTED, Reason.ANSWERED)
    assert stage.posts() == 2


def test_no_vault_setting_loses_nothing(cloud: object, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, KEY_VAULT_URL="")  # type: ignore[arg-type]
    assert deliver(stage) == (State.OPEN, Reason.SECRET_UNREADABLE)
    assert "KEY_VAULT_URL" in stage.only("r1").detail


def test_entra_sends_a_token_for_azure_devops_instead_of_a_pat(stage: Stage) -> None:
    stage.devops.refuse(PAT, "203")
    stage.deploy(DEVOPS_AUTH="entra")
    assert deliver(stage) == (State.STARTED, Reason.ANSWERED)
    assert stage.cloud.vault.server.requests == []


def test_refused_for_three_days_fails(stage: Stage) -> None:
    stage.devops.server.faults.add(says(403, times=999))
    assert deliver(stage) == (State.OPEN, Reason.REFUSED)
    for _ in range(8):
        stage.reconcile(hours=10)
    row = stage.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.REFUSED)


def test_no_connection_parks_and_starts_when_the_service_is_back(
    stage: Stage, tmp_path: Path
) -> None:
    del tmp_path
    stage.deploy(DEVOPS_URL="http://127.0.0.1:1")
    assert deliver(stage) == (State.OPEN, Reason.NOT_SENT)
    stage.deploy(DEVOPS_URL=stage.devops.url)
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "r1")]


def test_retry_after_is_kept_to(stage: Stage) -> None:
    stage.devops.throttle(1, 90)
    assert deliver(stage) == (State.OPEN, Reason.THROTTLED)
    row = stage.only("r1")
    assert timedelta(seconds=85) < row.due_at - row.updated_at <= timedelta(seconds=90)


@pytest.mark.parametrize("limit", ["delay", "throttle"])
def test_retry_after_holds_the_whole_organization_back_also_with_a_200(
    stage: Stage, limit: str
) -> None:
    if limit == "delay":
        stage.devops.delay(1, 0, 90)
    else:
        stage.devops.throttle(1, 90)
    deliver(stage, "first")
    posts = stage.posts()
    assert deliver(stage, "second") == (State.OPEN, Reason.THROTTLED)
    stage.reconcile(seconds=60)
    assert stage.posts() == posts == 1
    stage.reconcile(seconds=31)
    assert sorted(run for _, run in stage.started()) == ["first", "second"]


def test_with_every_fault_provoked_no_secret_is_told(
    stage: Stage, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(0)
    echo = f"Unexpected parameter, bad token {PAT} {base64.b64encode(f':{PAT}'.encode()).decode()}"
    faults = [
        Fault(status=status, body=f'{{"message": "{echo}", "typeKey": "x"}}', headers=JSON)
        for status in (400, 403, 404, 429, 500, 503)
    ]
    faults += [Fault(status=203, headers=HTML, body=echo)]
    faults += [Fault(drop="after"), Fault(drop="before")]
    for number, fault in enumerate(faults):
        fault.path = "*/_apis/*"
        stage.devops.server.faults.add(fault)
        deliver(stage, f"r{number}")
        stage.reconcile(minutes=40)
    tokens = [stage.cloud.identity.issue(MANAGEMENT), "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmVk"]
    echoes = Fault(status=401, body=f'{{"message": "bad {tokens}"}}', headers=JSON, times=4)
    for number, server in enumerate((stage.aml.server, stage.cloud.arm.server)):
        server.faults.add(replace(echoes))
        stage.deploy()
        deliver(stage, f"aml{number}")
        server.faults.clear()
    stage.cloud.vault.server.faults.add(Fault(status=403, body=echo, times=9))
    stage.deploy()
    deliver(stage, "vault")
    told = caplog.text + "".join(path.read_bytes().decode("latin-1") for path in tmp_path.iterdir())
    assert "continuation=failed" in told
    assert PAT not in told
    assert base64.b64encode(f":{PAT}".encode()).decode() not in told
    assert "eyJ" not in told


@pytest.mark.parametrize("refused_first", [True, False])
def test_a_refused_secret_does_not_shorten_what_the_service_asked_for(
    stage: Stage, *, refused_first: bool
) -> None:
    name = Admission.account("contoso", SECRET)
    other = Admission(stage.ports, stage.read.policy)
    assert other.blocked(name) is None  # which it believes for seconds: its POST is under way
    if refused_first:
        other.block(name, SECRET, "1", "refused")
    Admission(stage.ports, stage.read.policy).slow_down(name, 3000)
    if not refused_first:
        other.block(name, SECRET, "1", "refused")
    assert deliver(stage) == (State.OPEN, Reason.CREDENTIAL_REFUSED)
    stage.reconcile(seconds=30)  # and finds that the secret has another version than that
    assert (stage.posts(), stage.started()) == (0, [])
    stage.reconcile(minutes=20)
    assert stage.posts() == 0
    stage.reconcile(minutes=31)
    assert stage.started() == [(42, "r1")]


def test_after_the_pause_of_a_refused_secret_the_account_is_left_alone_as_asked(
    stage: Stage,
) -> None:
    name = Admission.account("contoso", SECRET)
    other = Admission(stage.ports, stage.read.policy)
    stage.devops.refuse(PAT, "401-html")
    deliver(stage)
    other.slow_down(name, 3000)
    stage.devops.accept(PAT)
    stage.deploy()
    before = stage.posts()
    stage.reconcile(minutes=20)
    assert (stage.posts(), stage.only("r1").reason) == (before, Reason.CREDENTIAL_REFUSED)
    assert deliver(stage, "r2") == (State.OPEN, Reason.THROTTLED)
    stage.reconcile(minutes=31)
    assert sorted(run for _, run in stage.started()) == ["r1", "r2"]


def test_who_is_told_to_come_again_at_once_comes_ever_less(stage: Stage) -> None:
    stage.devops.server.faults.add(says(429, after="0", times=100))
    deliver(stage)
    for _ in range(60):
        stage.reconcile(minutes=1)
    assert 3 < stage.only("r1").attempts < 10
    stage.devops.server.faults.clear()
    stage.reconcile(minutes=30)
    assert stage.started() == [(42, "r1")]
