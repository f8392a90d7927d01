"""The runs of the local Azure DevOps. A pipeline run and a build are one thing with one id."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.devops.pipelines.defined import Pipeline, RunRequest, Variable

Result = Literal["succeeded", "partiallySucceeded", "failed", "canceled"]


@dataclass(frozen=True)
class QueuedRun:
    """One queued run. `template_parameters` are those asked for; defaults are not among them.

    `queue_time` is what the service tells (with `clock_skew`), `arrived` when it happened.
    """

    id: int
    pipeline: Pipeline
    number: str
    template_parameters: dict[str, str]
    variables: dict[str, Variable]
    branch: str
    skipped_stages: tuple[str, ...]
    queue_time: datetime
    arrived: datetime
    start_time: datetime | None = None
    finish_time: datetime | None = None
    result: Result | None = None
    tags: tuple[str, ...] = ()
    deleted: bool = False

    @property
    def organization(self) -> str:
        """The organization's name."""
        return self.pipeline.organization

    @property
    def project(self) -> str:
        """The project's name."""
        return self.pipeline.project

    @property
    def pipeline_id(self) -> int:
        """The pipeline's id, which the Builds API calls the definition's id."""
        return self.pipeline.id

    @property
    def pipeline_version(self) -> int:
        """The version of the pipeline that runs."""
        return self.pipeline.revision

    @property
    def status(self) -> Literal["notStarted", "inProgress", "completed"]:
        """The build's status."""
        if self.result is not None:
            return "completed"
        return "notStarted" if self.start_time is None else "inProgress"


class Runs:
    """All runs, in the order they were queued. Safe for threads.

    Each organization counts for itself, so that an id alone names the first run that has it.
    """

    def __init__(self, clock: Callable[[], datetime], first_id: int = 1001) -> None:
        self._clock = clock
        self._first = first_id
        self._runs: list[QueuedRun] = []
        self._destroyed = 0
        self._lock = threading.Lock()

    def queue(self, pipeline: Pipeline, asked: RunRequest, skew: float = 0.0) -> QueuedRun:
        """Queue a run whose told queue time is `skew` seconds off the clock."""
        with self._lock:
            arrived = self._clock()
            told = arrived + timedelta(seconds=skew)
            run = QueuedRun(
                id=self._next_id(pipeline.organization),
                pipeline=pipeline,
                number=self._number(pipeline, told),
                template_parameters=dict(asked.template_parameters or {}),
                variables=dict(asked.variables or {}),
                branch=asked.ref or pipeline.branches[0],
                skipped_stages=tuple(asked.stages_to_skip or ()),
                queue_time=told,
                arrived=arrived,
            )
            self._runs.append(run)
            return run

    def _next_id(self, organization: str) -> int:
        """No id is ever given twice."""
        own = sum(_is_of(run, organization) for run in self._runs)
        return self._first + own + self._destroyed

    def all(self) -> list[QueuedRun]:
        """Every run so far, oldest first; later changes do not show in the list."""
        with self._lock:
            return list(self._runs)

    def get(self, run_id: int, organization: str = "") -> QueuedRun | None:
        """The run with this id, of this organization if one is named."""
        runs = (run for run in self.all() if _is_of(run, organization))
        return next((run for run in runs if run.id == run_id), None)

    def begin(self, run_id: int, organization: str = "") -> QueuedRun:
        """Let an agent take a run up; KeyError if there is no such run."""
        now = self._clock()
        return self._change(
            run_id, lambda run: replace(run, start_time=run.start_time or now), organization
        )

    def finish(
        self, run_id: int, result: Result = "succeeded", organization: str = ""
    ) -> QueuedRun:
        """End a run with a result; KeyError if there is no such run.

        One that is canceled before it began never began.
        """
        now = self._clock()

        def ended(run: QueuedRun) -> QueuedRun:
            began = run.start_time or (None if result == "canceled" else now)
            return replace(run, result=result, start_time=began, finish_time=now)

        return self._change(run_id, ended, organization)

    def destroy(self, run_id: int, organization: str = "") -> None:
        """Remove a run for good, as happens to deleted ones after days: nobody finds it."""
        with self._lock:
            own = [r for r in self._runs if r.id == run_id and _is_of(r, organization)]
            self._runs = [run for run in self._runs if run not in own[:1]]
            self._destroyed += len(own[:1])

    def delete(self, run_id: int, organization: str = "") -> QueuedRun:
        """Delete a run: lists leave it out unless they are asked for deleted ones."""
        return self._change(run_id, lambda run: replace(run, deleted=True), organization)

    def tag(self, run_id: int, tags: list[str], organization: str = "") -> QueuedRun:
        """Add tags to a run; one it has already, in any case, stays as it is."""
        return self._change(
            run_id, lambda run: replace(run, tags=_joined(run.tags, tags)), organization
        )

    def _change(
        self, run_id: int, change: Callable[[QueuedRun], QueuedRun], organization: str = ""
    ) -> QueuedRun:
        with self._lock:
            for place, run in enumerate(self._runs):
                if run.id == run_id and _is_of(run, organization):
                    self._runs[place] = change(run)
                    return self._runs[place]
        raise KeyError(run_id)

    def _number(self, pipeline: Pipeline, told: datetime) -> str:
        day = f"{told:%Y%m%d}"
        place = (pipeline.organization, pipeline.project, pipeline.id)
        same = [
            run
            for run in self._runs
            if (run.organization, run.project, run.pipeline_id) == place
            and run.number.startswith(day)
        ]
        return f"{day}.{len(same) + 1}"


def _is_of(run: QueuedRun, organization: str) -> bool:
    return organization.lower() in {"", run.organization.lower()}


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def _joined(have: tuple[str, ...], more: list[str]) -> tuple[str, ...]:
    tags = {tag.casefold(): tag for tag in more} | {tag.casefold(): tag for tag in have}
    return tuple(sorted(tags.values()))
