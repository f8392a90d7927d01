"""A look holds no start back, and takes nothing from it: not a secret, not the right to ask."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.asking import EXPERIMENT
from tests.flow.following.ends import LISTED, ended, how, looks, started
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, changed, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ONE_HOUR = 60


def starts(stage: Stage, run: str = "r2") -> bool:
    """Whether another run's pipeline is started at once."""
    before = stage.posts()
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed(run))
    return stage.posts() == before + 1 and stage.only(run).state == "started"


def asked_in_the_next_hour(stage: Stage) -> int:
    before = len(looks(stage))
    for _ in range(ONE_HOUR):
        stage.reconcile(minutes=1)
    return len(looks(stage)) - before


def test_a_refused_secret_is_tried_every_quarter_of_an_hour_and_starts_are_not_held(
    stage: Stage,
) -> None:
    (build,) = started(stage)
    stage.devops.refuse(PAT)
    assert asked_in_the_next_hour(stage) <= 2 * 5  # each time once more with the secret read anew
    stage.devops.accept(PAT)
    assert starts(stage)
    stage.devops.finish(build)
    stage.reconcile(minutes=15)
    assert how(stage) == "succeeded"


def test_no_look_is_sent_with_a_secret_that_is_blocked(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build)
    stage.devops.refuse(PAT)
    assert not starts(stage)  # which blocks the account for a quarter of an hour
    before = len(looks(stage))
    for _ in range(14):
        stage.reconcile(minutes=1)
    assert len(looks(stage)) == before
    stage.devops.accept(PAT)
    stage.reconcile(minutes=3)
    assert how(stage) == "succeeded"


def by_another_secret(stage: Stage, token: str) -> None:
    """From now on the route starts its pipeline with a secret that holds this token."""
    stage.cloud.vault.put("newer", token)
    stage.routes(ROUTES.replace("      pipeline: 42", "      secret: newer\n      pipeline: 42"))
    stage.deploy()


def withdrawn(stage: Stage, how: str) -> None:
    if how == "deleted":
        stage.cloud.vault.delete("azure-devops-pat")
    elif how == "disabled":
        stage.cloud.vault.disable("azure-devops-pat")
    elif how == "expired":
        ends = stage.clock.now() - timedelta(days=1)
        stage.cloud.vault.put("azure-devops-pat", PAT, expires=ends)
    else:
        stage.devops.refuse(PAT)


@pytest.mark.parametrize("gone", ["deleted", "disabled", "expired", "refused", "blocked"])
def test_what_goes_on_while_its_route_is_given_another_secret_is_looked_at_with_that(
    stage: Stage, gone: str
) -> None:
    (build,) = started(stage)
    stage.devops.keys.accept("a token of its own")
    if gone == "blocked":
        stage.devops.refuse(PAT)
        assert not starts(stage)
    by_another_secret(stage, "a token of its own")
    withdrawn(stage, gone)
    stage.devops.finish(build)
    for _ in range(5):
        stage.reconcile(minutes=1)
    assert stage.of_run("r1")["register"].ended


def test_so_it_is_where_the_route_has_another_name_as_well(stage: Stage) -> None:
    """Its group would stand still for 30 days otherwise."""
    (build,) = started(stage)
    stage.devops.keys.accept("a token of its own")
    by_another_secret(stage, "a token of its own")
    stage.routes(stage.routes_file.read_text("utf-8").replace("name: register", "name: ours"))
    stage.deploy()
    withdrawn(stage, "deleted")
    stage.devops.finish(build)
    for _ in range(5):
        stage.reconcile(minutes=1)
    assert stage.of_run("r1")["register"].ended


def test_but_not_where_that_is_for_another_project(stage: Stage) -> None:
    """Which it may be for alone: what is refused there for days would count as lost."""
    (build,) = started(stage)
    stage.devops.keys.accept("a token of its own")
    stage.cloud.vault.put("newer", "a token of its own")
    moved = "      project: other\n      secret: newer\n      pipeline: 42"
    stage.routes(ROUTES.replace("      pipeline: 42", moved))
    stage.deploy()
    withdrawn(stage, "refused")
    stage.devops.finish(build)
    for _ in range(5):
        stage.reconcile(minutes=1)
    assert how(stage) == ""
    stage.devops.accept(PAT)
    stage.reconcile(minutes=15)
    assert how(stage) == "succeeded"


def test_with_its_own_as_long_as_that_is_taken(stage: Stage) -> None:
    (build,) = started(stage)
    by_another_secret(stage, "a token that nobody takes")
    stage.devops.finish(build)
    stage.reconcile(minutes=5)
    assert how(stage) == "succeeded"


@pytest.mark.parametrize("is_blocked", [True, False])
def test_a_look_that_is_throttled_waits_as_long_as_was_asked_and_no_start_does(
    stage: Stage, *, is_blocked: bool
) -> None:
    (build,) = started(stage)
    if is_blocked:
        stage.devops.throttle(1, retry_after=600, method="GET")
    else:
        stage.devops.delay(1, seconds=0, retry_after=600, method="GET")
    stage.reconcile(minutes=2)
    stage.devops.finish(build)
    before = len(looks(stage))
    assert starts(stage)
    for _ in range(9):
        stage.reconcile(minutes=1)
    assert len(looks(stage)) == before
    stage.reconcile(minutes=2)
    assert how(stage) == "succeeded"


