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
@pytest.mark.parametrize("broken", [(1,), (0, 1), (1, 2)])
def test_those_that_cannot_be_read_hide_no_others(
    hub: Hub, broken: tuple[int, ...], status: int
) -> None:
    every = [f"r{n}" for n in range(4)]
    for run in every:
        hub.happen(run)
    hub.reconcile(seconds=121)
    for n in broken:
        path = f"*/actions/runs/{hub.runs[n].id}"
        hub.hub.server.faults.add(Fault(path=path, status=status, headers=HTML, times=9999))
    for one in hub.runs:
        hub.hub.finish(one.id, "failure")
    for _ in range(4):
        hub.reconcile(minutes=10)
    seen = {n for n, run in enumerate(every) if hub.only(run).ended}
    assert seen == {0, 1, 2, 3} - {*broken}
    hub.hub.server.faults.clear()
    for _ in range(4):
        hub.reconcile(minutes=20)
    ends = [hub.only(run).ended for run in every]
    assert {end and end.how for end in ends} == {Ending.FAILED}


def test_a_service_that_does_not_answer_is_not_asked_for_each(hub: Hub) -> None:
    for n in range(8):
        hub.happen(f"r{n}")
    hub.reconcile(seconds=121)
    broken = Fault(path="*/actions/runs/*", status=503, headers=HTML, times=9999)
    hub.hub.server.faults.add(broken)
    hub.reconcile(minutes=10)
    assert 9999 - broken.times == 6  # three, each tried twice


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
