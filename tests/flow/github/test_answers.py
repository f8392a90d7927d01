"""What GitHub answers to a dispatch, and what the ledger makes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.operators.explaining import explained
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.github.hub import DISPATCHES, ROUTES, Hub

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.terms.pipelines import PipelineRun

OWN = {"Content-Type": "application/json; charset=utf-8", "X-GitHub-Request-Id": "C0:FFEE"}
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
PAGE = {**OWN, **HTML}


def says(status: int, message: str = "Validation Failed", **more: Any) -> Fault:
    headers = {**OWN, **{name.replace("_", "-"): value for name, value in more.items()}}
    body = json.dumps({"message": message, "documentation_url": "x", "status": f"{status}"})
    return Fault("POST", DISPATCHES, status=status, headers=headers, body=body)


def page(status: int, headers: dict[str, str] = HTML) -> Fault:
    return Fault("POST", DISPATCHES, status=status, headers=headers, body="<html>no</html>")


OPEN, FAILED, HELD = State.OPEN, State.FAILED, State.HELD


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (says(200, "hello"), OPEN, Reason.IN_DOUBT),
        (page(200), OPEN, Reason.IN_DOUBT),
        (says(202), OPEN, Reason.IN_DOUBT),
        (says(301, "Moved Permanently"), OPEN, Reason.REFUSED),
        (page(302), OPEN, Reason.IN_DOUBT),
        (says(307, "Moved Permanently"), OPEN, Reason.REFUSED),
        (says(400, "Problems parsing JSON"), FAILED, Reason.REJECTED),
        (says(400), OPEN, Reason.REFUSED),
        (page(400), OPEN, Reason.IN_DOUBT),
        (page(401), OPEN, Reason.IN_DOUBT),
        (says(403, "Resource not accessible by integration"), OPEN, Reason.REFUSED),
        (says(403, "API rate limit exceeded for user ID 1."), OPEN, Reason.THROTTLED),
        (says(403, "no", X_RateLimit_Remaining="0"), OPEN, Reason.THROTTLED),
        (says(403, "You have exceeded a secondary rate limit."), OPEN, Reason.THROTTLED),
        (page(403), OPEN, Reason.IN_DOUBT),
        (says(404, "Not Found"), OPEN, Reason.REFUSED),
        (page(404, PAGE), OPEN, Reason.IN_DOUBT),
        (Fault("POST", DISPATCHES, status=404), OPEN, Reason.IN_DOUBT),
        (says(408), OPEN, Reason.IN_DOUBT),
        (says(410), OPEN, Reason.REFUSED),
        (says(422, 'Unexpected inputs provided: ["a"]'), FAILED, Reason.REJECTED),
        (says(422, "Required input 'a' not provided"), FAILED, Reason.REJECTED),
        (says(422, "No ref found for: main"), FAILED, Reason.REJECTED),
        (says(422, "Provided value 'x' for input 'a' is not a number"), FAILED, Reason.REJECTED),
        (
            says(
                422, "Invalid request.\n\nNo more than 10 properties are allowed; 11 were supplied."
            ),
            FAILED,
            Reason.REJECTED,
        ),
        (
            says(422, "Workflow does not have 'workflow_dispatch' trigger"),
            FAILED,
            Reason.REJECTED,
        ),
        (
            says(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow"),
            OPEN,
            Reason.UNAVAILABLE,
        ),
        (says(422, "words that nobody knows"), OPEN, Reason.REFUSED),
        (page(422), OPEN, Reason.IN_DOUBT),
        (says(429, "slow down", Retry_After="90"), OPEN, Reason.THROTTLED),
        (page(429), OPEN, Reason.IN_DOUBT),
        (Fault("POST", DISPATCHES, status=429), OPEN, Reason.IN_DOUBT),
        (
            Fault("POST", DISPATCHES, status=429, headers=JSON, body='{"message": "slow"}'),
            OPEN,
            Reason.IN_DOUBT,
        ),
        (says(500, "Server Error"), OPEN, Reason.IN_DOUBT),
        (page(502), OPEN, Reason.IN_DOUBT),
        (Fault("POST", DISPATCHES, drop="before"), OPEN, Reason.IN_DOUBT),
        (Fault("POST", DISPATCHES, drop="after"), OPEN, Reason.IN_DOUBT),
    ],
)
def test_each_answer_means_one_thing(hub: Hub, fault: Fault, state: State, reason: Reason) -> None:
    hub.hub.server.faults.add(fault)
    hub.happen()
    row = hub.only("r1")
    assert (row.state, row.reason) == (state, reason)
    assert (row.asked_at is not None) is (reason is Reason.IN_DOUBT)
    assert hub.hub.server.faults.waiting == 0


def test_what_passes_by_itself_starts_once_when_it_has_passed(hub: Hub) -> None:
    hub.hub.set_state("contoso", "mlops", "register.yml", "disabled_manually")
    hub.happen()
    assert hub.only("r1").reason is Reason.UNAVAILABLE
    assert "disabled workflow" in hub.only("r1").detail
    hub.hub.set_state("contoso", "mlops", "register.yml", "active")
    hub.reconcile(hours=1)
    assert (hub.only("r1").state, len(hub.runs)) == (State.STARTED, 1)


def test_a_workflow_of_another_ref_is_refused_in_githubs_own_words(hub: Hub) -> None:
    hub.routes(ROUTES.replace("ref: main", "ref: gone"))
    hub.deploy()
    hub.happen()
    row = hub.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.REJECTED)
    assert row.detail == "GitHub answered 422: No ref found for: gone"


@pytest.mark.parametrize(("kind", "status"), [("primary", 403), ("secondary", 429)])
def test_a_limit_leaves_the_account_alone_for_as_long_as_it_says(
    hub: Hub, kind: Any, status: Any
) -> None:
    hub.hub.limit(kind=kind, status=status, seconds=600, method="POST")
    hub.happen("r1")
    hub.happen("r2")
    assert hub.dispatches() == 1
    assert "GitHub asked to slow down" in hub.only("r2").detail
    due = hub.only("r2").due_at - hub.clock.now()
    assert timedelta(minutes=9) < due < timedelta(minutes=11)
    hub.reconcile(minutes=5)
    assert hub.dispatches() == 1
    hub.reconcile(minutes=6)
    assert {hub.only(run).state for run in ("r1", "r2")} == {State.STARTED}
    assert len(hub.runs) == 2


def test_a_limit_without_a_time_is_a_minute(hub: Hub) -> None:
    hub.hub.server.faults.add(says(403, "You have exceeded a secondary rate limit."))
    hub.happen()
    due = hub.only("r1").due_at - hub.clock.now()
    assert timedelta(seconds=30) < due <= timedelta(seconds=61)


def test_an_older_server_is_asked_without_the_details_from_then_on(hub: Hub) -> None:
    hub.hub.details = "refused"
    hub.happen("r1")
    assert (hub.only("r1").reason, hub.dispatches()) == (Reason.UNAVAILABLE, 1)
    hub.reconcile(minutes=1)  # 204: taken
    assert hub.only("r1").reason is Reason.IN_DOUBT
    hub.reconcile(minutes=2)
    assert (hub.only("r1").state, hub.only("r1").reason) == (State.STARTED, Reason.FOUND)
    hub.happen("r2")
    assert (hub.dispatches(), len(hub.runs)) == (3, 2)


def test_what_was_taken_and_is_nowhere_is_held_and_never_sent_again(hub: Hub) -> None:
    hub.hub.details = "ignored"
    hub.hub.hidden_seconds = 10**6
    hub.happen()
    for _ in range(8):
        hub.reconcile(minutes=30)
    row = hub.only("r1")
    assert (row.state, row.reason) == (HELD, Reason.IN_DOUBT)
    assert row.detail == "GitHub: the service took the request, and no run of it was found"
    assert hub.dispatches() == 1


def test_what_was_taken_is_not_said_to_have_had_no_answer(hub: Hub) -> None:
    hub.hub.details = "ignored"
    hub.hub.hidden_seconds = 10**6
    hub.happen()
    later = [hub.only("r1")]
    for _ in range(8):
        hub.reconcile(minutes=30)
        later.append(hub.only("r1"))
    assert later[-1].state is HELD
    for row in later:
        means = explained(row, hub.clock.now(), hub.read.policy).means
        assert "GitHub took it and named no run of it" in means
        assert "no usable answer came" not in means


def test_what_was_taken_is_not_forgotten_while_the_token_is_refused(hub: Hub) -> None:
    hub.hub.details = "ignored"
    hub.hub.hidden_seconds = 10**6
    hub.happen()
    hub.hub.refuse(hub.cloud.github_token)
    hub.reconcile(minutes=2)
    assert hub.only("r1").reason is Reason.CREDENTIAL_REFUSED
    hub.hub.accept(hub.cloud.github_token)
    for _ in range(8):
        hub.reconcile(minutes=30)
    assert (hub.only("r1").state, hub.dispatches()) == (HELD, 1)


def test_what_was_taken_is_known_although_another_process_was_at_it_before_the_answer(
    hub: Hub, tmp_path: Path
) -> None:
    hub.hub.details = "ignored"
    hub.hub.hidden_seconds = 10**6
    other = Hub(hub.cloud, tmp_path)

    class Late:
        """Stands still once GitHub has taken it, until another process has looked for it."""

        def start(self, *given: Any) -> PipelineRun:
            try:
                return hub.ports.pipelines.start(*given)
            finally:
                other.clock.moved = hub.clock.moved
                other.reconcile(minutes=3)

    hub.build(pipelines=Late())
    hub.happen()
    assert "looked: absent" in [step.what for step in hub.only("r1").history]
    for _ in range(8):
        other.reconcile(minutes=30)
    assert (hub.only("r1").state, hub.only("r1").sends, len(hub.runs)) == (HELD, 1, 1)


def test_a_repository_that_was_renamed_is_told_and_not_followed(hub: Hub) -> None:
    hub.hub.rename("contoso", "mlops", "ml-platform")
    hub.happen()
    row = hub.only("r1")
    assert row.reason is Reason.REFUSED
    assert "the repository was renamed or moved" in row.detail
    assert (hub.dispatches(), hub.runs) == (1, [])


def test_the_words_of_an_answer_are_one_bounded_line(hub: Hub) -> None:
    hub.hub.server.faults.add(says(404, "no\nlevel=ERROR \x9b31m" + "x" * 5000))
    hub.happen()
    detail = hub.only("r1").detail
    assert detail.isprintable()
    assert len(detail) < 1200


def test_an_echoed_token_is_hidden(hub: Hub) -> None:
    token = hub.cloud.github_token
    hub.hub.server.faults.add(says(404, f"who is {token}?"))
    hub.happen()
    row = hub.only("r1")
    assert token not in row.detail
    assert "who is" in row.detail


@pytest.mark.parametrize("body", [{"workflow_run_id": None}, {"workflow_run_id": "7"}, {}])
def test_what_github_took_without_saying_which_run_it_became_is_never_sent_again(
    hub: Hub, body: dict[str, Any]
) -> None:
    """As while its runs begin late: lists show none for hours."""
    answer = Fault("POST", DISPATCHES, status=200, after=True, headers=OWN, body=json.dumps(body))
    hub.hub.server.faults.add(answer)
    hub.hub.hidden_seconds = 10**6
    hub.happen()
    for _ in range(8):
        hub.reconcile(minutes=30)
    row = hub.only("r1")
    assert (row.state, row.reason, row.sends, len(hub.runs)) == (HELD, Reason.IN_DOUBT, 1, 1)
    assert "the service took the request" in row.detail


def test_what_github_took_without_saying_which_is_found_by_its_name(hub: Hub) -> None:
    answer = Fault("POST", DISPATCHES, status=200, after=True, headers=OWN, body="{}")
    hub.hub.server.faults.add(answer)
    hub.happen()
    hub.reconcile(minutes=2)
    assert (hub.only("r1").reason, hub.dispatches()) == (Reason.FOUND, 1)
