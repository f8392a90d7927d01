"""Looks at what was started: one that cannot be seen hides no other, and no end is another's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.deadline import Deadline
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from local.cloud import GITHUB_SECRET
from local.serving.faults import Fault
from tests.flow.github.hub import DISPATCHES
from tests.flow.github.test_answers import HTML, OWN
from tests.flow.github.test_doubt import later

if TYPE_CHECKING:
    from tests.flow.github.hub import Hub


def answered_with(hub: Hub, number: int) -> Fault:
    """GitHub starts a run, and somebody on the way answers with another one, whole."""
    url = f"{hub.hub.url}/repos/contoso/mlops/actions/runs/{number}"
    body = json.dumps({"workflow_run_id": number, "run_url": url, "html_url": url})
    return Fault("POST", DISPATCHES, status=200, after=True, headers=OWN, body=body)


@pytest.mark.parametrize("status", [500, 502])
def test_one_that_cannot_be_read_hides_no_other(hub: Hub, status: int) -> None:
    for run in ("r1", "r2", "r3"):
        hub.happen(run)
    hub.reconcile(seconds=121)
    first, second, third = hub.runs
    path = f"*/actions/runs/{second.id}"
    hub.hub.server.faults.add(Fault(path=path, status=status, headers=HTML, times=9999))
    hub.hub.finish(first.id, "success")
    hub.hub.finish(third.id, "failure")
    for _ in range(4):
        hub.reconcile(minutes=10)
    seen = [hub.only(run).ended for run in ("r1", "r2", "r3")]
    assert [end and end.how for end in seen] == [Ending.SUCCEEDED, None, Ending.FAILED]
    hub.hub.server.faults.clear()
    hub.hub.finish(second.id, "success")
    for _ in range(4):
        hub.reconcile(minutes=20)
    end = hub.only("r2").ended
    assert end is not None
    assert end.how is Ending.SUCCEEDED


def test_a_service_that_does_not_answer_is_not_asked_for_each(hub: Hub) -> None:
    for n in range(8):
        hub.happen(f"r{n}")
    hub.reconcile(seconds=121)
    path = "*/actions/runs/*"
    hub.hub.server.faults.add(Fault(path=path, status=503, headers=HTML, times=9999))
    before = len(hub.hub.server.received("GET", "/actions/runs/"))
    hub.reconcile(minutes=10)
    asked = len(hub.hub.server.received("GET", "/actions/runs/")) - before
    assert asked <= 4  # two, each tried twice


def test_a_run_that_was_answered_to_another_request_is_looked_for(hub: Hub) -> None:
    hub.happen("r1")
    hub.hub.server.faults.add(answered_with(hub, hub.runs[0].id))
    hub.happen("r2")
    assert hub.only("r2").reason is Reason.IN_DOUBT
    later(hub)
    row = hub.only("r2")
    assert (row.state, row.reason, row.pipeline_run) == (
        State.STARTED,
        Reason.FOUND,
        hub.runs[1].id,
    )


def test_the_end_of_another_starts_run_is_not_believed(hub: Hub) -> None:
    hub.happen("r1")
    hub.deploy()
    hub.hub.server.faults.add(answered_with(hub, hub.runs[0].id))
    hub.happen("r2")
    hub.hub.finish(hub.runs[0].id, "success")
    for _ in range(4):
        hub.reconcile(minutes=20)
    first, second = hub.only("r1").ended, hub.only("r2").ended
    assert first is not None
    assert first.how is Ending.SUCCEEDED
    assert second is None
    hub.reconcile(hours=73)
    hub.reconcile(hours=1)
    second = hub.only("r2").ended
    assert second is not None
    assert second.how is Ending.LOST
    assert f"pipeline run {hub.runs[0].id} is that of register/r1/Completed" in second.detail


def test_no_credential_is_read_for_tags_that_no_run_at_github_can_have(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.deploy(TAG_RUNS="1")
    hub.happen()
    hub.cloud.vault.put(GITHUB_SECRET, "no token any more")
    hub.reconcile(minutes=6)
    assert "link=" not in caplog.text
    deadline = Deadline(hub.clock, 20)
    tags = hub.ports.runs.read(hub.only("r1").event.workspace, "r1", deadline).tags
    assert tags["relay.register.pipeline_run"] == str(hub.runs[0].id)
