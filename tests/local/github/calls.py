"""Plain HTTP calls to a local GitHub: each answer is judged by GitHub's own description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tests.local.github.judging import complaints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.github import GitHub

TOKEN = "ghp_local"
VERSION = "2022-11-28"
REPOSITORY = "/repos/contoso/ml"
DEPLOY = "actions/workflows/deploy.yml"
YAML = """\
name: Deploy
run-name: Deploy ${{ inputs.model }} on ${{ github.ref_name }} (${{ inputs.relay_id || 'by hand' }})
on:
  push:
  workflow_dispatch:
    inputs:
      model: {required: true}
      rounds: {type: number, default: 3}
      fast: {type: boolean}
      stage: {type: choice, options: [dev, prod]}
      where: {type: environment}
      relay_id: {}
jobs: {}
"""
PLAIN = "name: Plain\non: [workflow_dispatch]\njobs: {}\n"
PUSHED = "on: push\njobs: {}\n"


def with_repositories(github: GitHub) -> GitHub:
    """A private repository with three workflows on two branches and a tag, and a public one."""
    github.add_repository(
        "contoso", "ml", branches=["main", "next"], tags=["v1"], environments=["production"]
    )
    github.add_workflow("contoso", "ml", "deploy.yml", YAML)
    github.add_workflow("contoso", "ml", "plain.yml", PLAIN)
    github.add_workflow("contoso", "ml", "pushed.yml", PUSHED)
    github.add_repository("contoso", "open", private=False)
    github.add_workflow("contoso", "open", "plain.yml", PLAIN)
    return github


def call(
    github: GitHub,
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    body: object = None,
    headers: Mapping[str, str | None] | None = None,
    judged: bool = True,
) -> requests.Response:
    """One request on its own connection, with the accepted token; None leaves a header out.

    A path without a slash in front is one of the repository.
    """
    full = path if path.startswith("/") else f"{REPOSITORY}/{path}"
    sent = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(
            method,
            github.url + full,
            params=query,
            json=body,
            headers=sent,
            allow_redirects=False,
            timeout=20,
        )
    if judged:
        version = sent.get("X-GitHub-Api-Version") or VERSION
        assert complaints(answer, full.partition("?")[0], version) == []
    return answer


def dispatch(
    github: GitHub,
    workflow: str = "deploy.yml",
    *,
    version: str | None = None,
    token: str = TOKEN,
    **body: Any,
) -> requests.Response:
    """Create a workflow dispatch event, on main and with a model unless told otherwise."""
    asked = {"ref": "main", **body}
    if workflow == "deploy.yml":
        asked.setdefault("inputs", {"model": "churn"})
    headers = {"X-GitHub-Api-Version": version, "Authorization": f"Bearer {token}"}
    path = f"actions/workflows/{workflow}/dispatches"
    return call(github, "POST", path, body=asked, headers=headers)


def dispatched(github: GitHub, **body: Any) -> int:
    """The id of a run started so."""
    run_id: int = dispatch(github, return_run_details=True, **body).json()["workflow_run_id"]
    return run_id


def said(answer: requests.Response) -> tuple[int, str]:
    """The status and the message of a refusal."""
    return answer.status_code, answer.json()["message"]


def listed(github: GitHub, path: str = "actions/runs", **query: str) -> list[int]:
    """The ids of the runs that a query lists, in its order."""
    return ids(call(github, "GET", path, query))


def ids(answer: requests.Response) -> list[int]:
    """The ids of what a list of runs answered."""
    return [run["id"] for run in answer.json()["workflow_runs"]]