def test_where_little_is_left_to_ask_one_request_a_round_is_all(stage: Stage) -> None:
    parameters = {"run_id": None, "status": None}
    stage.devops.add_pipeline("contoso", "other", 43, "report", parameters=parameters)
    stage.routes(ROUTES.replace("start: {pipeline: 43", "start: {project: other, pipeline: 43"))
    stage.aml.add_run("r2", status="Failed", experiment=EXPERIMENT)
    stage.deliver(changed("r2", "Failed"))
    started(stage)
    scarce = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "90"}
    nobody = Fault(path=f"*{LISTED}", status=200, headers=scarce, body='{"value": []}', times=9)
    stage.devops.server.faults.add(nobody)
    for left in (8, 7):
        stage.reconcile(minutes=1)
        assert nobody.times == left


def test_a_project_that_cannot_be_looked_at_keeps_none_of_another_waiting(stage: Stage) -> None:
    parameters = {"run_id": None, "status": None}
    stage.devops.add_pipeline("contoso", "other", 43, "report", parameters=parameters)
    stage.routes(ROUTES.replace("start: {pipeline: 43", "start: {project: other, pipeline: 43"))
    stage.deploy()
    stage.aml.add_run("r0", status="Failed", experiment=EXPERIMENT)
    stage.deliver(changed("r0", "Failed"))
    started(stage, "r1")
    broken = Fault(path=f"*/contoso/mlops{LISTED}", status=500, times=10_000)
    stage.devops.server.faults.add(broken)
    (build,) = (one for one in stage.devops.runs if one.pipeline_id == 43)
    stage.devops.finish(build.id)
    for n in range(2, 10):  # at each round one of the other project is due
        started(stage, f"r{n}")
    assert how(stage, "r0") == "succeeded"


def test_one_that_is_refused_is_found_among_many(stage: Stage) -> None:
    builds = started(stage, *(f"r{n}" for n in range(8)))
    for build in builds:
        stage.devops.finish(build)
    refused = says(404, WRONG, method="GET", path=f"*{LISTED}", times=2)
    stage.devops.server.faults.add(refused)
    before = len(looks(stage))
    stage.reconcile(minutes=1)
    assert [len(request.split(",")) for request in looks(stage)[before:]] == [
        2,
        2,
        4,
    ]  # of 8 and 4 before
    assert {how(stage, f"r{n}") for n in range(8)} == {"succeeded"}


def test_what_is_refused_for_three_days_is_lost(stage: Stage) -> None:
    started(stage)
    fault = says(403, WRONG, method="GET", path=f"*{LISTED}", times=10_000)
    stage.devops.server.faults.add(fault)
    stage.reconcile(minutes=1)
    stage.reconcile(days=2)
    assert how(stage) == ""
    stage.reconcile(days=1, hours=1)
    assert how(stage) == "lost"
    assert "answered 403" in ended(stage).detail


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503),
        Fault(status=500, body="{}"),
        Fault(status=200, body="<html>", headers={"Content-Type": "text/html"}),
        Fault(status=200, body="[]", headers={"Content-Type": "application/json"}),
        Fault(status=200, body='{"value": [{"id": "1001"}, null, 7, {"id": true}]}'),
        Fault(status=404, body="a page"),
        Fault(drop="after"),
    ],
    ids=lambda fault: str(fault.status),
)
def test_an_answer_that_is_none_is_not_believed(stage: Stage, fault: Fault) -> None:
    (build,) = started(stage)
    fault.method, fault.path, fault.times = "GET", f"*{LISTED}", 2
    stage.devops.server.faults.add(fault)
    stage.reconcile(minutes=1)
    assert how(stage) == ""
    stage.devops.server.faults.clear()
    stage.devops.finish(build)
    stage.reconcile(minutes=2)
    assert how(stage) == "succeeded"


def test_a_paused_app_goes_on_following(stage: Stage) -> None:
    (build,) = started(stage)
    stage.deploy(PAUSED="1")
    stage.devops.finish(build)
    stage.reconcile(minutes=2)
    assert how(stage) == "succeeded"


@pytest.mark.parametrize("where", ["route", "defaults"])
def test_follow_false_switches_it_off(stage: Stage, where: str) -> None:
    on_route = ROUTES.replace("name: register", "name: register\n    follow: false")
    for_all = ROUTES.replace("project: mlops}", "project: mlops, follow: false}")
    stage.routes(on_route if where == "route" else for_all)
    (build,) = started(stage)
    stage.devops.finish(build)
    stage.reconcile(hours=1)
    assert (looks(stage), how(stage)) == ([], "")


def test_a_route_may_follow_although_the_others_do_not(stage: Stage) -> None:
    text = ROUTES.replace("project: mlops}", "project: mlops, follow: false}")
    stage.routes(text.replace("name: register", "name: register\n    follow: true"))
    (build,) = started(stage)
    stage.devops.finish(build)
    stage.reconcile(minutes=2)
    assert how(stage) == "succeeded"


def test_what_is_followed_is_let_go_once_its_route_says_so(stage: Stage) -> None:
    started(stage)
    stage.routes(ROUTES.replace("name: register", "name: register\n    follow: false"))
    stage.deploy()
    stage.reconcile(minutes=2)
    stage.routes(ROUTES)
    before = looks(stage)
    stage.reconcile(minutes=30)
    assert looks(stage) == before
