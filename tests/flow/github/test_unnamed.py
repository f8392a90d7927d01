"""A run whose name shows no start's hash: whose it may be, and whose it is not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import GITHUB_SECRET
from local.github.access.apps import Asked, caller_for
from local.github.example import REGISTER
from tests.flow.github.hub import ROUTES
from tests.flow.github.test_credentials import as_app, key_pair
from tests.flow.github.test_doubt import later, lost, never

if TYPE_CHECKING:
    from local.github.access.apps import Installation
    from tests.flow.github.hub import Hub

ADA = "ghp_ada"
NAMED = "run-name: Register ${{ inputs.model_name }} ${{ inputs.relay_id }}"


def called(hub: Hub, name: str, **defaults: str) -> None:
    """Let the runs of the workflow be called so."""
    assert NAMED in REGISTER
    text = REGISTER.replace(NAMED, f"run-name: {name}")
    for what, value in defaults.items():
        text = text.replace(f"{what}: {{}}", f'{what}: {{default: "{value}"}}')
    hub.hub.add_workflow("contoso", "mlops", "register.yml", text)


def by_hand(hub: Hub, token: str, **inputs: str) -> int:
    """Somebody starts the workflow; the id of the run."""
    url = f"{hub.hub.url}/repos/contoso/mlops/actions/workflows/register.yml/dispatches"
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "x"}
    body = {"ref": "main", "inputs": {"run_id": "x", **inputs}}
    assert requests.post(url, json=body, headers=headers, timeout=20).status_code == 204
    return hub.runs[-1].id


@pytest.mark.parametrize("version", ["202611301425", "3f2a9c81b0de"])
def test_what_was_sent_itself_is_no_hash_of_another_start(hub: Hub, version: str) -> None:
    called(hub, "Register ${{ inputs.model_version }}")
    hub.routes(ROUTES.replace('"{{ run.experiment }}"', f'"x", model_version: "{version}"'))
    hub.deploy()
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)


def test_a_time_in_a_name_is_no_hash_of_another_start(hub: Hub) -> None:
    called(hub, "Register ${{ inputs.model_version }}", model_version="202611301425")
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)


def test_what_another_person_started_meanwhile_holds_nothing_back(hub: Hub) -> None:
    hub.hub.accept(ADA, login="ada")
    hub.hub.server.faults.add(never())
    hub.happen()
    by_hand(hub, ADA)
    later(hub, 8)
    row = hub.only("r1")
    assert (row.state, row.sends, len(hub.runs)) == (State.STARTED, 2, 2)
    assert row.pipeline_run == hub.runs[1].id


def test_what_a_person_started_is_none_of_an_app(hub: Hub) -> None:
    as_app(hub)
    hub.hub.server.faults.add(never())
    hub.happen()
    by_hand(hub, hub.cloud.github_token)
    later(hub, 8)
    row = hub.only("r1")
    assert (row.state, row.sends, row.pipeline_run) == (State.STARTED, 2, hub.runs[1].id)


def test_what_another_app_started_is_not_its_own_and_what_it_started_itself_may_be(
    hub: Hub,
) -> None:
    app = as_app(hub)
    hub.hub.server.faults.add(never())
    hub.happen()
    other = hub.hub.add_app(key_pair()[1], slug="release-bot")
    by_hand(hub, bot(hub, hub.hub.install(other, "contoso")))
    hub.reconcile(minutes=2)
    assert hub.only("r1").reason is Reason.IN_DOUBT
    (own,) = hub.hub.accounts.installations(app)
    by_hand(hub, bot(hub, own))
    later(hub, 8)
    assert (hub.only("r1").reason, hub.only("r1").sends) == (Reason.LOOK_FAILED, 1)


def bot(hub: Hub, one: Installation) -> str:
    """A token of an installation."""
    ends = hub.clock.now() + timedelta(hours=1)
    return hub.hub.accounts.give(caller_for(one, Asked(), ["mlops"], ends))


def test_what_the_tokens_own_user_started_may_be_the_one(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()
    number = by_hand(hub, hub.cloud.github_token)
    later(hub, 8)
    row = hub.only("r1")
    assert (row.reason, row.sends) == (Reason.LOOK_FAILED, 1)
    assert f"run {number} may be the one: its name shows no start's hash" in row.detail


@pytest.mark.parametrize("as_an_app", [True, False])
def test_what_was_sent_by_a_credential_of_before_may_be_the_one(
    hub: Hub, *, as_an_app: bool
) -> None:
    called(hub, "Register")
    hub.hub.server.faults.add(lost())
    hub.happen()
    hub.hub.refuse(hub.cloud.github_token)
    if as_an_app:
        as_app(hub)
    else:
        hub.hub.accept(ADA, login="ada")
        hub.cloud.vault.put(GITHUB_SECRET, ADA)
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)


def test_one_that_was_sent_again_by_another_credential_is_whose_nobody_knows(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()
    hub.hub.refuse(hub.cloud.github_token)
    hub.hub.accept(ADA, login="ada")
    hub.cloud.vault.put(GITHUB_SECRET, ADA)
    called(hub, "Register")
    hub.hub.server.faults.add(lost())
    later(hub, 12)
    row = hub.only("r1")
    assert (row.sends, len(hub.runs)) == (2, 1)
    assert row.request is not None
    assert row.request.by == ""
    assert row.reason is Reason.LOOK_FAILED


def test_the_number_of_an_account_in_a_name_is_no_hash_of_another_start(hub: Hub) -> None:
    """As where the workflow says which account of a cloud it deploys to."""
    called(hub, "Deploy to 123456789012")
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)
