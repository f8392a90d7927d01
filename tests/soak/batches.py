"""Batches of trainings: three routes join them, and one that does not shares a group with two."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from local.cloud import WORKSPACE
from tests.soak.hours import Hours
from tests.soak.team import AFTER_ALL
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

PIPELINES = {42: "alone", 61: "all", 62: "some", 63: "newest"}
GROUPS = {42: "deploy", 61: "deploy", 62: "deploy", 63: "latest"}
JOINS = frozenset({61, 62, 63})
EXPERIMENTS = ("train-a", "train-b", "train-c")
SIZE = {"alone": 1, "all": 3, "some": 3, "newest": 2}
PARAMETERS = ("run_id", "runs", "failed", "missing")
STATUSES = ("Completed", "Completed", "Completed", "Failed", "Canceled")
NEVER = 0.1  # of the runs of `some` so many never end
ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
notify: [{webhook: hook-ops, signing: hook-key}]
routes:
  - name: alone
    match: {tags: {kind: alone}}
    concurrency: {group: deploy}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""
JOINED = """
  - name: {name}
    match: {{tags: {{kind: {name}}}}}
    join: {{by: run.tags.batch, all_of: {all_of}, within: {within}, if_one_fails: {fails}}}
    concurrency: {{group: {group}}}
    start:
      pipeline: {pipeline}
      parameters: {{run_id: "{{{{ join.by }}}}", runs: "{{{{ join.runs }}}}",
                   failed: "{{{{ join.failed }}}}", missing: "{{{{ join.missing }}}}"}}
"""


def routes() -> str:
    """One that does not join, and three that do: held by who fails, by a time, the latest only."""
    those = (
        ("all", 61, "[train-a, train-b, train-c]", "99d", "hold", "deploy"),
        ("some", 62, "3", "2h", "start", "deploy"),
        ("newest", 63, "2", "99d", "start", "latest, queue: latest"),
    )
    told = (
        JOINED.format(name=n, pipeline=p, all_of=a, within=w, fails=f, group=g)
        for n, p, a, w, f, g in those
    )
    return ROUTES + "".join(told)


class Run(NamedTuple):
    """A training: what it is for, which batch it belongs to, and how it ends."""

    kind: str
    batch: str
    experiment: str
    status: str


class Batches(Hours):
    """They end in any order; of `all` one that failed is tried again, until none has."""

    def __init__(self, stage: Stage, seed: int, most: int) -> None:
        super().__init__(stage, seed)
        self.runs: dict[str, Run] = {}
        self.batches: dict[str, str] = {}  # and of which kind each is
        self.let: set[str] = set()
        self._most = most
        self._train: list[Run] = []
        self._over: set[str] = set()
        self.acts.append(self._let_go)

    def is_enough(self) -> bool:
        return len(self.runs) >= self._most

    def ends(self) -> None:
        """Of the batches that have begun, or of a new one."""
        while len(self._train) < len(EXPERIMENTS):
            self._begin()
        one = self._train.pop(self.random.randrange(len(self._train)))
        self._end(one)

    def end_all(self) -> None:
        """The rest of what has begun; none fails any more."""
        while self._train:
            one = self._train.pop()
            self._end(one._replace(status="Completed") if one.kind == "all" else one)

    def _begin(self) -> None:
        kind = self.random.choice([*PIPELINES.values()])
        batch = f"{kind}-{len(self.batches)}"
        self.batches[batch] = kind
        for experiment in EXPERIMENTS[: SIZE[kind]]:
            if kind != "some" or self.random.random() >= NEVER:
                status = "Completed" if kind == "alone" else self.random.choice(STATUSES)
                self._train.append(Run(kind, batch, experiment, status))

    def _end(self, one: Run) -> None:
        run = f"r{len(self.runs)}"
        self.runs[run] = one
        tags = {"kind": one.kind, "batch": one.batch}
        self.stage.aml.add_run(run, status=one.status, experiment=one.experiment, tags=tags)
        if one.kind == "all" and one.status != "Completed":
            again = one._replace(status=self.random.choice(STATUSES))
            self._train.append(again)
        self.untold.append(run)
        self.tell(run)

    def event(self, run: str) -> dict[str, Any]:
        one = self.runs[run]
        tags = {"kind": one.kind, "batch": one.batch}
        told = {"experimentName": one.experiment, "runTags": tags}
        if one.status == "Completed":
            return completed(run, **told)
        return changed(run, one.status, **told)

    def goes_on(self) -> Counter[str]:
        going = (build for build in self.stage.devops.runs if build.result is None)
        return Counter(GROUPS[build.pipeline_id] for build in going)

    def left(self) -> Iterator[tuple[str, Continuation | None]]:
        for name in sorted(self.names() - self._over):
            c = self.of(name)
            if c and (c.reason is Reason.SUPERSEDED or c.ended):
                self._over.add(name)
            else:
                yield name, c

    def names(self) -> set[str]:
        """What each pipeline run is known by: a run on its own, or a batch."""
        return {run if one.kind == "alone" else one.batch for run, one in self.runs.items()}

    def of(self, name: str) -> Continuation | None:
        """The continuation of a run on its own, or of a batch."""
        if name in self.runs:
            return self.stage.of_run(name).get("alone")
        key = Key(WORKSPACE.lower(), name, Outcome.JOINED, self.batches[name])
        entry = self.stage.ledger.read(key)
        return entry.continuation if entry else None

    def member(self, run: str) -> Continuation:
        """What became of a run on the route that joins it."""
        return self.stage.of_run(run)[self.runs[run].kind]

    def _let_go(self) -> None:
        """A person lets one of those that are held go on with who is there."""
        for name, c in list(self.left()):
            if c and c.state is State.HELD and c.reason is Reason.INCOMPLETE:
                person = Replaying(self.stage.ledger, self.stage.clock, "a person")
                if person.replay(c.key, ignore_gate=True).done:
                    self.let.add(name)
                return

    def until_all_is_told(self) -> None:
        """Rounds go by until nothing is left to do, and no notice waits."""
        ledger = self.stage.ledger
        for _ in range(100):
            self.forward(600)
            self.round()
            open_ones = ledger.backlog(AFTER_ALL).open or ledger.followed.keys()
            if not open_ones and not ledger.notices.waiting(1):
                return
        raise AssertionError(f"not told: {ledger.notices.waiting(9)}")
