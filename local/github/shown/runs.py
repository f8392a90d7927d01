"""Workflows and runs as JSON.

https://docs.github.com/rest/actions/workflows
https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from local.github.shown.basics import Json, Urls, actor, node_id, told
from local.github.shown.repositories import minimal

if TYPE_CHECKING:
    from local.github.actions.runs import Run
    from local.github.repositories import Repository, Workflow


def workflow(urls: Urls, where: Repository, one: Workflow) -> Json:
    """A workflow, called as the default branch has it."""
    web = f"{urls.web}/{where.full_name}"
    return {
        "id": one.id,
        "node_id": node_id("Workflow", one.id),
        "name": one.declared.name,
        "path": one.path,
        "state": one.state,
        "created_at": told(one.created_at),
        "updated_at": told(one.created_at),
        "url": f"{urls.api}/repos/{where.full_name}/actions/workflows/{one.id}",
        "html_url": f"{web}/blob/{quote(where.default_branch)}/{one.path}",
        "badge_url": f"{web}/workflows/{quote(one.declared.name)}/badge.svg",
    }


def dispatched(urls: Urls, run: Run) -> Json:
    """What the answer to a dispatch tells of its run."""
    return {"workflow_run_id": run.id, "run_url": _api(urls, run), "html_url": _web(urls, run)}


def run_json(urls: Urls, run: Run) -> Json:
    """A run: its inputs are not among what is told."""
    api, where = _api(urls, run), run.repository
    suite = f"{urls.api}/repos/{where.full_name}/check-suites/{run.id}"
    workflow_url = f"{urls.api}/repos/{where.full_name}/actions/workflows/{run.workflow.id}"
    return {
        "id": run.id,
        "name": run.name,
        "node_id": node_id("WorkflowRun", run.id),
        "head_branch": run.ref,
        "head_sha": run.sha,
        "path": run.workflow.path,
        "display_title": run.title,
        "run_number": run.number,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow.id,
        "check_suite_id": run.id,
        "check_suite_node_id": node_id("CheckSuite", run.id),
        "url": api,
        "html_url": _web(urls, run),
        "pull_requests": [],
        "created_at": told(run.created_at),
        "updated_at": told(run.updated_at),
        "actor": actor(urls, run.actor),
        "run_attempt": 1,
        "referenced_workflows": [],
        "run_started_at": told(run.created_at),
        "triggering_actor": actor(urls, run.actor),
        "jobs_url": f"{api}/jobs",
        "logs_url": f"{api}/logs",
        "check_suite_url": suite,
        "artifacts_url": f"{api}/artifacts",
        "cancel_url": f"{api}/cancel",
        "rerun_url": f"{api}/rerun",
        "previous_attempt_url": None,
        "workflow_url": workflow_url,
        "head_commit": _commit(run),
        "repository": minimal(urls, where),
        "head_repository": minimal(urls, where),
    }


def _commit(run: Run) -> Json:
    who: Json = {"name": run.actor, "email": f"{run.actor}@users.noreply.github.example"}
    return {
        "id": run.sha,
        "tree_id": hashlib.sha1(run.sha.encode(), usedforsecurity=False).hexdigest(),
        "message": "Change something",
        "timestamp": told(run.created_at),
        "author": who,
        "committer": who,
    }


def _api(urls: Urls, run: Run) -> str:
    return f"{urls.api}/repos/{run.repository.full_name}/actions/runs/{run.id}"


def _web(urls: Urls, run: Run) -> str:
    return f"{urls.web}/{run.repository.full_name}/actions/runs/{run.id}"
