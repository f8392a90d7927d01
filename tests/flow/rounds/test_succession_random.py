"""Days of deployments at random: each run is followed once, and by no file that is replaced."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.kept.history import is_of_today
from functions.core.operators.replaying import Replaying
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.rounds.sweeps import end
from tests.flow.rounds.test_succession import fleet as fleet  # noqa: PLC0414 - a fixture
from tests.flow.rounds.test_succession_back import PROBE
from tests.flow.rounds.test_succession_replays import GROUP
from tests.flow.rounds.test_succession_resumes import MOVED
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, completed
from tests.stage.identities import all_answered

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.flow.rounds.test_succession import Fleet
    from tests.stage.azure import Stage

STEPS, RUNS, AFTER = 120, 14, 90
FIRST = int(os.environ.get("RUN_RELAY_SEED", "202"))
SEEDS = int(os.environ.get("RUN_RELAY_SEEDS", "1"))
FILES = {
    "plain": (ROUTES, MOVED, f"# with a word more\n{ROUTES}"),
    "group": (GROUP, GROUP.replace("pipeline: 42", "pipeline: 43"), f"# with a word more\n{GROUP}"),
}
POST = "*/_apis/pipelines/*/runs"


class Days:
    """What happens, drawn from a seed: one instance is deployed, one may be left of before."""

    def __init__(self, fleet: Fleet, seed: int, kind: str) -> None:
        self.fleet, self.random = fleet, random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.kind, self.texts, self.at = kind, FILES[kind], 0
        self.runs: list[str] = []
        self.running: list[str] = []
        self.odd: list[str] = []
        self.left: Stage | None = None
        self.left_file = ""
        self.now = self.start()
        self.left_until = self.now.clock.now()
        self.now.reconcile()
        self.forward(days=2)

    def start(self) -> Stage:
        """An instance of the file of today."""
        stage = self.fleet.start(self.texts[self.at], SWEEP_WORKSPACES=WORKSPACE)
        self.file = stage.ports.routes.routes().file
        return stage

    def forward(self, **by: float) -> None:
        self.now.clock.forward(**by)
        self.now.devops.clock_skew += timedelta(**by).total_seconds()

    def deploy(self) -> None:
        """Another file, forward or back; an instance of the one before is left for minutes."""
        self.left, self.left_file = self.now, self.file
        self.at = (self.at + self.random.choice([1, 2])) % len(self.texts)
        self.now = self.start()
        self.left_until = self.now.clock.now() + timedelta(seconds=self.random.randrange(60, 500))
        self.now.deliver(PROBE)

    def either(self) -> Stage:
        return self.left if self.left and self.random.random() < 0.4 else self.now

    def ends(self) -> None:
        """A run ends: at once or a moment after its event, which may be lost."""
        if len(self.runs) == RUNS:
            return
        run, how = f"r{len(self.runs)}", self.random.choice(["late", "late", "lost", "", "", ""])
        self.runs.append(run)
        if how == "late":
            self.now.aml.add_run(run, experiment=EXPERIMENT, status="Running")
            self.running.append(run)
        else:
            end(self.now, run)
        if how != "lost":
            at = self.now.clock.now().isoformat()
            self.either().deliver({**completed(run), "eventTime": at})

    def shows(self) -> None:
        while self.running:
            end(self.now, self.running.pop())

    def breaks(self) -> None:
        self.now.devops.server.faults.add(
            self.random.choice(
                [
                    says(400, WRONG, path=POST),
                    says(429, path=POST, after="60"),
                    Fault("POST", POST, drop="after"),
                    Fault("POST", POST, drop="before"),
                    Fault("POST", POST, status=503, after=True),
                    Fault("GET", "*/_apis/build/builds", status=500, times=2),
                ]
            )
        )

    def edit(self) -> None:
        """The file of today cannot be read for a while."""
        self.now.routes(self.random.choice(["routes: [", self.texts[self.at]]))

    def replay(self) -> None:
        """An operator settles what was asked for, and has all else tried again."""
        operator = Replaying(self.now.ledger, self.now.clock, "ada")
        for c in self.all():
            builds = [b.id for b in self.now.devops.runs if _run(b) == c.key.run]
            if c.state not in {State.HELD, State.FAILED}:
                continue
            if c.in_doubt and builds:
                operator.name(c.key, PipelineRun(id=builds[-1]))
            elif c.in_doubt:
                operator.ask_anew(c.key)
            else:
                operator.replay(c.key)

    def hasten(self) -> None:
        operator = Replaying(self.now.ledger, self.now.clock, "ada")
        for c in self.all():
            if c.is_open and self.random.choice([True, False]):
                operator.replay(c.key)

    def round(self) -> None:
        """Of who is left nothing goes on that is the other file's."""
        self.forward(seconds=self.random.choice([20, 61, 90, 200]))
        self.look()
        by, waits = self.either(), [c for c in self.all() if c.is_open and not c.is_asked]
        theirs = {c.key for c in waits if c.file != self.left_file or is_of_today(c)}
        by.reconcile()
        if by is self.left:
            asked = [c.key.run for c in self.all() if c.key in theirs and c.asked_at]
            self.odd += [f"{run} by the file that is replaced" for run in asked]

    def sweep(self) -> None:
        all_answered()
        self.either().app.sweep.sweep()

    def finish(self) -> None:
        for build in self.now.devops.runs:
            if build.result is None:
                self.now.devops.finish(build.id, "succeeded")

    def all(self) -> list[Continuation]:
        ledger, workspace = self.now.ledger, WORKSPACE.lower()
        return [c for run in self.runs for c in ledger.of_run(workspace, run)]

    def step(self) -> None:
        weights = {self.ends: 6, self.round: 12, self.shows: 3, self.finish: 3, self.deploy: 2}
        seldom = dict.fromkeys((self.replay, self.hasten, self.sweep, self.edit), 1)
        chances = {**weights, self.breaks: 2, **seldom}
        self.random.choices([*chances], [*chances.values()])[0]()
        self.look()

    def look(self) -> None:
        if self.left and self.now.clock.now() > self.left_until:
            self.left = None
        if self.kind == "group" and sum(b.result is None for b in self.now.devops.runs) > 1:
            self.odd.append("two at once")
            self.finish()

    def settle(self) -> None:
        """Nothing fails any more, and all that was started ends."""
        self.now.devops.server.faults.clear()
        self.now.routes(self.texts[self.at])
        self.left = None
        self.shows()
        for n in range(AFTER):
            self.forward(seconds=61 if n < AFTER / 2 else 660)
            self.now.reconcile()
            self.look()
            self.finish()
            if n % 10 == 0:
                self.replay()
                self.sweep()


def _run(build: object) -> str:
    return str(getattr(build, "template_parameters", {}).get("run_id"))


@pytest.mark.parametrize("kind", [*FILES])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_deployments_at_random_neither_lose_nor_repeat_a_start(
    fleet: Fleet, seed: int, kind: str
) -> None:
    print(f"RUN_RELAY_SEED={seed}")  # noqa: T201 - to have the same days again
    days = Days(fleet, seed, kind)
    for _ in range(STEPS):
        days.step()
    days.settle()
    started = Counter(run for _, run in days.now.started())
    assert (started, days.odd) == (Counter(days.runs), [])
