"""A workflow is started once for a run, with what the route says, and is followed to its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, State
from local.serving.faults import Fault
from tests.flow.github.hub import OWNER, ROUTES, START
from tests.stage.azure import completed

if TYPE_CHECKING:
    from local.github.actions.runs import Conclusion
    from tests.flow.github.hub import Hub


def test_a_run_starts_its_workflow_with_what_the_route_says(hub: Hub) -> None:
    hub.happen()
    (run,) = hub.runs
    row = hub.only("r1")
    assert dict(run.inputs)["run_id"] == "r1"
    assert dict(run.inputs)["relay_id"] == row.key.hash
    assert (run.workflow.file, run.ref) == ("register.yml", "main")
    assert (row.state, row.reason, row.pipeline_run) == (State.STARTED, Reason.ANSWERED, run.id)
    assert row.url == f"{hub.hub.server.url}/contoso/mlops/actions/runs/{run.id}"
    assert row.request is not None
    assert row.request.where == f"{OWNER}/mlops/register.yml"
    assert json.loads(row.request.body)["inputs"]["experiment"] == "defect-detection"


def test_the_same_news_again_starts_nothing(hub: Hub) -> None:
    for _ in range(3):
        hub.happen()
    hub.reconcile(minutes=10)
    assert (hub.dispatches(), len(hub.runs)) == (1, 1)


@pytest.mark.parametrize("text", ["first\n::notice::second", "at $(date)"])
def test_what_the_runner_or_a_shell_would_obey_is_not_sent(hub: Hub, text: str) -> None:
    hub.routes(ROUTES.replace("{{ run.experiment }}", "{{ run.tags.note }}"))
    hub.aml.add_run("r1", experiment="defect-detection", tags={"note": text})
    hub.deliver(completed("r1", runTags={"note": text}))
    row = hub.only("r1")
    assert (row.state, row.reason, hub.dispatches()) == (State.HELD, Reason.EXPANDS, 0)
    assert row.detail.startswith("experiment holds `")


def test_what_is_nothing_to_github_is_sent_as_it_is(hub: Hub) -> None:
    text = "std::sort at $[a] ##vso[b]"
    hub.routes(ROUTES.replace("{{ run.experiment }}", "{{ run.tags.note }}"))
    hub.aml.add_run("r1", experiment="defect-detection", tags={"note": text})
    hub.deliver(completed("r1", runTags={"note": text}))
    assert dict(hub.runs[0].inputs)["experiment"] == text


def test_nothing_of_it_reaches_azure_devops(hub: Hub) -> None:
    hub.happen()
    hub.reconcile(minutes=10)
    assert hub.devops.server.requests == []


@pytest.mark.parametrize(
    ("conclusion", "end", "detail"),
    [
        ("success", Ending.SUCCEEDED, ""),
        ("failure", Ending.FAILED, ""),
        ("timed_out", Ending.FAILED, "GitHub calls it timed_out"),
        ("startup_failure", Ending.FAILED, "GitHub calls it startup_failure"),
        ("cancelled", Ending.CANCELED, ""),
        ("skipped", Ending.PARTIALLY_SUCCEEDED, "GitHub calls it skipped"),
        ("neutral", Ending.PARTIALLY_SUCCEEDED, "GitHub calls it neutral"),
    ],
)
def test_it_is_followed_to_its_end(
    hub: Hub, conclusion: Conclusion, end: Ending, detail: str
) -> None:
    hub.happen()
    hub.reconcile(minutes=5)
    assert hub.only("r1").ended is None
    hub.hub.finish(hub.runs[0].id, conclusion)
    hub.reconcile(minutes=10)
    hub.reconcile(minutes=10)
    ended = hub.only("r1").ended
    assert ended is not None
    assert (ended.how, ended.detail) == (end, detail)


def test_one_that_waits_for_a_person_goes_on(hub: Hub) -> None:
    hub.happen()
    hub.hub.finish(hub.runs[0].id, "action_required")
    hub.reconcile(minutes=10)
    hub.reconcile(minutes=10)
    assert hub.only("r1").ended is None


def test_one_that_was_deleted_is_lost_and_a_repository_out_of_sight_tells_nothing(hub: Hub) -> None:
    hub.happen()
    hub.reconcile(minutes=5)
    hub.hub.refuse(hub.cloud.github_token)
    hub.hub.accept(hub.cloud.github_token, repositories=["contoso/other"])
    for _ in range(4):
        hub.reconcile(minutes=40)
    assert hub.only("r1").ended is None
    hub.hub.accept(hub.cloud.github_token)
    hub.hub.delete(hub.runs[0].id)
    for _ in range(4):
        hub.reconcile(minutes=40)
    ended = hub.only("r1").ended
    assert ended is not None
    assert (ended.how, ended.detail) == (
        Ending.LOST,
        "GitHub has no such pipeline run any more",
    )


def test_an_answer_about_another_run_is_no_end(hub: Hub) -> None:
    hub.happen("r1")
    hub.happen("r2")
    first, second = hub.runs
    hub.hub.finish(second.id, "failure")
    other = hub.hub.server.url
    body = json.dumps({"id": second.id, "status": "completed", "conclusion": "failure"})
    told = {"Content-Type": "application/json", "X-GitHub-Request-Id": "1", "Location": other}
    lie = Fault(path=f"*/actions/runs/{first.id}", status=200, body=body, headers=told, times=99)
    hub.hub.server.faults.add(lie)
    for _ in range(3):
        hub.reconcile(minutes=10)
    assert hub.only("r1").ended is None
    seen = hub.only("r2").ended  # the lie hides no other run of the repository
    assert seen is not None
    assert seen.how is Ending.FAILED


def test_what_goes_on_by_its_end_may_be_at_either_service(hub: Hub) -> None:
    then = """
    then:
      succeeded:
        start: {pipeline: 42, parameters: {run_id: "{{ run.id }}", status: "{{ pipeline.url }}"}}
