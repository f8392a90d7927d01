"""The request by which an agentless task registers, as a value, or a refusal that says why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from functions.core.events import parsing
from functions.core.kept.tasks import Registration, Task

if TYPE_CHECKING:
    from functions.core.terms.runs import Workspace

MOST_RUNS = 20  # each is read before the task gives up its call
LONGEST_TOKEN, LONGEST_URL = 8_000, 2_000
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HUBS = frozenset({"build", "checks", "gates", "release"})


def registration(headers: Mapping[str, str], body: object) -> Registration:
    """The registration in a request; `headers` has its names in lower case.

    The names are those of the task's default headers. Raises ValueError, saying what is amiss.
    https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/invoke-rest-api-v1
    """
    names = ("projectid", "planid", "jobid", "timelineid", "taskinstanceid")
    ids = {name: headers.get(name, "").lower() for name in names}
    if odd := [name for name, value in ids.items() if not _GUID.fullmatch(value)]:
        raise ValueError(f"the header {odd[0]} is no GUID")
    hub, token = headers.get("hubname", "").lower(), headers.get("authtoken", "")
    if hub not in _HUBS:
        raise ValueError("the header hubname names no hub")
    if not 0 < len(token) <= LONGEST_TOKEN or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ValueError("the header authtoken holds no token")
    project, plan, job, timeline, task = ids.values()
    if len(url := headers.get("planurl", "").rstrip("/")) > LONGEST_URL:
        raise ValueError("the header planurl is too long")
    given = body if isinstance(body, Mapping) else {}
    return Registration(
        task=Task(
            url=url, project=project, hub=hub, plan=plan, job=job, timeline=timeline, id=task
        ),
        token=token,
        runs=_runs(given),
        workspace=_workspace(given),
    )


def _runs(given: Mapping[str, Any]) -> tuple[str, ...]:
    runs = given.get("run_ids", [given["run_id"]] if "run_id" in given else [])
    if not isinstance(runs, list) or not 0 < len(runs) <= MOST_RUNS:
        raise ValueError(f"the body needs `run_id`, or `run_ids` with at most {MOST_RUNS}")
    if not all(isinstance(run, str) and parsing.is_run_id(run) for run in runs):
        raise ValueError("a run id is none")
    return tuple(dict.fromkeys(runs))


def _workspace(given: Mapping[str, Any]) -> Workspace | None:
    return parsing.workspace(given["workspace"]) if given.get("workspace") else None
