"""Builds - List filters, orders and pages as documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.devops.calls import RUNS, Clock, builds, call, ids, listed, start, started

if TYPE_CHECKING:
    from local.devops import DevOps

NEWEST = "queueTimeDescending"


@pytest.fixture
def three(devops: DevOps, clock: Clock) -> list[int]:
    """Builds queued at 10:00, 10:01 and 10:02."""
    found = []
    for _ in range(3):
        found.append(started(devops))
        clock.pass_by(60)
    return found


def test_builds_are_listed_by_queue_time_both_ways(devops: DevOps, three: list[int]) -> None:
    assert listed(devops, queryOrder=NEWEST) == three[::-1]
    assert listed(devops, queryOrder="queueTimeAscending") == three


def test_times_bound_the_time_that_the_order_names(devops: DevOps, three: list[int]) -> None:
    since = "2026-11-21T10:01:00Z"
    assert listed(devops, queryOrder=NEWEST, minTime=since) == three[:0:-1]
    assert listed(devops, queryOrder=NEWEST, maxTime=since) == three[1::-1]
    assert listed(devops, queryOrder=NEWEST, minTime=since, maxTime=since) == [three[1]]


def test_without_an_order_times_bound_the_finish_time(devops: DevOps, three: list[int]) -> None:
    devops.finish(three[0])
    assert listed(devops, minTime="2026-11-21T09:00:00Z") == [three[0]]
    assert listed(devops) == [three[0], three[2], three[1]]


def test_every_page_is_reached_by_the_continuation_token(
    devops: DevOps, three: list[int], clock: Clock
) -> None:
    first = builds(devops, queryOrder=NEWEST, top="2")
    clock.pass_by(60)
    late = started(devops)
    token = first.headers["X-MS-ContinuationToken"]
    second = builds(devops, queryOrder=NEWEST, top="2", continuationToken=token)
    assert (ids(first), ids(second)) == (three[:0:-1], three[:1])
    assert "X-MS-ContinuationToken" not in second.headers
    assert listed(devops, queryOrder=NEWEST)[0] == late


def test_builds_of_one_moment_are_paged_without_loss(devops: DevOps) -> None:
    queued = [started(devops) for _ in range(5)]
    devops.page_size = 2
    found: list[int] = []
    token: str | None = ""
    while token is not None:
        answer = builds(devops, queryOrder=NEWEST, continuationToken=token)
        found += ids(answer)
        token = answer.headers.get("X-MS-ContinuationToken")
    assert found == queued[::-1]


def test_builds_that_never_finished_are_paged_too(devops: DevOps, three: list[int]) -> None:
    devops.finish(three[1])
    first = builds(devops, top="2")
    token = first.headers["X-MS-ContinuationToken"]
    assert ids(first) == [three[1], three[2]]
    assert listed(devops, continuationToken=token) == [three[0]]


def test_each_filter_leaves_only_what_it_names(devops: DevOps, clock: Clock) -> None:
    next_branch = {"repositories": {"self": {"refName": "refs/heads/next"}}}
    body = {"templateParameters": {"run_id": "a"}, "resources": next_branch}
    branched = call(devops, "POST", RUNS, body=body).json()["id"]
    clock.pass_by(86_400)
    failed, tagged = started(devops), started(devops, 43)
    devops.finish(failed, "failed")
    devops.tag(tagged, ["one", "two"])
    assert listed(devops, definitions="42") == [failed, branched]
    assert listed(devops, definitions="42,43", top="1") == [failed]
    assert listed(devops, branchName="refs/heads/next") == [branched]
    assert listed(devops, branchName="next") == []
    assert listed(devops, buildNumber="20261122*", queryOrder=NEWEST) == [tagged, failed]
    assert listed(devops, buildNumber="20261121.1") == [branched]
    assert listed(devops, buildNumber="2026") == []
    assert listed(devops, tagFilters="TWO,one") == [tagged]
    assert listed(devops, tagFilters="one,three") == []
    assert listed(devops, statusFilter="completed") == [failed]
    assert listed(devops, statusFilter="notStarted,inProgress") == [tagged, branched]
    assert listed(devops, resultFilter="failed") == [failed]
    assert listed(devops, reasonFilter="schedule") == []
    assert listed(devops, reasonFilter="manual", buildIds=str(tagged)) == [tagged]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("definitions", "register-model"),
        ("minTime", "yesterday"),
        ("maxTime", "2026-13-01"),
        ("queryOrder", "newest"),
        ("statusFilter", "done"),
        ("continuationToken", "2"),
        ("top", "0"),
        ("top", "5001"),
    ],
)
def test_a_filter_that_cannot_be_read_is_a_400(devops: DevOps, name: str, value: str) -> None:
    assert builds(devops, **{name: value}).status_code == 400


def test_a_filter_that_is_not_served_is_never_ignored(devops: DevOps) -> None:
    assert builds(devops, requestedFor="me").status_code == 501


def test_builds_of_another_project_are_not_listed(devops: DevOps) -> None:
    devops.add_pipeline("contoso", "other", 42, "same-id")
    theirs = call(devops, "POST", RUNS, body={}, project="contoso/other").json()["id"]
    assert listed(devops) == []
    assert call(devops, "GET", f"build/builds/{theirs}").status_code == 404


def test_a_build_tells_its_parameters_variables_and_number(devops: DevOps) -> None:
    body = {"templateParameters": {"run_id": "a"}, "variables": {"MODEL": {"value": "m"}}}
    build_id = call(devops, "POST", RUNS, body=body).json()["id"]
    build = call(devops, "GET", f"build/builds/{build_id}").json()
    assert build["templateParameters"]["run_id"] == "a"
    assert build["parameters"] == '{"MODEL": "m"}'
    assert (build["buildNumber"], build["status"]) == ("20261121.1", "notStarted")
    assert build["queueTime"] == "2026-11-21T10:00:00.0000000Z"


def test_a_finished_run_tells_its_result_in_both_apis(devops: DevOps) -> None:
    run_id = start(devops).json()["id"]
    devops.finish(run_id, "canceled")
    run = call(devops, "GET", f"{RUNS}/{run_id}").json()
    build = call(devops, "GET", f"build/builds/{run_id}").json()
    assert (run["state"], run["result"]) == ("completed", "canceled")
    assert (build["status"], build["result"]) == ("completed", "canceled")
    assert run["finishedDate"] == build["finishTime"]


def test_a_run_that_is_canceled_while_it_is_queued_never_began(devops: DevOps) -> None:
    queued, taken_up = started(devops), started(devops)
    devops.begin(taken_up)
    going_on = call(devops, "GET", f"build/builds/{taken_up}").json()
    assert (going_on["status"], "startTime" in going_on) == ("inProgress", True)
    for run_id in (queued, taken_up):
        devops.finish(run_id, "canceled")
    told = [call(devops, "GET", f"build/builds/{run_id}").json() for run_id in (queued, taken_up)]
    assert [build["result"] for build in told] == ["canceled", "canceled"]
    assert ["startTime" in build for build in told] == [False, True]


def test_what_partially_succeeded_is_a_word_of_builds_only(devops: DevOps) -> None:
    run_id = started(devops)
    devops.finish(run_id, "partiallySucceeded")
    assert call(devops, "GET", f"build/builds/{run_id}").json()["result"] == "partiallySucceeded"
    assert call(devops, "GET", f"{RUNS}/{run_id}").json()["result"] == "unknown"


def test_what_is_destroyed_is_in_no_list_and_its_id_is_not_given_again(devops: DevOps) -> None:
    run_id = started(devops)
    devops.destroy(run_id)
    assert listed(devops, queryOrder=NEWEST, deletedFilter="includeDeleted") == []
    assert call(devops, "GET", f"build/builds/{run_id}").status_code == 404
    assert started(devops) == run_id + 1


def test_pipelines_are_paged_by_name(devops: DevOps) -> None:
    first = call(devops, "GET", "pipelines", {"$top": "1"})
    token = first.headers["X-MS-ContinuationToken"]
    second = call(devops, "GET", "pipelines", {"$top": "1", "continuationToken": token})
    assert (ids(first), ids(second)) == ([42], [43])
    assert "X-MS-ContinuationToken" not in second.headers
