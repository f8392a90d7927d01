"""Eight processes, of which some die and some stand still: no group has two at once, none is lost.

RUN_RELAY_SEEDS seeds of RUN_RELAY_SEED_RUNS runs, the first of them RUN_RELAY_SEED, as in
`test_seeds`. One seed is one history.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from functions import threads
from functions.core.operators.replaying import Replaying
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import TEXT
from local.serving.faults import Fault
from tests.saying.refusals import says
from tests.soak.mortals import Processes
from tests.soak.test_seeds import stage as stage  # noqa: PLC0414 - a fixture
from tests.soak.test_soak import tell
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.flow.limits.groups import Result
    from tests.stage.azure import Stage

SEED = int(os.environ.get("RUN_RELAY_SEED", "1"))
SEEDS = int(os.environ.get("RUN_RELAY_SEEDS", "1"))
RUNS = int(os.environ.get("RUN_RELAY_SEED_RUNS", "12"))
PROCESSES = 8
MOST_IN_TABLE = 60  # of an emulator that takes its time
PIPELINES = {42: "one", 44: "also", 45: "newest"}
MODELS = ("defects", "cracks")
ENDS: tuple[Result, ...] = ("succeeded", "failed", "canceled", "partiallySucceeded")
ROUTE = """
  - name: {name}
    match: {{tags: {{kind: {name}}}}}
    concurrency: {{group: "{group}{{{{ run.tags.model }}}}"{more}}}
    start: {{pipeline: {pipeline}, parameters: {{run_id: "{{{{ run.id }}}}"}}}}"""
GROUPED = (("one", "", ""), ("also", "", ""), ("newest", "latest ", ", queue: latest"))


def routes() -> str:
    """Two routes of one group, and one of another that wants the latest only."""
    ids = {name: number for number, name in PIPELINES.items()}
    told = (ROUTE.format(name=n, group=g, more=m, pipeline=ids[n]) for n, g, m in GROUPED)
    head = "version: 1\ndefaults: {organization: contoso, project: mlops}\nroutes:"
    return head + "".join(told)


class History:
    """What happens in these hours, as the seed has it."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage, self._random = stage, Random(seed)  # noqa: S311 - no secret
        self.processes = Processes(stage, PROCESSES, self._random)
        self.processes.meanwhile = self._meanwhile
        self.runs: dict[str, tuple[str, str]] = {}
        self._most = RUNS if stage.environ["LEDGER_URL"] else min(RUNS // 2, MOST_IN_TABLE)
        self._untold: list[str] = []
        self._over: set[str] = set()

    def live(self) -> None:
        """Runs end, processes come and go; afterwards all goes well until nothing is left."""
        self.processes.share, self.processes.frozen = 0.02, 0.03
        while len(self.runs) < self._most:
            self._random.choice((self._ends, self._ends, self._told_again, self._fails))()
            self._others()
        self.processes.share = self.processes.frozen = 0.0
        self._stage.devops.server.faults.clear()
        for _ in range(40 * RUNS):
            if not (self._untold or self._goes_on() or self._open()):
                return
            for run in self._untold[:]:
                self._tell(run)
            self._finish()
            self._settle()
            self._forward(120)
            self._round()
        left = [self.of_run(run) or run for run in self._open()]
        raise AssertionError(f"not over: {left}")

    def of_run(self, run: str) -> Continuation | None:
        """What became of a run on its route; the others only noted that its tags do not fit."""
        return self._stage.of_run(run).get(self.runs[run][0])

    def _others(self) -> None:
        for _ in range(self._random.randrange(3)):
            self._random.choice((self._round, self._round, self._finish))()

    def _meanwhile(self) -> None:
        """Longer than a lease, so that others take over what the one had in hand."""
        self._forward(self._random.choice((1, 20, 130, 700)))
        for _ in range(3):
            self._random.choice((self._round, self._round, self._finish, self._ends))()

    def _ends(self) -> None:
        kind, model = self._random.choice([*PIPELINES.values()]), self._random.choice(MODELS)
        run = f"r{len(self.runs)}"
        self.runs[run] = kind, model
        self._stage.aml.add_run(run, experiment="defects", tags={"kind": kind, "model": model})
        self._untold.append(run)
        self._tell(run)

    def _tell(self, run: str) -> None:
        kind, model = self.runs[run]
        event = completed(run, runTags={"kind": kind, "model": model})
        number = int(run[1:])
        ended = f"2026-11-21T{number // 60 % 24:02}:{number % 60:02}:00Z"
        told = self.processes.do(lambda app: app.deliver({**event, "eventTime": ended}))
        if told and run in self._untold:
            self._untold.remove(run)
        self.assert_one_at_a_time()

    def _told_again(self) -> None:
        if self.runs:
            self._tell(self._random.choice([*self.runs]))

    def _round(self) -> None:
        self._forward(self._random.randrange(20, 90))
        self.processes.do(lambda app: app.reconciler.reconcile())
        self.assert_one_at_a_time()

    def _forward(self, seconds: int) -> None:
        """By the clocks of the app and of Azure DevOps."""
        self._stage.clock.forward(seconds=seconds)
        self._stage.devops.clock_skew += seconds

    def _fails(self) -> None:
        path = "*/_apis/pipelines/4?/runs"
        lost = Fault("POST", path, drop=self._random.choice(("before", "after")))
        refused = says(self._random.choice((403, 429, 500)), path=path)
        self._stage.devops.server.faults.add(self._random.choice((lost, refused)))

    def _finish(self) -> None:
        self.assert_one_at_a_time()
        going = [build for build in self._stage.devops.runs if build.result is None]
        if going:
            chosen = self._random.choice(going)
            self._stage.devops.finish(chosen.id, self._random.choice(ENDS))

    def _settle(self) -> None:
        """A person looks for what was sent three times and never answered, and says what is so."""
        for run in self._open():
            c = self.of_run(run)
            if c is None or c.state is not State.HELD:
                continue
            person = Replaying(self._stage.ledger, self._stage.clock, "a person")
            builds = self._stage.devops.runs
            found = [b.id for b in builds if b.template_parameters["run_id"] == run]
            said = person.name(c.key, PipelineRun(id=found[0])) if found else person.ask_anew(c.key)
            assert said.done, said

    def assert_one_at_a_time(self) -> None:
        """Between two ends the builds of a group that go on only become more."""
        assert max(self._goes_on().values(), default=0) <= 1, self._goes_on()

    def _goes_on(self) -> Counter[tuple[bool, str]]:
        going = Counter[tuple[bool, str]]()
        for build in self._stage.devops.runs:
            if build.result is None:
                kind, model = self.runs[build.template_parameters["run_id"]]
                going[kind == "newest", model] += 1
        return going

    def _open(self) -> list[str]:
        for run in sorted(self.runs.keys() - self._over):
            if (c := self.of_run(run)) and _is_over(c):
                self._over.add(run)
        return sorted(self.runs.keys() - self._over)


def _is_over(c: Continuation) -> bool:
    return c.state is State.SKIPPED or (c.state is State.STARTED and c.ended is not None)


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_no_group_has_two_at_once_and_none_is_lost(
    stage: Stage, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", 1)  # one after the other, as the seed has it
    stage.routes(routes())
    stage.deploy()
    for pipeline, name in PIPELINES.items():
        given = {"run_id": TEXT}
        stage.devops.add_pipeline("contoso", "mlops", pipeline, name, parameters=given)
    history = History(stage, seed)
    history.live()
    builds = Counter(run.template_parameters["run_id"] for run in stage.devops.runs)
    became = {run: c for run in history.runs if (c := history.of_run(run))}
    gone = {run for run, c in became.items() if c.reason is Reason.SUPERSEDED}
    processes = history.processes
    tell(f"RUN_RELAY_SEED={seed} RUN_RELAY_SEED_RUNS={RUNS}: {len(builds)} started,")
    tell(f"{len(gone)} superseded; {processes.died} died, {processes.stood_still} stood still")
    assert {history.runs[run][0] for run in gone} <= {"newest"}
    assert builds == Counter({run: 1 for run in became if run not in gone})
    for run in gone:  # by one that ended later, which was started or gave way to another
        later = became[run].detail.partition("/")[2].partition("/")[0]
        assert int(later[1:]) > int(run[1:])
        assert history.runs[later] == history.runs[run]
