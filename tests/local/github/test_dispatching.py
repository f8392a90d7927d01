"""A workflow is started once, on the ref and with the inputs that were asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from local.serving.faults import Fault
from tests.local.github.calls import call, dispatch, dispatched, said

if TYPE_CHECKING:
    from typing import Any

    from local.github import GitHub

NEW = "2026-03-10"


def test_a_dispatch_is_answered_without_a_body_and_starts_one_run(github: GitHub) -> None:
    answer = dispatch(github, inputs={"model": "churn", "fast": "true"})
    assert (answer.status_code, answer.content) == (204, b"")
    (run,) = github.runs
    assert (run.ref, run.status, run.conclusion) == ("main", "queued", None)
    assert run.inputs == {
        "model": "churn",
        "rounds": "3",
        "fast": "true",
        "stage": "dev",
        "where": "",
        "relay_id": "",
    }


def test_the_run_is_told_where_the_body_asks_for_it(github: GitHub) -> None:
    answer = dispatch(github, return_run_details=True)
    (run,) = github.runs
    told = answer.json()
    assert (answer.status_code, told["workflow_run_id"]) == (200, run.id)
    assert told["run_url"] == f"{github.url}/repos/contoso/ml/actions/runs/{run.id}"
    assert told["html_url"].endswith(f"/contoso/ml/actions/runs/{run.id}")
    assert call(github, "GET", f"actions/runs/{run.id}").json()["id"] == run.id


def test_the_run_is_always_told_in_the_later_version_which_cannot_be_asked_for_it(
    github: GitHub,
) -> None:
    answer = dispatch(github, version=NEW)
    assert answer.json()["workflow_run_id"] == github.runs[0].id
    refused = dispatch(github, version=NEW, return_run_details=True)
    assert said(refused)[1].endswith('"return_run_details" is not a permitted key.')
    assert len(github.runs) == 1


def test_a_server_may_ignore_that_the_run_is_to_be_told(github: GitHub) -> None:
    github.details = "ignored"
    assert dispatch(github, return_run_details=True).status_code == 204
    assert len(github.runs) == 1


def test_a_server_of_an_older_release_refuses_the_key_and_starts_nothing(github: GitHub) -> None:
    github.details = "refused"
    answer = dispatch(github, return_run_details=True)
    assert said(answer) == (422, 'Invalid request.\n\n"return_run_details" is not a permitted key.')
    assert github.runs == []
    assert dispatch(github).status_code == 204


@pytest.mark.parametrize("ref", ["v1", "refs/tags/v1"])
def test_a_tag_is_a_ref_by_either_name(github: GitHub, ref: str) -> None:
    run = call(github, "GET", f"actions/runs/{dispatched(github, ref=ref)}").json()
    assert (run["head_branch"], run["head_sha"]) == ("v1", github.runs[0].sha)


def test_a_workflow_is_found_by_its_id_and_owner_and_name_in_any_case(github: GitHub) -> None:
    known = call(github, "GET", "actions/workflows/plain.yml").json()["id"]
    assert dispatch(github, str(known)).status_code == 204
    path = "/repos/Contoso/ML/actions/workflows/plain.yml/dispatches"
    assert call(github, "POST", path, body={"ref": "next"}).status_code == 204
    assert [run.ref for run in github.runs] == ["main", "next"]


def test_a_title_has_the_inputs_in_it(github: GitHub) -> None:
    dispatched(github, ref="next", inputs={"model": "a b", "relay_id": "rr-17"})
    run = call(github, "GET", f"actions/runs/{dispatched(github)}").json()
    assert [one.title for one in github.runs] == [
        "Deploy a b on next (rr-17)",
        "Deploy churn on main (by hand)",
    ]
    assert (run["display_title"], run["name"], run["run_number"]) == (
        "Deploy churn on main (by hand)",
        "Deploy",
        2,
    )


def test_a_title_without_a_run_name_is_the_workflows_name(github: GitHub) -> None:
    dispatch(github, "plain.yml")
    assert github.runs[0].title == "Plain"


def test_the_inputs_are_those_of_the_ref(github: GitHub) -> None:
    other = "on: {workflow_dispatch: {inputs: {only_here: {}}}}\njobs: {}\n"
    github.add_workflow("contoso", "ml", "deploy.yml", other, refs=["next"])
    assert said(dispatch(github, ref="next"))[1] == 'Unexpected inputs provided: ["model"]'
    assert dispatch(github, ref="next", inputs={"only_here": "a"}).status_code == 204
    assert dispatch(github).status_code == 204


def test_twenty_dispatches_at_once_start_twenty_runs(github: GitHub) -> None:
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda n: dispatched(github, inputs={"model": str(n)}), range(20)))
    assert {run.id: run.inputs["model"] for run in github.runs} == {
        run_id: str(n) for n, run_id in enumerate(told)
    }
    assert sorted(run.number for run in github.runs) == list(range(1, 21))


def test_an_answer_may_be_taken_away_after_the_run_was_made(github: GitHub) -> None:
    github.server.faults.add(Fault("POST", "*/dispatches", status=502, after=True))
    path = "actions/workflows/plain.yml/dispatches"
    assert call(github, "POST", path, body={"ref": "main"}, judged=False).status_code == 502
    assert len(github.runs) == 1


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ref": "gone"}, "No ref found for: gone"),
    ({"inputs": {}}, "Required input 'model' not provided"),
    ({"inputs": {"model": ""}}, "Required input 'model' not provided"),
    ({"inputs": {"model": "a", "x": "", "y": ""}}, 'Unexpected inputs provided: ["x", "y"]'),
    (
        {"inputs": {"model": "a", "fast": "yes"}},
        "Provided value 'yes' for input 'fast' not in the list of allowed values",
    ),
    (
        {"inputs": {"model": "a", "stage": "Dev"}},
        "Provided value 'Dev' for input 'stage' not in the list of allowed values",
    ),
    (
        {"inputs": {"model": "a", "where": "moon"}},
        "Provided value 'moon' for input 'where' not in the list of allowed values",
    ),
    (
        {"inputs": {"model": "a", "rounds": "many"}},
        "Provided value 'many' for input 'rounds' is not a number",
    ),
    ({"inputs": {"model": 3}}, "Invalid value for input 'model'"),
    ({"inputs": {"model": ["a"]}}, "Invalid value for input 'model'"),
    ({"inputs": {"model": "a" * 65_535}}, "inputs are too large."),
    ({"ref": None}, "Invalid request.\n\nFor 'properties/ref', nil is not a string."),
    ({"inputs": "a"}, "Invalid request.\n\nFor 'properties/inputs', \"a\" is not an object."),
    (
        {"return_run_details": "yes"},
        "Invalid request.\n\nFor 'properties/return_run_details', \"yes\" is not a boolean.",
    ),
    ({"parameters": {}}, 'Invalid request.\n\n"parameters" is not a permitted key.'),
    (
        {"inputs": {f"input{n}": "" for n in range(26)}},
        "Invalid request.\n\nNo more than 25 properties are allowed; 26 were supplied.",
    ),
]


@pytest.mark.parametrize(("body", "message"), REFUSED, ids=[said[:60] for _, said in REFUSED])
def test_what_cannot_be_started_is_refused_in_the_services_words(
    github: GitHub, body: dict[str, Any], message: str
) -> None:
    answer = dispatch(github, **body)
    assert said(answer) == (422, message)
    assert answer.json()["status"] == "422"
    assert answer.json()["documentation_url"].endswith("#create-a-workflow-dispatch-event")
    assert github.runs == []


def test_what_fits_a_type_is_taken(github: GitHub) -> None:
    inputs = {"model": "a", "rounds": "-1.5e3", "stage": "prod", "where": "production"}
    assert dispatch(github, inputs=inputs).status_code == 204


def test_a_ref_must_be_given(github: GitHub) -> None:
    answer = call(github, "POST", "actions/workflows/plain.yml/dispatches", body={"inputs": {}})
    assert said(answer) == (422, 'Invalid request.\n\n"ref" wasn\'t supplied.')


@pytest.mark.parametrize(("state", "taken"), [("active", True), ("disabled_manually", False)])
def test_a_disabled_workflow_is_not_started(github: GitHub, state: Any, taken: bool) -> None:
    github.set_state("contoso", "ml", "plain.yml", state)
    answer = dispatch(github, "plain.yml")
    assert len(github.runs) == taken
    if not taken:
        message = "Cannot trigger a 'workflow_dispatch' on a disabled workflow"
        assert said(answer) == (422, message)


def test_a_workflow_without_the_trigger_is_not_started(github: GitHub) -> None:
    answer = dispatch(github, "pushed.yml")
    assert said(answer) == (422, "Workflow does not have 'workflow_dispatch' trigger")


def test_a_workflow_that_is_not_on_the_ref_is_not_started(github: GitHub) -> None:
    yaml = "on: workflow_dispatch\njobs: {}\n"
    github.add_workflow("contoso", "ml", "late.yml", yaml, refs=["main"])
    assert said(dispatch(github, "late.yml", ref="next"))[0] == 422
    assert dispatch(github, "late.yml").status_code == 204


@pytest.mark.parametrize("workflow", ["gone.yml", "17", "Deploy"])
def test_a_workflow_that_is_not_there_is_not_found(github: GitHub, workflow: str) -> None:
    assert said(dispatch(github, workflow)) == (404, "Not Found")


def test_an_archived_repository_starts_nothing(github: GitHub) -> None:
    where = github.repositories.find("contoso", "ml")
    assert where is not None
    where.archived = True
    assert said(dispatch(github)) == (403, "Repository was archived so is read-only.")


def test_a_workflow_that_cannot_be_read_or_expanded_is_refused_when_it_is_added(
    github: GitHub,
) -> None:
    for text in (
        "jobs: {}\n",
        "on: push\n",
        "on: [\n",
        "on: push\nrun-name: ${{ format('{0}', inputs.a) }}\njobs: {}\n",
        "on: {workflow_dispatch: {inputs: {a: {type: list}}}}\njobs: {}\n",
        "on: {workflow_dispatch: {inputs: {a: {type: choice}}}}\njobs: {}\n",
    ):
        with pytest.raises(ValueError, match=r"."):
            github.add_workflow("contoso", "ml", "bad.yml", text)
