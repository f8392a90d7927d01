"""What stands between the app and GitHub says nothing for it, whatever headers it leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.github.hub import DISPATCHES
from tests.flow.github.test_answers import OWN, says
from tests.flow.github.test_doubt import later

if TYPE_CHECKING:
    from tests.flow.github.hub import Hub

BLOCKED = json.dumps({"message": "blocked by policy", "code": 17})


def hidden(status: int) -> Fault:
    """GitHub did as it was asked; a gateway kept its headers, and hid the rest."""
    return Fault("POST", DISPATCHES, status=status, after=True, headers=OWN, body=BLOCKED)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 410, 422, 429])
def test_a_gateways_error_in_the_place_of_the_answer_makes_no_second_start(
    hub: Hub, status: int
) -> None:
    hub.hub.server.faults.add(hidden(status))
    hub.happen()
    assert hub.only("r1").reason is Reason.IN_DOUBT
    later(hub)
    row = hub.only("r1")
    assert (row.state, row.reason, row.duplicates) == (State.STARTED, Reason.FOUND, ())
    assert (hub.dispatches(), len(hub.runs)) == (1, 1)


def test_what_a_gateway_says_blocks_no_credential(hub: Hub) -> None:
    hub.hub.server.faults.add(hidden(401))
    hub.happen("r1")
    hub.happen("r2")
    assert hub.only("r2").state is State.STARTED


def test_what_a_gateway_never_lets_through_ends_with_its_words(hub: Hub) -> None:
    for _ in range(3):
        fault = Fault("POST", DISPATCHES, status=403, headers=OWN, body=BLOCKED)
        hub.hub.server.faults.add(fault)
    hub.happen()
    later(hub, 12)
    row = hub.only("r1")
    assert (row.state, row.reason, row.sends) == (State.FAILED, Reason.REFUSED, 3)
    assert any("blocked by policy" in step.detail for step in row.history)


def test_a_gateways_404_is_no_word_that_a_run_is_gone(hub: Hub) -> None:
    hub.happen()
    path = f"*/actions/runs/{hub.runs[0].id}"
    hub.hub.server.faults.add(Fault(path=path, status=404, headers=OWN, body=BLOCKED, times=999))
    for _ in range(6):
        hub.reconcile(minutes=40)
    assert hub.only("r1").ended is None


@pytest.mark.parametrize(
    "words",
    [
        'Unexpected inputs provided: ["timeout"]',
        "No ref found for: temporary/fix",
        "Provided value 'timed out' for input 'a' not in the list of allowed values",
    ],
)
def test_what_is_wrong_itself_is_so_whatever_it_is_called(hub: Hub, words: str) -> None:
    hub.hub.server.faults.add(says(422, words))
    hub.happen()
    assert (hub.only("r1").state, hub.only("r1").reason) == (State.FAILED, Reason.REJECTED)


def throttled(*, after: bool = False) -> Fault:
    """A limit of the gateway's own, whose answer has nothing of GitHub's."""
    body = json.dumps({"statusCode": 429, "message": "Rate limit is exceeded."})
    headers = {"Content-Type": "application/json", "Retry-After": "60"}
    return Fault("POST", DISPATCHES, status=429, after=after, headers=headers, body=body)


def test_a_gateways_limit_behind_which_a_run_was_started_makes_no_second_one(hub: Hub) -> None:
    hub.hub.server.faults.add(throttled(after=True))
    hub.happen("r1")
    hub.happen("r2")
    assert (hub.only("r1").reason, hub.only("r2").reason) == (Reason.IN_DOUBT, Reason.THROTTLED)
    assert hub.dispatches() == 1
    later(hub)
    row = hub.only("r1")
    assert (row.state, row.reason, row.duplicates) == (State.STARTED, Reason.FOUND, ())
    assert (hub.dispatches(), len(hub.runs)) == (2, 2)


def test_what_a_gateways_limit_held_back_is_started_once(hub: Hub) -> None:
    hub.hub.server.faults.add(throttled())
    hub.happen()
    later(hub)
    assert (hub.only("r1").state, hub.dispatches(), len(hub.runs)) == (State.STARTED, 1, 1)


def test_a_look_that_a_gateways_limit_cut_leaves_the_account_alone(hub: Hub) -> None:
    hub.hub.server.faults.add(Fault("POST", DISPATCHES, drop="after"))
    hub.happen("r1")
    fault = throttled()
    fault.method, fault.path = "GET", "*"
    hub.hub.server.faults.add(fault)
    hub.reconcile(seconds=31)
    hub.happen("r2")
    assert (hub.only("r1").reason, hub.only("r2").reason) == (Reason.THROTTLED, Reason.THROTTLED)
    later(hub)
    assert (hub.dispatches(), len(hub.runs)) == (2, 2)
