"""The values of waiting: a task, its registration, and what the ledger keeps of it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations

from msgspec import Struct

from functions.core.terms.runs import Workspace  # noqa: TC001 - msgspec reads it to decode
from functions.core.terms.words import Word


class WaitState(Word, form=r"[a-z][a-z0-9_ -]{0,30}"):
    """Where a wait stands. Another version of the app may know more, as of a continuation's."""

    WAITING = "waiting"
    COMPLETED = "completed"
    LOST = "lost"


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

    @property
    def organization(self) -> str:
        """The one address of its organization or collection; "" where `url` is that of none."""
        from functions.core.kept.organizations import organization  # noqa: PLC0415 - few apps have waits

        return organization(self.url)


class Wait(Struct, frozen=True, kw_only=True):
    """A task that waits for runs of a workspace.

    `token` is sealed. `result` and `lines` are the answer, noted at `noted_at`, before it is given.
    `told_at`: when an event said last that one of the runs is over; `until`: kept no longer.
    `file` stands for the route file by which it was let wait.
    """

    task: Task
    workspace: Workspace
    runs: tuple[str, ...]
    created_at: datetime
    due_at: datetime
    token: str = ""
    state: WaitState = WaitState.WAITING
    result: str = ""
    lines: tuple[str, ...] = ()
    why: str = ""
    attempts: int = 0
    told_at: datetime | None = None
    noted_at: datetime | None = None
    until: datetime | None = None
    file: str = ""


class Registration(Struct, frozen=True, kw_only=True):
    """What a task asks for. `workspace` is None where it did not say."""

    task: Task
    token: str
    runs: tuple[str, ...]
    workspace: Workspace | None = None

    def __repr__(self) -> str:
        return f"Registration({self.task!r}, {self.runs!r})"

    def wait(self, workspace: Workspace, sealed: str, now: datetime, file: str = "") -> Wait:
        """What the ledger keeps of it."""
        return Wait(
            task=self.task,
            workspace=workspace,
            runs=self.runs,
            created_at=now,
            due_at=now,
            token=sealed,
            file=file,
        )
