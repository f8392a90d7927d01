"""A look for a lost answer's run that may not show it is no proof that there is none."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.github.example import REGISTER
from local.serving.faults import Fault
from tests.flow.github.hub import DISPATCHES
from tests.flow.github.test_answers import OWN
from tests.flow.github.test_doubt import LIST, later, lost, never
from tests.stage.azure import completed

if TYPE_CHECKING:
    from datetime import datetime

    from tests.flow.github.hub import Hub

REFUSED = json.dumps(
    {"message": "Resource not accessible by integration", "documentation_url": "x"}
)


def shows(total: int, *runs: dict[str, Any], times: int = 99) -> Fault:
    body = json.dumps({"total_count": total, "workflow_runs": runs})
    return Fault("GET", LIST, status=200, headers=OWN, body=body, times=times)


def refused(times: int) -> Fault:
    return Fault("GET", LIST, status=403, headers=OWN, body=REFUSED, times=times)


def at_once(hub: Hub, at: datetime | None = None) -> None:
    """A run ends, and its event comes as soon as it was sent."""
    hub.aml.add_run("r1", experiment="defect-detection")
    hub.deliver({**completed("r1"), "eventTime": (at or hub.clock.now()).isoformat()})


@pytest.mark.parametrize(
    "run_name", ["", "run-name: Deploy ${{ inputs.run_id }} and so on\n"], ids=["none", "cut"]
)
def test_a_run_whose_name_shows_no_hash_may_be_the_one(hub: Hub, run_name: str) -> None:
    named = REGISTER.splitlines(keepends=True)
    text = "".join([named[0], run_name, *named[2:]])
    hub.hub.add_workflow("contoso", "mlops", "register.yml", text)
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub, 8)
    row = hub.only("r1")
    assert (row.reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)
    assert f"run {hub.runs[0].id} may be the one: its name shows no start's hash" in row.detail
    hub.reconcile(hours=73)
    assert (hub.only("r1").state, len(hub.runs)) == (State.HELD, 1)


def test_what_somebody_started_hours_before_holds_nothing_back(hub: Hub) -> None:
    old = {"id": 5, "event": "workflow_dispatch", "display_title": "Register by hand"}
    hub.hub.server.faults.add(never())
    at_once(hub)
    before = hub.clock.now() - timedelta(minutes=30)
    hub.hub.server.faults.add(shows(1, {**old, "created_at": before.isoformat()}))
    later(hub, 4)
    assert (hub.only("r1").state, hub.only("r1").sends) == (State.STARTED, 2)


def test_a_list_that_shows_fewer_than_it_counts_is_not_whole(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    hub.hub.server.faults.add(shows(1))
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.LOOK_FAILED, 1)
    assert "the list shows 0 of 1 runs" in hub.only("r1").detail


def test_a_short_page_is_not_the_last_one_where_more_are_counted(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    mark, now = hub.only("r1").key.hash, hub.clock.now().isoformat()
    ours = {"id": hub.runs[0].id, "event": "workflow_dispatch", "display_title": f"D {mark}"}
    other = {"id": 9, "event": "push", "created_at": now}
    hub.hub.server.faults.add(shows(2, other, times=1))
    hub.hub.server.faults.add(shows(2, {**ours, "created_at": now}))
    hub.reconcile(minutes=2)  # the first look shows it
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


def test_an_older_one_before_it_does_not_hide_it(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    mark, now = hub.only("r1").key.hash, hub.clock.now().isoformat()
    old = {"id": 5, "event": "workflow_dispatch", "created_at": "2020-01-01T00:00:00Z"}
    ours = {"id": hub.runs[0].id, "event": "workflow_dispatch", "display_title": f"D {mark}"}
    hub.hub.server.faults.add(shows(2, old, {**ours, "created_at": now}))
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


@pytest.mark.parametrize("minutes", [-50, 50])
def test_clocks_that_differ_hide_no_run(hub: Hub, minutes: int) -> None:
    hub.cloud.github_clock = lambda: hub.clock.now() + timedelta(minutes=minutes)
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


def test_a_clock_may_be_further_ahead_where_its_event_shows_it(hub: Hub) -> None:
    hub.cloud.github_clock = lambda: hub.clock.now() - timedelta(hours=3)
    hub.hub.server.faults.add(lost())
    at_once(hub, hub.cloud.github_clock())
    later(hub, 8)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


def test_a_look_that_is_refused_for_days_ends_with_a_person(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    hub.hub.server.faults.add(refused(999))
    for _ in range(5):
        hub.reconcile(hours=20)
    row = hub.only("r1")
    assert (row.state, row.reason) == (State.HELD, Reason.IN_DOUBT)
    assert "GitHub answered 403: Resource not accessible by integration" in row.detail


def test_a_look_that_was_refused_is_no_refusal_of_the_start(hub: Hub) -> None:
    for _ in range(3):
        hub.hub.server.faults.add(never())
    hub.happen()
    for _ in range(4):
        hub.hub.server.faults.add(refused(1))
        later(hub, 4)
    row = hub.only("r1")
    assert (row.state, row.reason, row.sends) == (State.HELD, Reason.IN_DOUBT, 3)
    assert row.detail == "GitHub: sent 3 times, never answered and never found"


@pytest.mark.parametrize("where", ["contoso/mlops/actions/runs/9", "contoso/other/actions/runs/{}"])
def test_an_answer_that_tells_another_run_than_its_address_is_not_believed(
    hub: Hub, where: str
) -> None:
    hub.happen("r1")
    first = hub.runs[0].id
    told = {"workflow_run_id": first, "run_url": f"{hub.hub.url}/repos/{where.format(first)}"}
    hub.hub.server.faults.add(
        Fault("POST", DISPATCHES, status=200, headers=OWN, body=json.dumps(told))
    )
    hub.happen("r2")
    assert hub.only("r2").reason is Reason.IN_DOUBT


def test_one_that_nobody_dispatched_is_not_taken_whatever_it_is_called(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()
    mark, now = hub.only("r1").key.hash, hub.clock.now().isoformat()
    pushed = {"id": 5, "event": "push", "display_title": f"Merge {mark}", "created_at": now}
    hub.hub.server.faults.add(shows(1, pushed))
    later(hub, 4)
    row = hub.only("r1")
    assert (row.state, row.sends, row.pipeline_run) == (State.STARTED, 2, hub.runs[0].id)
