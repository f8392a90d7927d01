"""A run comes along, ends, is cancelled or removed; and what the repository tells besides."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, get_args

import pytest
import requests

from local.github.actions.runs import Conclusion
from tests.local.github.calls import YAML, call, dispatch, dispatched, listed, said

if TYPE_CHECKING:
    from local.github import GitHub
    from tests.local.devops.calls import Clock

FILE = "contents/.github/workflows/deploy.yml"


def state(github: GitHub, run_id: int) -> tuple[str, str | None]:
    run = call(github, "GET", f"actions/runs/{run_id}").json()
    return run["status"], run["conclusion"]


def test_a_run_is_queued_waits_runs_and_ends(github: GitHub, clock: Clock) -> None:
    run_id = dispatched(github)
    seen = [state(github, run_id)]
    for change in (github.wait, github.begin, github.finish):
        clock.pass_by(60)
        change(run_id)
        seen.append(state(github, run_id))
    run = call(github, "GET", f"actions/runs/{run_id}").json()
    assert seen == [
        ("queued", None),
        ("waiting", None),
        ("in_progress", None),
        ("completed", "success"),
    ]
    assert (run["created_at"], run["updated_at"]) == (
        "2026-11-21T10:00:00Z",
        "2026-11-21T10:03:00Z",
    )


@pytest.mark.parametrize("conclusion", get_args(Conclusion))
def test_a_run_ends_in_every_way_that_there_is(github: GitHub, conclusion: Conclusion) -> None:
    run_id = dispatched(github)
    github.finish(run_id, conclusion)
    assert state(github, run_id) == ("completed", conclusion)
    assert listed(github, status=conclusion) == [run_id]


def test_a_run_is_cancelled_once(github: GitHub) -> None:
    run_id = dispatched(github)
    answer = call(github, "POST", f"actions/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()) == (202, {})
    assert state(github, run_id) == ("completed", "cancelled")
    again = call(github, "POST", f"actions/runs/{run_id}/cancel")
    assert said(again) == (409, "Cannot cancel a workflow run that is completed.")


def test_a_run_that_is_to_be_cancelled_may_go_on_for_a_while(github: GitHub) -> None:
    github.cancels_slowly = True
    run_id = dispatched(github)
    github.begin(run_id)
    assert call(github, "POST", f"actions/runs/{run_id}/cancel").status_code == 202
    assert state(github, run_id) == ("in_progress", None)
    github.finish(run_id, "cancelled")
    assert state(github, run_id) == ("completed", "cancelled")


def test_a_deleted_run_is_found_by_nobody_and_its_id_is_not_given_again(github: GitHub) -> None:
    run_id = dispatched(github)
    github.delete(run_id)
    assert said(call(github, "GET", f"actions/runs/{run_id}")) == (404, "Not Found")
    assert listed(github) == []
    assert dispatched(github) > run_id > 2**32
    with pytest.raises(KeyError):
        github.delete(run_id)


def test_a_run_of_another_repository_is_not_found(github: GitHub) -> None:
    run_id = dispatched(github)
    assert call(github, "GET", f"/repos/contoso/open/actions/runs/{run_id}").status_code == 404
    path = f"/repos/contoso/open/actions/runs/{run_id}/cancel"
    assert call(github, "POST", path).status_code == 404
    assert state(github, run_id) == ("queued", None)


def test_a_workflows_file_comes_encoded_or_as_it_is(github: GitHub) -> None:
    told = call(github, "GET", FILE, {"ref": "v1"}).json()
    assert base64.b64decode(told["content"]).decode() == YAML
    assert (told["encoding"], told["type"], told["size"]) == ("base64", "file", len(YAML))
    raw = {"Accept": "application/vnd.github.raw+json"}
    answer = call(github, "GET", FILE, headers=raw)
    assert answer.text == YAML
    assert answer.headers["Content-Type"] == "application/vnd.github.raw+json; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "ref", "message"),
    [
        ("contents/README.md", "main", "Not Found"),
        (FILE, "gone", "No commit found for the ref gone"),
    ],
)
def test_a_file_or_ref_that_is_not_there_is_not_found(
    github: GitHub, path: str, ref: str, message: str
) -> None:
    assert said(call(github, "GET", path, {"ref": ref})) == (404, message)


def test_a_workflow_tells_its_state(github: GitHub) -> None:
    github.set_state("contoso", "ml", "deploy.yml", "disabled_inactivity")
    told = call(github, "GET", "actions/workflows/deploy.yml").json()
    assert (told["name"], told["path"], told["state"]) == (
        "Deploy",
        ".github/workflows/deploy.yml",
        "disabled_inactivity",
    )


def test_a_repository_tells_its_default_branch_and_whether_it_is_private(github: GitHub) -> None:
    told = call(github, "GET", "/repos/CONTOSO/ml").json()
    assert (told["full_name"], told["default_branch"], told["private"]) == (
        "contoso/ml",
        "main",
        True,
    )


def test_a_renamed_repository_redirects_and_keeps_the_method(github: GitHub) -> None:
    github.rename("contoso", "ml", "models")
    read = call(github, "GET", "actions/runs", {"per_page": "5"}, judged=False)
    sent = dispatch_by_hand(github, "/repos/contoso/ml/actions/workflows/plain.yml/dispatches")
    assert (read.status_code, sent.status_code) == (301, 307)
    at = f"{github.url}/repositories/810000001"
    assert read.headers["Location"] == f"{at}/actions/runs?per_page=5"
    assert read.json()["message"] == "Moved Permanently"
    assert github.runs == []
    followed = dispatch_by_hand(github, sent.headers["Location"].removeprefix(github.url))
    assert followed.status_code == 204
    assert github.runs[0].repository.full_name == "contoso/models"


def dispatch_by_hand(github: GitHub, path: str) -> requests.Response:
    return call(github, "POST", path, body={"ref": "main"}, judged=False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/repos/contoso/gone"),
        ("GET", "/repositories/1"),
        ("GET", "/zen/of/it"),
        ("DELETE", "/repos/contoso/ml"),
        ("GET", "/repos/contoso/ml/actions/runs/abc"),
    ],
)
def test_what_is_not_there_is_not_found(github: GitHub, method: str, path: str) -> None:
    assert said(call(github, method, path, judged=False)) == (404, "Not Found")


def test_a_body_that_is_no_json_is_told_so(github: GitHub) -> None:
    assert said(dispatch(github, "plain.yml", ref="main", inputs=None))[0] == 422
    url = f"{github.url}/repos/contoso/ml/actions/workflows/plain.yml/dispatches"
    header = {"Authorization": "token ghp_local"}
    for body, message in (
        (b"{", "Problems parsing JSON"),
        (b"[]", "Body should be a JSON object"),
    ):
        answer = requests.post(url, data=body, headers=header, timeout=20)
        assert said(answer) == (400, message)
    empty = requests.post(url, headers=header, timeout=20)
    assert said(empty) == (422, "Invalid request.\n\nFor 'links/0/schema', nil is not an object.")
