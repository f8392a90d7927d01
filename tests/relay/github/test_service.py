"""Each decision is told in the words of the service that it is about, and of no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.operators.explaining import explained
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import GITHUB_SECRET
from local.serving.faults import Fault
from tests.flow.github.test_answers import OWN
from tests.ledger.samples import NOON, opened
from tests.relay.github.conftest import DISPATCHES
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.relay.conftest import Desk

KEY = "register/r1/Completed"


def happen(desk: Desk) -> None:
    desk.stage.aml.add_run("r1", experiment="defect-detection")
    desk.stage.deliver(completed("r1"))


def says(status: int, message: str) -> Fault:
    body = json.dumps({"message": message, "documentation_url": "x"})
    return Fault("POST", DISPATCHES, status=status, headers=OWN, body=body)


def everywhere(desk: Desk) -> str:
    """What the page, the list, `show`, `why` and the log say of it."""
    typed = [["show", KEY], ["why", "r1"], ["list"], ["list", "--all"]]
    told = [desk.type(*words).out for words in typed]
    return "\n".join([*told, desk.seen(), desk.seen(key=KEY)])


def started(desk: Desk) -> None:
    happen(desk)
    desk.stage.cloud.github.finish(desk.stage.cloud.github.runs[0].id, "failure")
    desk.stage.reconcile(minutes=10)


def lost(desk: Desk) -> None:
    desk.stage.cloud.github.server.faults.add(Fault("POST", DISPATCHES, drop="before"))
    happen(desk)
    desk.stage.reconcile(minutes=2)


def unreadable(desk: Desk) -> None:
    desk.stage.deploy(DEVOPS_AUTH="entra")
    desk.stage.cloud.vault.put(GITHUB_SECRET, "no token")
    happen(desk)


def without_vault(desk: Desk) -> None:
    desk.stage.deploy(DEVOPS_AUTH="entra", GITHUB_SECRET="not-there")
    happen(desk)


def refused(desk: Desk) -> None:
    desk.stage.deploy(DEVOPS_AUTH="entra")
    desk.stage.cloud.github.refuse(desk.stage.cloud.github_token)
    happen(desk)


def throttled(desk: Desk) -> None:
    desk.stage.cloud.github.limit(kind="primary", status=403, seconds=600, method="POST")
    happen(desk)


def rejected(desk: Desk) -> None:
    desk.stage.cloud.github.server.faults.add(says(422, "No ref found for: main"))
    happen(desk)


def disabled(desk: Desk) -> None:
    desk.stage.cloud.github.set_state("contoso", "mlops", "register.yml", "disabled_manually")
    happen(desk)


def held(desk: Desk) -> None:
    desk.stage.cloud.github.details = "ignored"
    desk.stage.cloud.github.hidden_seconds = 10**6
    happen(desk)
    for _ in range(8):
        desk.stage.reconcile(minutes=30)
    assert desk.stage.only("r1").state is State.HELD


@pytest.mark.parametrize(
    "what",
    [
        *(started, lost, unreadable, without_vault, refused, throttled, rejected, disabled, held),
    ],
)
def test_what_is_about_github_speaks_of_it_alone(
    desk: Desk, what: Callable[[Desk], None], caplog: pytest.LogCaptureFixture
) -> None:
    what(desk)
    told = everywhere(desk)
    assert "GitHub" in told
    for wrong in ("Azure DevOps", "got no token for", "refused the app's", "DEVOPS_URL"):
        assert wrong not in told, told[max(0, told.index(wrong) - 300) :][:600]
    assert "Azure DevOps" not in caplog.text


@pytest.mark.parametrize(
    ("given", "service"),
    [
        ({"detail": "Azure DevOps answered 400: no file at GitHub"}, "Azure DevOps"),
        ({"detail": "GitHub answered 422: no Azure DevOps here"}, "GitHub"),
        ({"detail": ""}, "Azure DevOps"),
    ],
)
def test_who_is_named_first_in_a_detail_has_said_it(given: dict[str, Any], service: str) -> None:
    c = opened(state=State.FAILED, reason=Reason.REJECTED, **given)
    assert explained(c, NOON, Policy()).means.endswith(f"{service} rejected the request")
