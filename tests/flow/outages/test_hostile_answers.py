"""Identity, vault and Azure DevOps answer with something odd: it costs no event."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, parked, starts_once_cured
from tests.saying.refusals import says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>warming up</html>"},
        {"status": 200, "body": ""},
        {"status": 200, "body": "[]"},
        {"status": 200, "body": '{"access_token": "t"}'},
        {"status": 400, "body": '{"error": "x"}', "headers": JSON},
        {"status": 500, "body": ""},
        {"status": 502, "body": "<html>bad gateway</html>"},
    ],
)
def test_an_identity_endpoint_that_makes_no_sense_parks(
    stage: Stage, fault: dict[str, Any]
) -> None:
    identity = stage.cloud.identity.server
    identity.faults.add(Fault(times=9, **fault))
    assert parked(stage) is Reason.RUN_UNREADABLE
    stage.deploy()  # within one process the SDK itself remembers some failures for a minute
    assert starts_once_cured(stage, identity)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        "{}",
        '"text"',
        '{"value": "  ", "id": "https://v/secrets/a/b"}',
    ],
)
def test_a_vault_that_gives_no_secret_parks(stage: Stage, body: str) -> None:
    vault = stage.cloud.vault.server
    vault.faults.add(Fault(times=9, status=200, body=body, headers=JSON))
    assert parked(stage) is Reason.SECRET_UNREADABLE
    assert starts_once_cured(stage, vault)


@pytest.mark.parametrize("expiry", ['"soon"', "99999999999999"])
def test_an_expiry_that_is_no_time_costs_no_event(stage: Stage, expiry: str) -> None:
    secret = {"value": stage.cloud.pat, "id": "https://v/secrets/a/b"}
    body = f'{json.dumps(secret)[:-1]}, "attributes": {{"exp": {expiry}}}}}'
    vault = stage.cloud.vault.server
    vault.faults.add(Fault(times=9, status=200, body=body, headers=JSON))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert starts_once_cured(stage, vault)


@pytest.mark.parametrize(
    ("header", "most"),
    [
        ("9" * 30, timedelta(hours=6)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=6)),
        ("Wed, 21 Oct 99999 07:28:00 GMT", timedelta(minutes=1)),
        ("Mon, 1 Jan 2026 25:61:61 +9999999", timedelta(minutes=1)),
        ("-5", timedelta(minutes=1)),
        ("1e5", timedelta(minutes=1)),
        ("(", timedelta(minutes=1)),
    ],
)
def test_a_retry_after_is_believed_for_six_hours_at_most(
    stage: Stage, header: str, most: timedelta
) -> None:
    stage.devops.server.faults.add(says(429, after=header))
    assert parked(stage) is Reason.THROTTLED
    row = stage.only("r1")
    assert timedelta(seconds=20) < row.due_at - row.updated_at <= most


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_a_vault_whose_answer_is_nested_deep_is_told_as_such(stage: Stage, status: int) -> None:
    vault = stage.cloud.vault.server
    for body in (f'{{"value": {"[" * 150}{"]" * 150}}}', f'{{"error": {"[" * 150}{"]" * 150}}}'):
        vault.faults.add(Fault(times=1, status=status, body=body, headers=JSON))
    assert parked(stage) is Reason.SECRET_UNREADABLE
    assert stage.only("r1").detail.endswith("Key Vault's answer is nested more than 100 deep")
    assert starts_once_cured(stage, vault)


@pytest.mark.parametrize("odd", ["\ufeff{}", "\u200b{}\u200b", "{}\r\n\x00", "\ufeff {} \ufeff"])
def test_what_nobody_sees_around_a_pat_is_no_part_of_it(stage: Stage, odd: str) -> None:
    stage.cloud.vault.put("azure-devops-pat", odd.format(stage.cloud.pat))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_a_secret_of_which_nothing_can_be_seen_is_told_as_such(stage: Stage) -> None:
    stage.cloud.vault.put("azure-devops-pat", "\ufeff\u200b")
    assert parked(stage) is Reason.SECRET_UNREADABLE
    assert stage.posts() == 0
