"""The values of waiting: a task, its registration, and what the ledger keeps of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations
from enum import StrEnum
from typing import Any

from msgspec import Struct

from functions.core import events
from functions.core.values import Workspace, unknown

MOST_RUNS = 20  # each is read before the task gives up its call
LONGEST_TOKEN, LONGEST_URL = 8_000, 2_000
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HUBS = frozenset({"build", "checks", "gates", "release"})


class Answered(StrEnum):
    """Where a wait stands. Another version of the app may know more, as of a continuation's."""

    WAITING = "waiting"
    COMPLETED = "completed"
    LOST = "lost"

    @classmethod
    def _missing_(cls, value: object) -> Answered | None:
        return unknown(cls, value, _ANSWERED)

    @property
    def is_known(self) -> bool:
        """Whether this version knows what it means."""
        return self.name in Answered.__members__


_ANSWERED = re.compile(r"[a-z][a-z0-9_ -]{0,30}")


class Task(Struct, frozen=True, kw_only=True):
    """An agentless task in Azure Pipelines, by the values that it sends of itself.

    `url` is the collection's address, without a slash at its end.
    """

    url: str
    project: str
    hub: str
    plan: str
    job: str
    timeline: str
    id: str

    @property
    def key(self) -> str:
        """What it is known by. Its id alone is the same in every run of a pipeline."""
        return f"{self.plan}.{self.job}.{self.id}"


class Wait(Struct, frozen=True, kw_only=True):
    """A task that waits for runs of a workspace.

    `token` is sealed. `result` and `lines` are the answer, noted at `noted_at`, before it is given.
    `told_at`: when an event said last that one of the runs is over; `until`: kept no longer.
    """

    task: Task
    workspace: Workspace
    runs: tuple[str, ...]
    created_at: datetime
    due_at: datetime
    token: str = ""
    state: Answered = Answered.WAITING
    result: str = ""
    lines: tuple[str, ...] = ()
    why: str = ""
    attempts: int = 0
    told_at: datetime | None = None
    noted_at: datetime | None = None
    until: datetime | None = None


class Registration(Struct, frozen=True, kw_only=True):
    """What a task asks for. `workspace` is None where it did not say."""

    task: Task
    token: str
    runs: tuple[str, ...]
    workspace: Workspace | None = None

    def __repr__(self) -> str:
        return f"Registration({self.task!r}, {self.runs!r})"

    def wait(self, workspace: Workspace, sealed: str, now: datetime) -> Wait:
        """What the ledger keeps of it."""
        return Wait(
            task=self.task,
            workspace=workspace,
            runs=self.runs,
            created_at=now,
            due_at=now,
            token=sealed,
        )


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
    if not all(isinstance(run, str) and events.is_run_id(run) for run in runs):
        raise ValueError("a run id is none")
    return tuple(dict.fromkeys(runs))


def _workspace(given: Mapping[str, Any]) -> Workspace | None:
    return events.workspace(given["workspace"]) if given.get("workspace") else None
