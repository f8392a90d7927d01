"""The local Azure DevOps misbehaves on request, in the ways that make a start doubtful."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import requests

from local.devops import DevOps
from local.serving.faults import Fault
from tests.local.devops.calls import (
    BUILDS,
    PAT,
    RUNS,
    Clock,
    builds,
    call,
    listed,
    start,
    started,
    with_pipelines,
)

if TYPE_CHECKING:
    from datetime import datetime

CONTROL = "/_local/devops"


def parameters_in_list(devops: DevOps) -> dict[str, object] | None:
    build: dict[str, dict[str, object]] = builds(devops).json()["value"][0]
    return build.get("templateParameters")


def parameters_in_single(devops: DevOps) -> dict[str, object] | None:
    path = f"{BUILDS}/{devops.runs[0].id}"
    build: dict[str, dict[str, object]] = call(devops, "GET", path).json()
    return build.get("templateParameters")


def test_a_run_queued_later_is_a_dropped_connection_first(devops: DevOps) -> None:
    devops.queue_later(3600)
    with pytest.raises(requests.ConnectionError):
        start(devops, run_id="late")
    assert devops.runs == []
    devops.queue_now()
    assert [run.template_parameters["run_id"] for run in devops.runs] == ["late"]
    assert start(devops).status_code == 200


def test_a_run_queued_later_arrives_by_itself_and_once() -> None:
    arrived = threading.Event()

    def clock_that_tells() -> datetime:
        arrived.set()
        return Clock().at

    with DevOps(clock=clock_that_tells) as devops:
        with_pipelines(devops).queue_later(0.05)
        with pytest.raises(requests.ConnectionError):
            start(devops)
        assert arrived.wait(20)
        devops.queue_now()
        assert listed(devops) == [run.id for run in devops.runs]
        assert len(devops.runs) == 1


def test_a_request_that_is_refused_is_not_queued_later(devops: DevOps) -> None:
    devops.queue_later(3600)
    assert call(devops, "POST", RUNS, body={}).status_code == 400
    devops.queue_now()
    assert devops.runs == []


def test_an_answer_that_lies_leaves_the_run_queued(devops: DevOps) -> None:
    devops.server.faults.add(Fault(method="POST", status=500, after=True))
    assert start(devops).status_code == 500
    assert len(devops.runs) == 1


def test_a_young_build_is_hidden_from_lists_and_found_by_its_id(
    devops: DevOps, clock: Clock
) -> None:
    devops.hide_builds_younger_than(30)
    run_id = started(devops)
    clock.pass_by(29)
    assert listed(devops) == []
    assert call(devops, "GET", RUNS).json()["count"] == 0
    assert call(devops, "GET", f"{BUILDS}/{run_id}").status_code == 200
    clock.pass_by(1)
    assert listed(devops) == [run_id]


def test_runs_list_never_shows_parameters(devops: DevOps) -> None:
    start(devops)
    assert "templateParameters" not in call(devops, "GET", RUNS).json()["value"][0]


def test_builds_list_may_leave_parameters_to_the_single_read(devops: DevOps) -> None:
    start(devops)
    assert parameters_in_list(devops) == parameters_in_single(devops) != {}
    devops.builds_list_without_parameters = True
    assert parameters_in_list(devops) is None
    assert "run_id" in (parameters_in_single(devops) or {})


def test_builds_may_never_show_parameters(devops: DevOps) -> None:
    start(devops)
    devops.builds_never_show_parameters = True
    assert parameters_in_list(devops) is parameters_in_single(devops) is None


def test_builds_may_show_parameters_with_their_types(devops: DevOps) -> None:
    start(devops, fast="True", shape="[1, x]")
    devops.builds_show_typed_parameters = True
    expected = {"run_id": "a", "rounds": 3, "fast": True, "shape": [1, "x"], "stage": "dev"}
    assert parameters_in_list(devops) == expected


def test_the_queue_time_told_may_be_off(devops: DevOps) -> None:
    devops.clock_skew = -120
    run = start(devops).json()
    build = call(devops, "GET", f"{BUILDS}/{run['id']}").json()
    assert run["createdDate"] == build["queueTime"] == "2026-11-21T09:58:00.0000000Z"


def test_everything_can_be_set_by_hand(devops: DevOps) -> None:
    command = {
        "clock_skew": 5,
        "builds_never_show_parameters": True,
        "queue_later": {"seconds": 3600},
        "throttle": {"times": 1, "retry_after": 9},
        "accept": {"pat": "second", "scope": "read"},
        "add_pipeline": {"organization": "o", "project": "p", "id": 1, "name": "n"},
    }
    told = requests.post(devops.url + CONTROL, json=command, timeout=20).json()
    assert told["switches"]["clock_skew"] == 5
    assert start(devops).headers["Retry-After"] == "9"
    with pytest.raises(requests.ConnectionError):
        start(devops)
    requests.post(devops.url + CONTROL, json={"queue_now": {}}, timeout=20)
    (run,) = requests.get(devops.url + CONTROL, timeout=20).json()["runs"]
    requests.post(devops.url + CONTROL, json={"finish": {"run_id": run["id"]}}, timeout=20)
    assert devops.runs[0].result == "succeeded"
    assert call(devops, "GET", "pipelines", project="o/p").json()["count"] == 1


def test_the_control_path_never_tells_a_pat(devops: DevOps) -> None:
    requests.post(devops.url + CONTROL, json={"refuse": {"pat": PAT}}, timeout=20)
    assert start(devops).status_code == 401
    told = [
        requests.get(devops.url + path, timeout=20).text for path in (CONTROL, "/_local/requests")
    ]
    assert PAT not in "".join(told)


@pytest.mark.parametrize(
    "command",
    [
        {"clock_skw": 5},
        {"page_size": "2"},
        {"refuse": {"pat": "x", "shape": "418"}},
        {"finish": {"run_id": 7}},
        [],
    ],
)
def test_a_command_that_is_not_understood_is_a_400(devops: DevOps, command: object) -> None:
    assert requests.post(devops.url + CONTROL, json=command, timeout=20).status_code == 400


def test_a_reset_service_behaves_again_and_keeps_its_runs(devops: DevOps) -> None:
    run_id = started(devops)
    devops.hide_builds_younger_than(60)
    devops.throttle(5, retry_after=1)
    devops.queue_later(3600)
    requests.delete(devops.url + CONTROL, timeout=20)
    assert listed(devops) == [run_id]
    assert start(devops).status_code == 200