"""
    hub.routes(ROUTES + then)
    hub.deploy()
    hub.happen()
    hub.hub.finish(hub.runs[0].id, "success")
    for _ in range(4):
        hub.reconcile(minutes=10)
    assert hub.started() == [(42, "r1")]
    (build,) = hub.devops.runs
    assert build.template_parameters["status"].endswith(f"/actions/runs/{hub.runs[0].id}")


def test_a_value_that_would_be_too_long_is_failed_and_not_sent(hub: Hub) -> None:
    hub.routes(ROUTES.replace("{{ run.id }}", "{{ run.tags.notes }}" * 20))
    hub.deploy()
    hub.aml.add_run("r1", experiment="defect-detection", tags={"notes": "x" * 4000})
    hub.deliver(completed("r1"))
    row = hub.only("r1")
    assert (row.state, row.reason) == (State.FAILED, Reason.TOO_LARGE)
    assert hub.dispatches() == 0


def test_two_at_most_of_a_group_count_whatever_service_they_are_at(hub: Hub) -> None:
    group = '\n    concurrency: {group: "deploys", at_most: 1}\n'
    both = """
  - name: build
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
    hub.routes(
        ROUTES.replace(f"start: {START}\n", f"start: {START}{group}") + both.rstrip() + group
    )
    hub.deploy()
    hub.happen()
    assert len(hub.runs) + len(hub.devops.runs) == 1
    if hub.runs:
        hub.hub.finish(hub.runs[0].id, "success")
    for _ in range(4):
        hub.reconcile(minutes=10)
    assert len(hub.runs) + len(hub.devops.runs) == 2


@pytest.mark.parametrize(
    "told",
    [
        {"path": ".github/workflows/other.yml", "status": "completed", "conclusion": "failure"},
        {"status": "in_progress", "conclusion": "success"},
        {"status": "completed", "conclusion": None},
        {"status": "completed", "conclusion": "in a word of tomorrow"},
    ],
)
def test_what_is_no_word_of_its_end_is_none(hub: Hub, told: dict[str, object]) -> None:
    hub.happen()
    (run,) = hub.runs
    at = "2026-11-30T12:00:00Z"
    body = json.dumps(
        {"id": run.id, "path": ".github/workflows/register.yml", "updated_at": at} | told
    )
    headers = {"Content-Type": "application/json", "X-GitHub-Request-Id": "1"}
    path = f"*/actions/runs/{run.id}"
    hub.hub.server.faults.add(Fault(path=path, status=200, headers=headers, body=body, times=9))
    for _ in range(3):
        hub.reconcile(minutes=10)
    assert hub.only("r1").ended is None


def test_a_strangers_404_is_no_word_that_it_is_gone(hub: Hub) -> None:
    hub.happen()
    path = f"*/actions/runs/{hub.runs[0].id}"
    html = {"Content-Type": "text/html"}
    hub.hub.server.faults.add(Fault(path=path, status=404, headers=html, body="<p>", times=99))
    for _ in range(6):
        hub.reconcile(minutes=40)
    assert hub.only("r1").ended is None


def test_a_start_that_used_up_the_hour_leaves_the_account_alone_until_the_next(hub: Hub) -> None:
    hub.hub.limits.hourly = 1
    hub.happen("r1")
    hub.happen("r2")
    assert hub.only("r1").state is State.STARTED
    assert (hub.only("r2").reason, hub.dispatches()) == (Reason.THROTTLED, 1)
    hub.hub.limits.hourly = 5000
    hub.reconcile(hours=1, minutes=1)
    assert hub.only("r2").state is State.STARTED
