"""What the local Azure DevOps knows and how it misbehaves: set it up here, assert on it here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from local.devops.access import Keys, Limits
from local.devops.errors import Refusal
from local.devops.jobs.all import ServerJobs
from local.devops.pipelines.catalogue import Catalogue, Project
from local.devops.pipelines.held import HeldBack
from local.devops.pipelines.runs import Runs, now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from local.devops.access import Scope
    from local.devops.pipelines.defined import Pipeline, RunRequest
    from local.devops.pipelines.runs import QueuedRun


@dataclass
class Switches:
    """Ways in which the service may differ; set them at any time.

    `builds_list_without_parameters`: Builds - List leaves `templateParameters` out, a single
    build has them. `builds_never_show_parameters`: neither has them, nor has the pipeline run.
    `builds_show_typed_parameters`: builds show `true`, `3` or lists instead of their text.
    `hidden_seconds`: lists leave out what was queued less than this ago, single reads find it.
    `clock_skew`: seconds by which the queue time told is off, for runs queued from now on.
    `page_size`: most builds in one page.
    """

    builds_list_without_parameters: bool = False
    builds_never_show_parameters: bool = False
    builds_show_typed_parameters: bool = False
    hidden_seconds: float = 0.0
    clock_skew: float = 0.0
    page_size: int = 1000


class DevOpsState(Switches):
    """Organizations, credentials, queued runs and misbehaviour of one local Azure DevOps.

    `pats` are accepted PATs, as a mapping to their scope ("read" or "execute") or a collection
    of such that may do all. `tokens` are accepted Entra tokens, or a function that tells.
    """

    def __init__(
        self,
        pats: Mapping[str, Scope] | Iterable[str] = ("local-pat",),
        tokens: Collection[str] | Callable[[str], bool] = (),
        clock: Callable[[], datetime] = now,
    ) -> None:
        super().__init__()
        self.keys = Keys(pats, tokens if callable(tokens) else tokens.__contains__)
        self.limits = Limits()
        self.catalogue = Catalogue()
        self.jobs = ServerJobs(clock)
        self._held = HeldBack()
        self._runs = Runs(clock)
        self._clock = clock
        # The parts' own methods, so that a test reads `devops.accept(pat)`.
        self.accept, self.refuse = self.keys.accept, self.keys.refuse
        self.throttle, self.delay = self.limits.throttle, self.limits.delay
        self.add_project = self.catalogue.add_project
        self.add_pipeline = self.catalogue.add_pipeline
        self.queue_later, self.queue_now = self._held.queue_later, self._held.queue_now
        self.finish, self.tag = self._runs.finish, self._runs.tag
        self.begin, self.destroy = self._runs.begin, self._runs.destroy
        self.delete, self.queue = self._runs.delete, self._runs.queue

    @property
    def runs(self) -> list[QueuedRun]:
        """Every queued run, oldest first."""
        return self._runs.all()

    def hide_builds_younger_than(self, seconds: float) -> None:
        """Leave builds out of lists until they are this old."""
        self.hidden_seconds = seconds

    def reset(self) -> None:
        """Behave well again: switches, limits and held-back runs; what was queued stays."""
        for switch in fields(Switches):
            setattr(self, switch.name, switch.default)
        self.limits.clear()
        self._held.clear()

    def visible(self, where: Project) -> list[QueuedRun]:
        """The project's runs as lists show them now."""
        at = self._clock()
        old = [r for r in self.runs if (at - r.arrived).total_seconds() >= self.hidden_seconds]
        return [run for run in old if _place(run) == where]

    def run(self, where: Project, run_id: int) -> QueuedRun:
        """The project's run, hidden or not, or a 404 Refusal."""
        found = self._runs.get(run_id, where.organization)
        if found is None or found.deleted or _place(found) != where:
            message = f"The requested build {run_id} could not be found."
            raise Refusal(404, "BuildNotFoundException", message)
        return found

    def start(self, pipeline: Pipeline, asked: RunRequest) -> QueuedRun | None:
        """Queue a run; None if it is held back and the connection is to be dropped."""

        def queue() -> QueuedRun:
            return self._runs.queue(pipeline, asked, self.clock_skew)

        return None if self._held.holds(queue) else queue()


def _place(run: QueuedRun) -> Project:
    return Project(run.organization, run.project)
