"""Looks at what was started: one that cannot be seen hides no other, and no end is another's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.kept.summary import EVER
from functions.core.terms.deadline import Deadline
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from local.cloud import GITHUB_SECRET
from local.serving.faults import Fault
from tests.flow.following.test_breaking import dies_in_a_round
from tests.flow.github.hub import DISPATCHES
from tests.flow.github.test_answers import HTML, OWN
from tests.flow.github.test_doubt import LIST, later

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


def believed(hub: Hub, *, queued: bool, runs: tuple[str, str] = ("r1", "r2")) -> None:
    """A start that was answered with another's run, of which only another process knew."""
    first, second = runs
    hub.happen(first)
    other = hub.runs[-1].id
    hub.deploy()
    answer = answered_with(hub, other)
    answer.after = queued
    hub.hub.server.faults.add(answer)
    hub.happen(second)
    assert hub.only(second).pipeline_run == other


@pytest.mark.parametrize("ends", [True, False])
def test_a_start_that_was_told_anothers_run_finds_its_own_once_that_shows(
    hub: Hub, caplog: pytest.LogCaptureFixture, *, ends: bool
) -> None:
    """Also while that goes on."""
    believed(hub, queued=True)
    if ends:
        hub.hub.finish(hub.runs[0].id, "success")
    for _ in range(3):
        hub.reconcile(minutes=3)
    row = hub.only("r2")
    assert (row.state, row.pipeline_run, row.ended) == (State.STARTED, hub.runs[1].id, None)
    assert f"pipeline run {hub.runs[0].id} is that of register/r1/Completed" in row.detail
    assert row.url.endswith(f"/{hub.runs[1].id}")
    assert any("reason=found" in line and "run=r2" in line for line in caplog.messages)
    hub.hub.finish(hub.runs[0].id, "success")
    hub.hub.finish(hub.runs[1].id, "failure")
    for _ in range(4):
        hub.reconcile(minutes=20)
    told = [hub.only(run).ended for run in ("r1", "r2")]
    assert [end and end.how for end in told] == [Ending.SUCCEEDED, Ending.FAILED]
    assert hub.dispatches() == 2


def test_a_start_that_was_told_anothers_run_and_has_none_is_lost_within_hours(hub: Hub) -> None:
    """Nothing was started for it: the end of the other one is not its own."""
    believed(hub, queued=False)
    hub.hub.finish(hub.runs[0].id, "success")
    for _ in range(3):
        hub.reconcile(minutes=20)
    assert hub.only("r2").ended is None
    for _ in range(5):
        hub.reconcile(minutes=20)
    second = hub.only("r2").ended
    assert second is not None
    assert second.how is Ending.LOST
    assert f"pipeline run {hub.runs[0].id} is that of register/r1/Completed" in second.detail


def test_a_process_that_dies_while_it_puts_that_right_leaves_the_rest_to_the_next(hub: Hub) -> None:
    n, dies = 0, True
    while dies:
        runs = (f"a{n}", f"b{n}")
        believed(hub, queued=True, runs=runs)
        first, second = (one.id for one in hub.runs[-2:])
        hub.hub.finish(first, "success")
        dies = dies_in_a_round(hub, n, minutes=3)
        for _ in range(3):
            hub.reconcile(minutes=3)
        assert hub.only(runs[1]).pipeline_run == second, n
        hub.hub.finish(second, "failure")
        for _ in range(6):
            hub.reconcile(minutes=5)
        told = [hub.only(run).ended for run in runs]
        assert [end and end.how for end in told] == [Ending.SUCCEEDED, Ending.FAILED], n
        (shown,) = [one for one in hub.ledger.listed(EVER, 9999) if one.key.run == runs[1]]
        assert (shown.pipeline_run, shown.ended) == (second, Ending.FAILED), n
        n += 1
    assert n > 12
    assert hub.ledger.followed.keys() == frozenset()
    assert hub.dispatches() == 2 * n


def test_while_the_look_for_its_own_is_not_whole_nothing_is_said_to_be_lost(hub: Hub) -> None:
    believed(hub, queued=True)
    hub.hub.finish(hub.runs[0].id, "success")
    broken = Fault("GET", LIST, status=502, headers=HTML, times=9999)
    hub.hub.server.faults.add(broken)
    for _ in range(9):
        hub.reconcile(minutes=20)
    assert hub.only("r2").ended is None
    hub.hub.server.faults.clear()
    for _ in range(2):
        hub.reconcile(minutes=20)
    assert hub.only("r2").pipeline_run == hub.runs[1].id


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


def test_those_that_can_never_be_read_hide_none_behind_them(hub: Hub) -> None:
    """After some of them the others are not asked for, and come first the next time."""
    every = [f"r{n}" for n in range(9)]
    for run in every:
        hub.happen(run)
    hub.reconcile(seconds=121)
    for one in hub.runs[:5]:
        path = f"*/actions/runs/{one.id}"
        hub.hub.server.faults.add(Fault(path=path, status=502, headers=HTML, times=9999))
    for one in hub.runs:
        hub.hub.finish(one.id, "failure")
    for _ in range(12):
        hub.reconcile(minutes=5)
    assert {run for run in every if hub.only(run).ended} == {*every[5:]}


def test_what_a_repository_has_that_is_renamed_is_seen_to_its_end(hub: Hub) -> None:
    hub.happen()
    hub.reconcile(seconds=121)
    hub.hub.rename("contoso", "mlops", "ml-platform")
    hub.hub.finish(hub.runs[0].id, "failure")
    hub.reconcile(minutes=10)
    end = hub.only("r1").ended
    assert end
    assert end.how is Ending.FAILED


def test_a_lost_answer_s_run_is_found_where_the_repository_is_now(hub: Hub) -> None:
    hub.hub.server.faults.add(Fault("POST", DISPATCHES, drop="after"))
    hub.happen()
    hub.hub.rename("contoso", "mlops", "ml-platform")
    later(hub, 4)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


def test_nobody_is_followed_to_another_host(hub: Hub) -> None:
    hub.happen()
    hub.reconcile(seconds=121)
    moved = {**OWN, "Location": f"{hub.devops.url}/elsewhere"}
    said = json.dumps({"message": "Moved Permanently", "documentation_url": "https://docs"})
    hub.hub.server.faults.add(
        Fault("GET", "*/actions/runs/*", status=301, headers=moved, body=said, times=9)
    )
    hub.reconcile(minutes=10)
    assert hub.devops.server.received("GET", "/elsewhere") == []
    assert hub.only("r1").ended is None
