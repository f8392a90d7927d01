"""Workflow runs and how they come along."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from local.github.repositories import Repository, Workflow

Status = Literal["queued", "in_progress", "waiting", "completed"]
Conclusion = Literal[
    "success",
    "failure",
    "cancelled",
    "timed_out",
    "skipped",
    "neutral",
    "action_required",
    "startup_failure",
    "stale",
]

FIRST = 21_000_000_001  # beyond 32 bits, as they are
APART = 7  # ids of one repository are not consecutive


@dataclass(frozen=True)
class Run:
    """One run. `seen_at` is when it can be read by its id, `listed_at` when lists have it."""

    id: int
    number: int
    repository: Repository
    workflow: Workflow
    title: str
    name: str
    ref: str
    sha: str
    inputs: Mapping[str, str]
    actor: str
    created_at: datetime
    seen_at: datetime
    listed_at: datetime
    updated_at: datetime
    event: str = "workflow_dispatch"
    status: Status = "queued"
    conclusion: Conclusion | None = None
    cancelling: bool = False


class Runs:
    """All runs, oldest first. Safe for threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._runs: list[Run] = []
        self._count = 0
        self._numbers: dict[int, int] = {}
        self._lock = threading.Lock()

    def add(self, make: Callable[[int, int], Run], workflow: Workflow) -> Run:
        """Have one more; `make` gets its id, and how many its workflow has had with it."""
        with self._lock:
            self._count += 1
            number = self._numbers[workflow.id] = self._numbers.get(workflow.id, 0) + 1
            run = make(FIRST + APART * self._count, number)
            self._runs.append(run)
            return run

    def all(self) -> list[Run]:
        """Every run so far; later changes do not show in the list."""
        with self._lock:
            return list(self._runs)

    def get(self, run_id: int) -> Run | None:
        """The run with this id."""
        return next((run for run in self.all() if run.id == run_id), None)

    def begin(self, run_id: int) -> Run:
        """Let a runner take it up. KeyError if there is no such run, as in what follows."""
        return self._change(run_id, lambda run: replace(run, status="in_progress"))

    def wait(self, run_id: int) -> Run:
        """Let it wait, as for somebody's approval of an environment."""
        return self._change(run_id, lambda run: replace(run, status="waiting"))

    def finish(self, run_id: int, conclusion: Conclusion = "success") -> Run:
        """End it."""
        return self._change(
            run_id, lambda run: replace(run, status="completed", conclusion=conclusion)
        )

    def ask_to_cancel(self, run_id: int, *, slowly: bool) -> Run:
        """Cancel it: at once, or `slowly`, when somebody finishes it."""
        if not slowly:
            return self.finish(run_id, "cancelled")
        return self._change(run_id, lambda run: replace(run, cancelling=True))

    def delete(self, run_id: int) -> None:
        """Remove it for good: nobody finds it. KeyError if there is no such run."""
        with self._lock:
            kept = [run for run in self._runs if run.id != run_id]
            if len(kept) == len(self._runs):
                raise KeyError(run_id)
            self._runs = kept

    def _change(self, run_id: int, change: Callable[[Run], Run]) -> Run:
        with self._lock:
            for place, run in enumerate(self._runs):
                if run.id == run_id:
                    changed = replace(change(run), updated_at=self._clock())
                    self._runs[place] = changed
                    return changed
        raise KeyError(run_id)
