"""Hours of many processes over one ledger, of which some die and some stand still, as a seed has
them: runs end, services fail, pipeline runs come to their ends, and a person settles what is held.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import TYPE_CHECKING, Any

from functions.core.operators.replaying import Replaying
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.saying.refusals import says
from tests.soak.mortals import Processes

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from functions.core.kept.continuation import Continuation
    from tests.flow.limits.groups import Result
    from tests.stage.azure import Stage

PROCESSES = 8
DIE, STAND_STILL = 0.02, 0.03  # shares of the calls that change something
ENDS: tuple[Result, ...] = ("succeeded", "failed", "canceled", "partiallySucceeded")


class Hours(ABC):
    """What happens in these hours; `runs` that have ended, of which some are `untold`."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.random = stage, Random(seed)  # noqa: S311 - no secret
        self.processes = Processes(stage, PROCESSES, self.random)
        self.processes.meanwhile = self._meanwhile
        self.untold: list[str] = []
        self.met: set[str] = set()
        self.acts = [self.ends, self.ends, self._told_again, self._fails]

    @abstractmethod
    def is_enough(self) -> bool:
        """Whether so many runs have ended as this is about."""

    @abstractmethod
    def ends(self) -> None:
        """One more run ends, and is told of."""

    @abstractmethod
    def event(self, run: str) -> dict[str, Any]:
        """What tells of its end."""

    @abstractmethod
    def goes_on(self) -> Counter[Any]:
        """How many pipeline runs of each group go on."""

    @abstractmethod
    def left(self) -> Iterable[tuple[str, Continuation | None]]:
        """Those of which more is to come, by what their pipeline run is known by."""

    def end_all(self) -> None:  # noqa: B027 - not all have any
        """What has begun ends, before all goes well."""

    def live(self, patience: int) -> None:
        """All of it; afterwards all goes well, for so many rounds, until nothing is left."""
        self.processes.share, self.processes.frozen = DIE, STAND_STILL
        while not self.is_enough():
            self.random.choice(self.acts)()
            self._others()
        self.processes.share = self.processes.frozen = 0.0
        self.stage.devops.server.faults.clear()
        self.end_all()
        for _ in range(patience):
            if not (self.untold or self.goes_on() or any(True for _ in self.left())):
                return
            for run in self.untold[:]:
                self.tell(run)
            self._finish()
            self._settle()
            self.forward(120)
            self.round()
        raise AssertionError(f"not over: {[c or name for name, c in self.left()]}")

    def tell(self, run: str) -> None:
        """Its event comes, to any of the processes."""
        self.met.add(run)
        told = self.event(run)
        if self.processes.do(lambda app: app.deliver(told)) and run in self.untold:
            self.untold.remove(run)
        self.assert_one_at_a_time()

    def forward(self, seconds: int) -> None:
        """By the clocks of the app and of Azure DevOps."""
        self.stage.clock.forward(seconds=seconds)
        self.stage.devops.clock_skew += seconds

    def assert_one_at_a_time(self) -> None:
        """Between two ends the pipeline runs of a group that go on only become more."""
        going = self.goes_on()
        assert max(going.values(), default=0) <= 1, going

    def _others(self) -> None:
        for _ in range(self.random.randrange(3)):
            self.random.choice((self.round, self.round, self._finish))()

    def _meanwhile(self) -> None:
        """Longer than a lease, so that others take over what the one had in hand."""
        self.forward(self.random.choice((1, 20, 130, 700)))
        for _ in range(3):
            self.random.choice((self.round, self.round, self._finish, self.ends))()

    def _told_again(self) -> None:
        if self.met:
            self.tell(self.random.choice(sorted(self.met)))

    def round(self) -> None:
        self.forward(self.random.randrange(20, 90))
        self.processes.do(lambda app: app.reconciler.reconcile())
        self.assert_one_at_a_time()

    def _fails(self) -> None:
        path = "*/_apis/pipelines/*/runs"
        lost = Fault("POST", path, drop=self.random.choice(("before", "after")))
        refused = says(self.random.choice((403, 429, 500)), path=path)
        self.stage.devops.server.faults.add(self.random.choice((lost, refused)))

    def _finish(self) -> None:
        self.assert_one_at_a_time()
        going = [build for build in self.stage.devops.runs if build.result is None]
        if going:
            chosen = self.random.choice(going)
            self.stage.devops.finish(chosen.id, self.random.choice(ENDS))

    def _settle(self) -> None:
        """A person looks for what was sent three times and never answered, and says what is so."""
        for name, c in list(self.left()):
            if c is None or c.state is not State.HELD or not c.is_doubtful:
                continue
            person = Replaying(self.stage.ledger, self.stage.clock, "a person")
            builds = self.stage.devops.runs
            found = [b.id for b in builds if b.template_parameters["run_id"] == name]
            said = person.name(c.key, PipelineRun(id=found[0])) if found else person.ask_anew(c.key)
            assert said.done, said
