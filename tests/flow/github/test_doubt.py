"""The answer to a dispatch is lost: its run is found by its name, or it is sent again once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.github.hub import DISPATCHES, ROUTES
from tests.flow.github.test_answers import OWN

if TYPE_CHECKING:
    from tests.flow.github.hub import Hub


def lost() -> Fault:
    return Fault("POST", DISPATCHES, drop="after")


def never() -> Fault:
    return Fault("POST", DISPATCHES, drop="before")


LIST = "*/actions/workflows/register.yml/runs"


def later(hub: Hub, times: int = 6, **by: float) -> None:
    for _ in range(times):
        hub.reconcile(**(by or {"minutes": 15}))


def test_a_lost_answers_run_is_found_by_its_name(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    assert hub.only("r1").reason is Reason.IN_DOUBT
    later(hub)
    row = hub.only("r1")
    assert (row.state, row.reason) == (State.STARTED, Reason.FOUND)
    assert row.pipeline_run == hub.runs[0].id
    assert hub.dispatches() == 1


def test_it_is_found_among_others_by_its_own_name_alone(hub: Hub) -> None:
    hub.happen("r0")
    hub.hub.server.faults.add(lost())
    hub.happen("r1")
    for n in range(2, 5):
        hub.happen(f"r{n}")
    later(hub)
    ours = {row.key.hash: row.pipeline_run for row in map(hub.only, ("r0", "r1", "r2", "r3", "r4"))}
    assert ours == {dict(run.inputs)["relay_id"]: run.id for run in hub.runs}


def test_it_is_found_on_a_later_page(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen("r0")
    for n in range(1, 130):
        hub.happen(f"r{n}")
    later(hub)
    assert hub.only("r0").reason is Reason.FOUND
    assert hub.dispatches() == 130


def test_what_never_arrived_is_sent_again_once(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()
    later(hub, 8)
    assert (hub.only("r1").state, hub.only("r1").sends, len(hub.runs)) == (State.STARTED, 2, 1)


def test_a_run_that_lists_show_late_is_not_started_twice(hub: Hub) -> None:
    hub.hub.hidden_seconds = 500
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub, 20, minutes=1)
    later(hub, 4)
    assert (hub.only("r1").reason, len(hub.runs)) == (Reason.FOUND, 1)


def test_without_a_correlation_it_is_held_and_check_says_so_before(hub: Hub) -> None:
    hub.routes(ROUTES.replace("correlation: relay_id,", ""))
    hub.deploy()
    (warning,) = hub.ports.routes.routes().warnings
    assert "no run of a workflow shows its inputs, and there is no `correlation`" in warning
    hub.hub.server.faults.add(lost())
    hub.happen()
    later(hub)
    assert (hub.only("r1").state, hub.only("r1").reason) == (State.HELD, Reason.IN_DOUBT)
    assert hub.dispatches() == 1


@pytest.mark.parametrize(
    "shown",
    [
        {"workflow_runs": [], "total_count": "0"},
        {"workflow_runs": {}, "total_count": 0},
        {"workflow_runs": [7], "total_count": 1},
        {"workflow_runs": [{"id": 7}], "total_count": 1},
        {"workflow_runs": [{"id": True, "created_at": "2026-01-01T00:00:00Z"}], "total_count": 1},
        {"total_count": 0},
        [],
    ],
)
def test_an_odd_list_is_no_proof_that_nothing_was_started(hub: Hub, shown: object) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    lie = Fault("GET", LIST, status=200, headers=OWN, body=json.dumps(shown), times=99)
    hub.hub.server.faults.add(lie)
    later(hub, 4)
    assert hub.only("r1").reason is Reason.LOOK_FAILED
    assert hub.dispatches() == 1
    hub.hub.server.faults.clear()
    hub.reconcile(hours=1)
    assert (hub.only("r1").reason, hub.dispatches()) == (Reason.FOUND, 1)


def test_a_page_in_the_place_of_the_list_is_none_either(hub: Hub) -> None:
    hub.hub.server.faults.add(lost())
    hub.happen()
    body = json.dumps({"total_count": 0, "workflow_runs": []})
    stranger = {"Content-Type": "application/json"}
    hub.hub.server.faults.add(Fault("GET", LIST, status=200, headers=stranger, body=body, times=99))
    later(hub, 4)
    assert (hub.only("r1").reason, hub.dispatches()) == (Reason.LOOK_FAILED, 1)


def test_a_list_that_grows_shorter_is_not_whole(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()

    def listing(total: int) -> Fault:
        at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        run = {"event": "push", "display_title": "x", "created_at": at}
        runs = [{**run, "id": n + 1} for n in range(100)]
        body = json.dumps({"total_count": total, "workflow_runs": runs})
        return Fault("GET", LIST, status=200, headers=OWN, body=body)

    hub.hub.server.faults.add(listing(200))
    hub.hub.server.faults.add(listing(199))
    hub.reconcile(minutes=2)
    assert hub.only("r1").reason is Reason.LOOK_FAILED
    assert "deleted during the look" in hub.only("r1").detail


def test_a_name_that_only_holds_the_hash_within_a_word_is_anothers(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()
    mark = hub.only("r1").key.hash
    token = {"Authorization": f"Bearer {hub.cloud.github_token}", "User-Agent": "x"}
    import requests  # noqa: PLC0415

    for name in (f"a{mark}", f"{mark}0"):
        inputs = {"run_id": "x", "model_name": "0123456789ab", "relay_id": name}
        body = {"ref": "main", "inputs": inputs}
        url = f"{hub.hub.url}/repos/contoso/mlops/actions/workflows/register.yml/dispatches"
        assert requests.post(url, json=body, headers=token, timeout=20).status_code == 204
    later(hub, 8)
    row = hub.only("r1")
    assert row.state is State.STARTED
    assert [run.id for run in hub.runs].index(row.pipeline_run or 0) == 2


def test_two_of_one_mark_are_told_as_a_duplicate(hub: Hub) -> None:
    hub.hub.server.faults.add(never())
    hub.happen()
    later(hub, 3)
    assert hub.only("r1").state is State.STARTED
    first = hub.runs[0]
    body = {"ref": "main", "inputs": dict(first.inputs)}
    token = {"Authorization": f"Bearer {hub.cloud.github_token}", "User-Agent": "x"}
    import requests  # noqa: PLC0415

    url = f"{hub.hub.url}/repos/contoso/mlops/actions/workflows/register.yml/dispatches"
    assert requests.post(url, json=body, headers=token, timeout=20).status_code == 204
    later(hub, 8)
    assert hub.only("r1").duplicates == (hub.runs[1].id,)
