"""`/_local/github`: what a person can make the local GitHub do, and what it then tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.local.github.calls import PLAIN, call, dispatch, dispatched, listed

if TYPE_CHECKING:
    from local.github import GitHub

ROOT = Path(__file__).resolve().parents[3]


def control(github: GitHub, method: str = "POST", **command: Any) -> requests.Response:
    url = f"{github.server.url}/_local/github"
    return requests.request(method, url, json=command or None, timeout=20)


def test_runs_come_along_by_hand(github: GitHub) -> None:
    first, second, third = (dispatched(github) for _ in range(3))
    for command in (
        {"begin": {"run_id": first}},
        {"finish": {"run_id": first, "conclusion": "timed_out"}},
        {"wait": {"run_id": second}},
        {"delete": {"run_id": third}},
    ):
        assert control(github, **command).ok
    told = control(github, "GET").json()["runs"]
    assert [(run["id"], run["status"], run["conclusion"]) for run in told] == [
        (first, "completed", "timed_out"),
        (second, "waiting", None),
    ]
    assert (told[0]["title"], told[0]["inputs"]["model"]) == (
        "Deploy churn on main (by hand)",
        "churn",
    )


def test_repositories_and_workflows_are_added_and_changed_by_hand(github: GitHub) -> None:
    where = {"owner": "fabrikam", "name": "b"}
    assert control(github, add_repository={**where, "branches": ["trunk"], "private": False}).ok
    assert control(github, add_workflow={**where, "file": "plain.yml", "text": PLAIN}).ok
    path = "/repos/fabrikam/b/actions/workflows/plain.yml"
    assert call(github, "POST", f"{path}/dispatches", body={"ref": "trunk"}).status_code == 204
    command = {**where, "workflow": "plain.yml", "state": "disabled_manually"}
    assert control(github, set_state=command).ok
    assert call(github, "GET", path).json()["state"] == "disabled_manually"
    assert control(github, rename={**where, "new": "c"}).ok
    assert call(github, "GET", "/repos/fabrikam/b", judged=False).status_code == 301


def test_tokens_and_limits_are_set_by_hand(github: GitHub) -> None:
    assert control(github, accept={"token": "ghp_new"}).ok
    assert control(github, refuse={"token": "ghp_local"}).ok
    assert dispatch(github).status_code == 401
    limit = {"kind": "secondary", "status": 429, "seconds": 5}
    assert control(github, limit=limit).ok
    answer = dispatch(github, token="ghp_new")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert control(github, "GET").json()["refused"] == ["github"]


def test_switches_are_set_and_reset_and_what_was_started_stays(github: GitHub) -> None:
    answer = control(github, details="ignored", hidden_seconds=30, cancels_slowly=True)
    assert answer.json()["switches"] == {
        "details": "ignored",
        "born_seconds": 0.0,
        "hidden_seconds": 30.0,
        "cancels_slowly": True,
    }
    assert dispatch(github, return_run_details=True).status_code == 204
    assert listed(github) == []
    told = control(github, "DELETE").json()
    assert (told["switches"]["details"], told["switches"]["hidden_seconds"]) == ("told", 0.0)
    assert len(told["runs"]) == 1


@pytest.mark.parametrize(
    "command",
    [
        {"colour": "red"},
        {"details": "perhaps"},
        {"finish": {"run_id": 1}},
        {"finish": {"run_id": "x"}},
        {"finish": {"run_id": 1, "conclusion": "good"}},
        {"set_state": {"owner": "a", "name": "b", "workflow": "c", "state": "active"}},
        {
            "set_state": {
                "owner": "contoso",
                "name": "ml",
                "workflow": "gone.yml",
                "state": "active",
            }
        },
        {"add_workflow": {"owner": "contoso", "name": "ml", "file": "a.yml", "text": "on: push"}},
    ],
    ids=str,
)
def test_what_is_not_understood_changes_nothing(github: GitHub, command: dict[str, Any]) -> None:
    before = control(github, "GET").json()
    answer = control(github, **{"hidden_seconds": 5, **command} if "colour" in command else command)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert control(github, "GET").json() == before


def test_it_runs_alone_from_the_command_line() -> None:
    command = [sys.executable, "-m", "local.github", "--port", "0", "--token", "ghp_t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            answer = requests.get(url, headers={"Authorization": "Bearer ghp_t"}, timeout=20)
        finally:
            process.terminate()
    files = [workflow["path"] for workflow in answer.json()["workflows"]]
    assert files == [".github/workflows/register.yml", ".github/workflows/failure.yml"]
