"""Eight processes, of which some die and some stand still: no group has two at once, none is lost.

RUN_RELAY_SEEDS seeds of RUN_RELAY_SEED_RUNS runs, the first of them RUN_RELAY_SEED, as in
`test_seeds`. One seed is one history.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from functions import threads
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import TEXT
from tests.soak.hours import Hours
from tests.soak.test_seeds import stage as stage  # noqa: PLC0414 - a fixture
from tests.soak.test_soak import tell
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

SEED = int(os.environ.get("RUN_RELAY_SEED", "1"))
SEEDS = int(os.environ.get("RUN_RELAY_SEEDS", "1"))
RUNS = int(os.environ.get("RUN_RELAY_SEED_RUNS", "12"))
MOST_IN_TABLE = 60  # of an emulator that takes its time
PIPELINES = {42: "one", 44: "also", 45: "newest"}
MODELS = ("defects", "cracks")
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


class History(Hours):
    """Runs of three kinds and two models."""

    def __init__(self, stage: Stage, seed: int) -> None:
        super().__init__(stage, seed)
        self.runs: dict[str, tuple[str, str]] = {}
        self._most = RUNS if stage.environ["LEDGER_URL"] else min(RUNS // 2, MOST_IN_TABLE)
        self._over: set[str] = set()

    def of_run(self, run: str) -> Continuation | None:
        """What became of a run on its route; the others only noted that its tags do not fit."""
        return self.stage.of_run(run).get(self.runs[run][0])

    def is_enough(self) -> bool:
        return len(self.runs) >= self._most

    def ends(self) -> None:
        kind, model = self.random.choice([*PIPELINES.values()]), self.random.choice(MODELS)
        run = f"r{len(self.runs)}"
        self.runs[run] = kind, model
        self.stage.aml.add_run(run, experiment="defects", tags={"kind": kind, "model": model})
        self.untold.append(run)
        self.tell(run)

    def event(self, run: str) -> dict[str, Any]:
        kind, model = self.runs[run]
        number = int(run[1:])
        ended = f"2026-11-21T{number // 60 % 24:02}:{number % 60:02}:00Z"
        return {**completed(run, runTags={"kind": kind, "model": model}), "eventTime": ended}

    def goes_on(self) -> Counter[tuple[bool, str]]:
        going = Counter[tuple[bool, str]]()
        for build in self.stage.devops.runs:
            if build.result is None:
                kind, model = self.runs[build.template_parameters["run_id"]]
                going[kind == "newest", model] += 1
        return going

    def left(self) -> Iterator[tuple[str, Continuation | None]]:
        for run in sorted(self.runs.keys() - self._over):
            c = self.of_run(run)
            if c and _is_over(c):
                self._over.add(run)
            else:
                yield run, c


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
    history.live(40 * RUNS)
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
