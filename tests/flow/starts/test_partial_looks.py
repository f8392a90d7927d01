"""A look-up that did not show everything proves nothing, whatever it did show."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.flow.asking import EXPERIMENT, thousand_since
from tests.saying.refusals import JSON
from tests.stage.azure import ROUTES, changed, completed, now

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

RUNS = "*/_apis/pipelines/42/runs"
BUILDS = "*/_apis/build/builds"
OTHER = WORKSPACE.replace("ml-prod", "ml-test")


def deliver(stage: Stage, **lost: object) -> None:
    """Deliver r1; its POST is lost."""
    stage.devops.server.faults.add(Fault("POST", RUNS, **lost))  # type: ignore[arg-type]
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    assert stage.only("r1").reason is Reason.IN_DOUBT


def deliver_in_other(stage: Stage, **lost: object) -> None:
    """Deliver a run of the same id in another workspace."""
    if lost:
        stage.devops.server.faults.add(Fault("POST", RUNS, **lost))  # type: ignore[arg-type]
    stage.cloud.arm.add_workspace(OTHER, stage.aml.tracking_uri)
    stage.deliver({**completed("r1"), "topic": OTHER})


def theirs(stage: Stage) -> Continuation:
    (row,) = stage.ledger.of_run(OTHER.lower(), "r1")
    return row


def hidden(stage: Stage, run: int) -> None:
    """From now on this build cannot be read, and the list shows no parameters."""
    stage.devops.builds_list_without_parameters = True
    stage.devops.server.faults.add(Fault("GET", f"{BUILDS}/{run}", status=503, times=99))


def answers(stage: Stage, path: str, body: object) -> None:
    fault = Fault("GET", path, status=200, body=json.dumps(body), headers=dict(JSON), times=99)
    stage.devops.server.faults.add(fault)


def test_another_s_pipeline_run_makes_no_look_whole_that_failed_behind_it(stage: Stage) -> None:
    """The lost start is the second build: the first one, read before the failure, is another's."""
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    deliver_in_other(stage)
    deliver(stage, drop="after")
    hidden(stage, stage.devops.runs[1].id)
    for minutes in (1, 11, 11):
        stage.reconcile(minutes=minutes)
    assert stage.only("r1").reason is Reason.LOOK_FAILED
    assert stage.posts() == 2
    stage.devops.server.faults.clear()
    stage.reconcile(hours=1)
    assert stage.only("r1").pipeline_run == stage.devops.runs[1].id
    assert stage.posts() == 2


def test_a_second_look_that_found_only_what_is_known_and_failed_is_taken_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.devops.queue_later(3600)
    deliver(stage, delay=0)
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    stage.devops.queue_now()
    known = stage.only("r1").pipeline_run
    (other,) = {run.id for run in stage.devops.runs} - {known}
    hidden(stage, other)
    stage.reconcile(minutes=61)
    row = stage.only("r1")
    assert (row.duplicates, row.recheck_at is None) == ((), False)
    stage.devops.server.faults.clear()
    stage.reconcile(hours=1)
    assert stage.only("r1").duplicates == (other,)
    assert "duplicate=register" in caplog.text


def test_two_lost_answers_with_one_run_id_take_one_pipeline_run_each(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(stage, drop="after")
    deliver_in_other(stage, drop="after")
    for minutes in (1, 11, 11, 61):
        stage.reconcile(minutes=minutes)
    found = {stage.only("r1").pipeline_run, theirs(stage).pipeline_run}
    assert found == {run.id for run in stage.devops.runs}
    assert stage.posts() == 2
    assert "duplicate=" not in caplog.text


def test_what_a_route_of_a_later_file_started_of_the_same_run_is_not_taken(stage: Stage) -> None:
    """The route has another name by then, its event came twice, and a thousand starts since."""
    deliver(stage, drop="before")
    stage.devops.refuse(PAT)
    stage.reconcile(minutes=1)
    stage.devops.accept(PAT)
    stage.routes(ROUTES.replace("name: register", "name: renamed"))
    stage.deliver(changed("r1", "Completed"))
    thousand_since(stage, stage.of_run("r1")["renamed"])
    for _ in range(40):
        stage.reconcile(minutes=1)
    started = {c.pipeline_run for c in stage.of_run("r1").values()}
    assert started == {build.id for build in stage.devops.runs}
    assert len(started) == 2


@pytest.mark.parametrize("about", [{"id": 999}, {}], ids=["another", "none"])
def test_a_single_build_that_is_not_the_one_that_was_asked_for_shows_nothing(
    stage: Stage, about: dict[str, int]
) -> None:
    stage.devops.builds_list_without_parameters = True
    deliver(stage, drop="after")
    body = {**about, "templateParameters": {"run_id": "another"}}
    answers(stage, f"{BUILDS}/*", body)
    for minutes in (1, 11, 11):
        stage.reconcile(minutes=minutes)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.LOOK_FAILED, 1)
    stage.devops.server.faults.clear()
    stage.reconcile(hours=1)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.FOUND, 1)


def listed(stage: Stage, **more: object) -> dict[str, object]:
    """The list of builds, which holds the only one."""
    (run,) = stage.devops.runs
    build = {"id": run.id, "definition": {"id": 42}, "sourceBranch": run.branch, **more}
    return {"count": 1, "value": [build]}


def test_a_list_that_shows_an_empty_set_of_parameters_has_not_shown_them(stage: Stage) -> None:
    deliver(stage, drop="after")
    answers(stage, BUILDS, listed(stage, templateParameters={}))
    for minutes in (1, 11, 11):
        stage.reconcile(minutes=minutes)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.FOUND, 1)


def test_a_list_that_ignores_the_times_that_were_asked_for_shows_older_builds_in_vain(
    stage: Stage,
) -> None:
    """What matches and is of another day is of another request."""
    deliver(stage, drop="before")
    long_ago = (now() - timedelta(days=2)).isoformat()
    build = {"id": 7, "definition": {"id": 42}, "queueTime": long_ago}
    body = {"value": [{**build, "templateParameters": {"run_id": "r1"}}]}
    answers(stage, BUILDS, body)
    stage.reconcile(minutes=1)
    stage.reconcile(minutes=11)
    row = stage.only("r1")
    assert (row.state, row.reason, row.pipeline_run) == (
        State.STARTED,
        Reason.ANSWERED,
        stage.devops.runs[0].id,
    )


@pytest.mark.parametrize(
    "body", [{"id": 7}, {"id": 7, "pipeline": "queued"}, {"id": 7, "pipeline": {"id": "42"}}]
)
def test_an_id_alone_is_no_pipeline_run(stage: Stage, body: dict[str, object]) -> None:
    """A gateway's own answer has ids, too."""
    said = {"status": 200, "body": json.dumps(body), "headers": dict(JSON), "after": True}
    deliver(stage, **said)
    stage.reconcile(minutes=1)
    row = stage.only("r1")
    assert (row.reason, row.pipeline_run) == (Reason.FOUND, stage.devops.runs[0].id)
    assert stage.posts() == 1
