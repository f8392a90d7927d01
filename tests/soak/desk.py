"""What people do at a desk meanwhile: pipelines end, and operators settle, replay and correct."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from functions.core.kept.summary import EVER
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.words import State
from local.devops.pipelines.defined import RunRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from functions.core.kept.continuation import Continuation
    from functions.core.operators.decisions import Answer
    from functions.core.operators.replaying import Replaying
    from functions.core.terms.runs import Key
    from local.devops.pipelines.runs import QueuedRun, Result
    from tests.soak.mortals import Processes
    from tests.stage.azure import Stage

RESULTS: tuple[Result, ...] = ("succeeded", "partiallySucceeded", "failed", "canceled")
BY_HAND = "by hand"  # how the run id begins that somebody gave who started a pipeline himself
OVER, NAMED_WRONG, NOTICED = 0.3, 0.5, 0.4  # shares
REPLAYED = 2  # at once
MOST = 10_000


class Named(NamedTuple):
    """A build that an operator named by mistake, and the right one."""

    key: Key
    right: int


class Desk:
    """The operators, and the agents of Azure DevOps. `let`: runs that no gate is to stop."""

    def __init__(self, stage: Stage, random: Random, processes: Processes) -> None:
        self._stage, self._random, self._processes = stage, random, processes
        self.let: set[str] = set()
        self.corrected = 0
        self._wrong: list[Named] = []

    def end_builds(self, share: float = OVER) -> None:
        """So many of the pipeline runs that go on come to one of their ends."""
        for build in self._stage.devops.runs:
            if build.result is None and self._random.random() < share:
                self._stage.devops.finish(build.id, self._random.choice(RESULTS))

    def work(self) -> None:
        """Correct what was named by mistake; settle what is in doubt, try at once what waits."""
        self.correct(NOTICED)
        rows = self._stage.ledger.recent(EVER, MOST)
        waits = [c for c in rows if c.state in {State.OPEN, State.HELD}]
        doubtful = [c for c in waits if c.is_doubtful]
        for c in self._some(doubtful, 1) + self._some(waits, REPLAYED):
            if c.is_doubtful:
                self._settle(c)
            else:
                self._replay(c.key, ignore_gate=self._random.random() < 0.5)

    def correct(self, share: float = 1) -> None:
        """Name the right build where a wrong one was named, so many of them."""
        for one in [one for one in self._wrong if self._random.random() < share]:
            self._wrong.remove(one)
            self._name(one.key, one.right)
            self.corrected += 1

    def _some(self, rows: Sequence[Continuation], most: int) -> list[Continuation]:
        return self._random.sample(rows, min(most, len(rows)))

    def _settle(self, c: Continuation) -> None:
        """By what Azure DevOps shows, or by a build that somebody started at the same time."""
        build = self.of(c)
        if build is None:
            self._type(lambda it: it.ask_anew(c.key))
        elif self._random.random() < NAMED_WRONG:
            self._name(c.key, self._started_by_hand(build))
            self._wrong.append(Named(c.key, build.id))
        else:
            self._name(c.key, build.id)

    def of(self, c: Continuation) -> QueuedRun | None:
        """The build that shows the run's id, of the pipeline that was asked for."""
        own = (b for b in self._stage.devops.runs if self._asks(b) == c.key.run)
        return next((b for b in own if c.request and b.pipeline_id == c.request.pipeline), None)

    def is_by_hand(self, build: QueuedRun) -> bool:
        """Whether it was started by no route."""
        return self._asks(build).startswith(BY_HAND)

    def _asks(self, build: QueuedRun) -> str:
        return build.template_parameters["run_id"]

    def _started_by_hand(self, like: QueuedRun) -> int:
        """One that ends at once, so that its end may be seen before it is corrected."""
        asked = RunRequest(template_parameters={"run_id": f"{BY_HAND} {self._random.random()}"})
        build = self._stage.devops.queue(like.pipeline, asked).id
        self._stage.devops.finish(build, self._random.choice(RESULTS))
        return build

    def _replay(self, key: Key, *, ignore_gate: bool) -> None:
        if self._type(lambda it: it.replay(key, ignore_gate=ignore_gate)).done and ignore_gate:
            self.let.add(key.run)

    def _name(self, key: Key, build: int) -> None:
        self._type(lambda it: it.name(key, PipelineRun(id=build)))

    def _type(self, command: Callable[[Replaying], Answer]) -> Answer:
        return self._processes.type(command)
