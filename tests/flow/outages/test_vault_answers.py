"""What Key Vault answers is compared with the secret that was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.adapters.vault import open_vault, secret
from functions.connections import managed_identity
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import NoSecret, Retryable
from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.asking import parked, starts_once_cured

if TYPE_CHECKING:
    from tests.stage.azure import Stage

NAME, THEIRS = "azure-devops-pat", "team-b-pat"


def answers(stage: Stage, value: object, about: str = f"{NAME}/1") -> None:
    """From now on the vault gives this out, whatever it is asked for."""
    where = f"{stage.cloud.vault.url}/secrets/{about}"
    body = json.dumps({"value": value, "id": where, "attributes": {"enabled": True}})
    headers = {"Content-Type": "application/json"}
    fault = Fault(path="/secrets/*", status=200, body=body, headers=headers, times=99)
    stage.cloud.vault.server.faults.add(fault)


def test_another_secret_s_value_is_sent_to_nobody(stage: Stage) -> None:
    """It would tell one organization the token of another."""
    answers(stage, "pat-of-another-organization", f"{THEIRS}/1")
    assert parked(stage) is Reason.SECRET_UNREADABLE
    assert stage.only("r1").detail == f"secret {NAME}: the answer is about {THEIRS}"
    assert stage.posts() == 0
    assert starts_once_cured(stage, stage.cloud.vault.server)


def test_a_secret_is_known_whatever_the_case_of_its_name(stage: Stage) -> None:
    stage.cloud.vault.put(NAME.upper(), "pat-of-today")
    stage.devops.accept("pat-of-today")
    answers(stage, "pat-of-today", f"{NAME.upper()}/1")
    with pytest.raises(AssertionError):
        parked(stage)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("value", [12345678901234567890, 1.5, True, ["pat"], {"pat": "pat"}])
def test_a_value_that_is_no_text_is_no_secret(stage: Stage, value: object) -> None:
    answers(stage, value)
    assert parked(stage) is Reason.SECRET_UNREADABLE
    assert stage.only("r1").detail == f"secret {NAME}: TypeError: its value is no text"
    assert stage.posts() == 0
    assert starts_once_cured(stage, stage.cloud.vault.server)


def test_another_version_than_was_asked_for_is_no_answer_and_no_loss(stage: Stage) -> None:
    """What an old version sealed is not given up since a new one came in its place."""
    answers(stage, "the key of today, which is long", f"{NAME}/2")
    client = open_vault(stage.cloud.vault.url, managed_identity("", stage.clock))
    with pytest.raises(Retryable, match="the answer is about version 2") as raised:
        secret(client, NAME, Deadline(stage.clock, 20), version="1")
    assert not isinstance(raised.value, NoSecret)
