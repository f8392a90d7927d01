"""What was started is followed to its end, which is told beside the state."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from functions.core.kept.summary import EVER
from local.serving.faults import Fault
from tests.flow.following.ends import ended, how, lines, looks, started
from tests.saying.refusals import says

if TYPE_CHECKING:
    from local.devops.pipelines.runs import Result
    from tests.stage.azure import Stage


@pytest.mark.parametrize("result", ["succeeded", "partiallySucceeded", "failed", "canceled"])
def test_a_start_is_followed_until_its_pipeline_run_ends(
    stage: Stage, result: Result, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (build,) = started(stage)
    stage.devops.begin(build)
    stage.reconcile(minutes=2)
    assert how(stage) == ""
    stage.devops.finish(build, result)
    stage.reconcile(minutes=2)
    assert (str(ended(stage).how), ended(stage).detail) == (result, "")
    (line,) = lines(caplog)
    assert line.startswith(f"pipeline_run={build} ended={result} route=register run=r1 outcome=Com")
    (shown,) = stage.ledger.listed(EVER, 9)
    assert (shown.state, shown.ended, shown.ended_at) == ("started", result, ended(stage).at)
    assert stage.only("r1").history[-1].what == "ended"


def test_what_has_ended_is_not_looked_at_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (build,) = started(stage)
    stage.devops.finish(build)
    stage.reconcile(minutes=2)
    before = looks(stage)
    for _ in range(3):
        stage.reconcile(hours=1)
    assert looks(stage) == before
    assert len(lines(caplog)) == 1


def test_a_run_that_is_canceled_while_it_is_queued_is_told_as_that(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "canceled")
    stage.reconcile(minutes=2)
    assert (ended(stage).how, ended(stage).detail) == ("canceled", "canceled while it was queued")


def test_many_are_asked_for_in_one_request(stage: Stage) -> None:
    builds = started(stage, *(f"r{n}" for n in range(120)))
    for build in builds:
        stage.devops.finish(build)
    before = len(looks(stage))
    stage.reconcile(minutes=2)
    asked = [request.split(",") for request in looks(stage)[before:]]
    assert sorted(map(len, asked)) == [20, 100]
    assert {how(stage, f"r{n}") for n in range(120)} == {"succeeded"}


def test_it_is_looked_at_less_the_longer_it_goes_on(stage: Stage) -> None:
    started(stage)
    seen, rounds = len(looks(stage)), []
    for minute in range(360):
        stage.reconcile(minutes=1)
        rounds += [minute] * (len(looks(stage)) - seen)
        seen = len(looks(stage))
    pauses = [later - earlier for earlier, later in pairwise(rounds)]
    assert len([minute for minute in rounds if minute < 60]) <= 19
    assert all(later >= earlier - 1 for earlier, later in pairwise(pauses))  # a round is a minute
    assert len([minute for minute in rounds if minute >= 300]) == 1


def test_a_build_that_was_deleted_tells_its_end_all_the_same(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "failed")
    stage.devops.delete(build)
    stage.reconcile(minutes=2)
    assert (ended(stage).how, ended(stage).detail) == ("failed", "deleted since")


def test_a_build_that_is_nowhere_for_an_hour_is_lost(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.destroy(build)
    stage.reconcile(minutes=2)
    stage.reconcile(minutes=30)
    assert how(stage) == ""
    stage.reconcile(hours=1)
    assert how(stage) == "lost"
    assert "no such pipeline run" in ended(stage).detail


def left_out(stage: Stage) -> None:
    """From now on lists show no build."""
    stage.devops.server.faults.add(
        Fault("GET", "*/_apis/build/builds", status=200, body='{"value": []}', times=999)
    )


def test_a_build_that_lists_leave_out_and_that_is_there_is_followed(stage: Stage) -> None:
    (build,) = started(stage)
    left_out(stage)
    for _ in range(3):
        stage.reconcile(hours=1)
    assert how(stage) == ""
    stage.devops.finish(build, "failed")
    stage.reconcile(hours=1)
    assert how(stage) == "failed"


def test_a_build_that_may_not_be_seen_is_lost_after_three_days(stage: Stage) -> None:
    """Lists leave it out, as if there were none."""
    (build,) = started(stage)
    left_out(stage)
    why = "ada needs View builds permissions"
    path = f"*/_apis/build/builds/{build}"
    stage.devops.server.faults.add(says(403, why, path=path, times=999, method="GET"))
    for _ in range(20):
        stage.reconcile(hours=3)
    assert how(stage) == ""
    for _ in range(5):
        stage.reconcile(hours=3)
    assert how(stage) == "lost"
    assert why in ended(stage).detail


def test_one_that_cannot_be_read_by_itself_is_not_lost_and_hides_no_others(stage: Stage) -> None:
    one, other = started(stage, "r1", "r2")
    body = json.dumps({"value": [{"id": other, "definition": {"id": 42}, "status": "inProgress"}]})
    stage.devops.server.faults.add(
        Fault("GET", "*/_apis/build/builds", status=200, body=body, times=999)
    )
    odd = Fault("GET", f"*/_apis/build/builds/{one}", status=503, times=999)
    stage.devops.server.faults.add(odd)
    for _ in range(4):
        stage.reconcile(hours=1)
    assert (how(stage, "r1"), how(stage, "r2")) == ("", "")
    stage.devops.server.faults.clear()
    stage.devops.finish(one)
    stage.devops.finish(other)
    stage.reconcile(hours=1)
    assert (how(stage, "r1"), how(stage, "r2")) == ("succeeded", "succeeded")


def test_a_build_that_shows_late_is_not_lost(stage: Stage) -> None:
    stage.devops.hide_builds_younger_than(3600)
    (build,) = started(stage)
    stage.reconcile(minutes=30)
    stage.devops.hide_builds_younger_than(0)
    stage.reconcile(minutes=20)
    stage.reconcile(hours=2)
    assert how(stage) == ""
    stage.devops.finish(build)
    stage.reconcile(hours=1)
    assert how(stage) == "succeeded"


def test_what_never_ends_is_lost_after_thirty_days(stage: Stage) -> None:
    started(stage)
    stage.reconcile(days=29)
    assert how(stage) == ""
    stage.reconcile(days=1, hours=1)
    assert (how(stage), ended(stage).detail) == ("lost", "it had not ended after 30 days")
    before = looks(stage)
    stage.reconcile(days=1)
    assert looks(stage) == before


def test_what_the_ledger_is_about_to_forget_is_told_as_lost_before(stage: Stage) -> None:
    stage.deploy(LEDGER_RETENTION_DAYS="3")
    started(stage)
    for _ in range(75):
        if how(stage):
            break
        stage.clock.forward(hours=1)
        stage.app.sweep.sweep()
        stage.reconcile()
    assert (how(stage), ended(stage).detail) == ("lost", "it had not ended after 2 d 21 h")


@pytest.mark.parametrize("status", [401, 429])
def test_a_limit_met_on_the_way_hides_nothing_of_what_the_list_told(
    stage: Stage, status: int
) -> None:
    one, other = started(stage, "r1", "r2")
    stage.devops.finish(other)
    told = {"id": other, "definition": {"id": 42}, "status": "completed", "result": "succeeded"}
    body = json.dumps({"value": [{**told, "finishTime": "2026-11-21T18:41:00Z"}]})
    stage.devops.server.faults.add(
        Fault("GET", "*/_apis/build/builds", status=200, body=body, times=999)
    )
    path = f"*/_apis/build/builds/{one}"
    stage.devops.server.faults.add(
        says(status, "not now", path=path, times=999, method="GET", after="60")
    )
    stage.reconcile(minutes=2)
    assert (how(stage, "r1"), how(stage, "r2")) == ("", "succeeded")


def test_one_of_two_that_may_not_be_seen_hides_nothing_of_the_other(stage: Stage) -> None:
    """Both were queued for one run, and lists show only the first."""
    (build,) = started(stage)
    (one,) = stage.ledger.followed.due(stage.clock.now() + timedelta(days=1), 9)
    stage.ledger.followed.move(one, replace(one, runs=(*one.runs, 999)))
    path = "*/_apis/build/builds/999"
    stage.devops.server.faults.add(says(403, "not yours", path=path, times=999, method="GET"))
    stage.devops.finish(build, "failed")
    for _ in range(3):
        stage.reconcile(hours=1)
    assert how(stage) == "failed"
