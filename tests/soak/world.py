"""Days of a team's life within seconds, as a seed has them: runs, news, weather, and people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local.cloud import TEXT, WORKSPACE
from local.serving.faults import Fault
from tests.saying.refusals import says
from tests.soak.crew import seeded
from tests.soak.desk import Desk
from tests.soak.mortals import Processes
from tests.soak.team import AFTER_ALL, GITHUB, LATER, ROUTES, Lived, Team
from tests.soak.weather import BLOCKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from functions.bootstrap import App
    from tests.stage.azure import Stage

LIMIT = 40
LIMITED = f"""\
  - name: limited
    match: {{experiment: "slow-*"}}
    limit: {LIMIT}/h
    start: {{pipeline: 44, parameters: {{run_id: "{{{{ run.id }}}}"}}}}
"""
JUDGED = """\
  - name: judged
    match: {experiment: "judge-*"}
    when: run.metrics.accuracy >= 0.9
    start: {pipeline: 45, parameters: {run_id: "{{ run.id }}"}}
"""
# which pipeline an experiment's runs lead to
OF = {"defect-x": 42, "news-x": 43, "slow-x": 44, "judge-x": 45}
GOOD, BAD = {"accuracy": 0.95}, {"accuracy": 0.5}
ENDLESS = 10**9
KINDS = ("calm", "storm", "storm", "github", "throttled", "late", "away", "halted")
STEPS, ROUND = 40, timedelta(minutes=20)
UNTOLD, TWICE, DELETED = 0.1, 0.5, 0.1  # shares of the runs
CALLS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 503},
    {"drop": "before"},
    {"status": 500, "after": True},
    {"drop": "after"},
    {"status": 429, "headers": {"Retry-After": "0", **BLOCKED}},
)
LIES: tuple[dict[str, Any], ...] = ({"status": 500, "after": True}, {"drop": "after"})


class World:
    """A team's cloud over `STEPS` rounds of 20 minutes, and quiet afterwards."""

    def __init__(self, stage: Stage, seed: int, size: int) -> None:
        self.stage, self.random, self._size = stage, seeded(seed), size
        self._news: list[tuple[int, str, dict[str, Any]]] = []
        self._number, self._halted = 0, False
        self._storm = list(self._made())
        stage.clock.stand()
        stage.routes(ROUTES + LIMITED + JUDGED)
        for pipeline, name in ((44, "slow"), (45, "judge")):
            stage.devops.add_pipeline(
                "contoso", "mlops", pipeline, name, parameters={"run_id": TEXT}
            )
        self.team = Team(stage, self.random)
        self.lived, self.deleted = self.team.lived, self.team.deleted
        stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
        self.processes = Processes(stage, 3, self.random)
        self.desk, self.bad = Desk(stage, self.random, self.processes), set[str]()

    def may_start(self, run: str) -> bool:
        """Whether its gate lets it start, or an operator does."""
        return run not in self.bad or run in self.desk.let

    def live(self) -> None:
        """Run by run, round by round; somewhere on the way a second workspace joins."""
        self._round()  # the ledger is there before what the sweep is to find
        self._wait(timedelta(days=2))
        self._sweep()
        self.processes.share = 0.01
        joins = self.random.randrange(STEPS // 4, STEPS // 2)
        for step in range(STEPS):
            if step == joins:
                self._join()
            self._weather()
            self._train(step, may_be_later=step > joins)
            self._deliver(step)
            self._people(step)
            self._round()
            if step % 3 == 2:
                self._sweep()
            self._wait(ROUND)
        self._rest()

    def _rest(self) -> None:
        """Nothing fails any more, and everybody catches up."""
        self.processes.share, self._halted = 0.0, False
        self._clear()
        self.team.renew_secret()
        self._deliver(STEPS + 99)
        self.desk.correct()
        ledger = self.stage.ledger
        for number in range(200):
            self.desk.end_builds(1)
            self._round()
            if number % 3 == 0:
                self._sweep()
            if number > 10 and not (ledger.backlog(AFTER_ALL).open or ledger.followed.keys()):
                return
            self._wait(timedelta(minutes=61))

    def _train(self, step: int, *, may_be_later: bool) -> None:
        """Runs end; of some nobody tells, of others twice, in either form, hours late."""
        for _ in range(-(-self._size // STEPS)):
            if len(self.lived) == self._size:
                return
            self._number += 1
            later = may_be_later and self.random.random() < 0.2
            experiment = "defect-x" if later else self.random.choice([*OF, "judge-x"])
            one = Lived(f"run-{self._number}", LATER if later else WORKSPACE, experiment)
            self._end(one)
            if later or self.random.random() >= UNTOLD:
                self._tell(one, step)

    def _end(self, one: Lived) -> None:
        """What a gate asks of it lies on its step."""
        self.team.end(one)
        if one.experiment == "judge-x":
            told = GOOD if self.random.random() < 0.5 else BAD
            self.bad |= {one.run} if told is BAD else set()
            self.stage.aml.add_run(
                f"{one.run}-step",
                parent=one.run,
                experiment=one.experiment,
                metrics=told,
                end_time=self.team.now,
            )

    def _tell(self, one: Lived, step: int) -> None:
        for _ in range(1 + (self.random.random() < TWICE) * self.random.randint(1, 4)):
            _, event = self.team.told(one, self.random)
            self._news.append((step + self.random.choice([0, 0, 0, 1, 2, 9]), one.run, event))

    def _deliver(self, step: int) -> None:
        """What is due comes in any order, and again until somebody took it."""
        due = [news for news in self._news if news[0] <= step]
        self._news = [news for news in self._news if news[0] > step]
        self.random.shuffle(due)
        for at, run, event in due:
            if not self.processes.do(delivery(event)):
                self._news.append((max(at, step) + 1, run, event))
        if step > STEPS and self._news:
            self._deliver(step + 1)

    def _join(self) -> None:
        """A second workspace is connected; what ended there before is nobody's business."""
        self.team.join()
        for number in range(5):
            self.team.end(Lived(f"old-{number}", LATER, "defect-x", wanted=False))
        self._wait(timedelta(hours=1))

    def _people(self, step: int) -> None:
        """Somebody deletes builds and runs, revokes a secret, renews it hours later."""
        devops = self.stage.devops
        self.desk.end_builds()
        self.desk.work()
        if step % 4 == 1:
            run = self.random.choice([r for r, one in self.lived.items() if one.workspace != LATER])
            self.team.delete(run)
        if devops.runs and self.random.random() < DELETED:
            devops.delete(self.random.choice(devops.runs).id)
        if step % 13 == 5:
            self.team.revoke_secret()
        if step % 13 == 8:
            self.team.renew_secret()

    def _weather(self) -> None:
        """Some rounds are calm, some are stormy; in the others one thing is wrong.

        Where the timers are halted nobody goes on but deliveries.
        """
        self._clear()
        kind = self.random.choice(KINDS)
        self._halted = kind == "halted"
        cloud, devops = self.stage.cloud, self.stage.devops
        if kind == "storm":
            for service, fault in self._storm:
                service.server.faults.add(fault)
        elif kind == "github":
            devops.server.faults.add(says(400, GITHUB, path="*/runs", times=ENDLESS))
        elif kind == "throttled":
            devops.throttle(3, retry_after=60)
        elif kind == "late":
            devops.queue_later(ENDLESS, times=3)
        elif kind == "away":
            away = self.random.choice([cloud.identity, cloud.vault, cloud.arm, cloud.aml])
            away.server.faults.add(Fault(status=503, times=ENDLESS))

    def _clear(self) -> None:
        cloud = self.stage.cloud
        for service in (cloud.identity, cloud.vault, cloud.arm, cloud.aml, cloud.devops):
            service.server.faults.clear()
        self.stage.devops.limits.clear()
        self.stage.devops.queue_now()

    def _made(self) -> Iterator[tuple[Any, Fault]]:
        """A POST is lost at most once to this: the third loss is held for a person, as promised."""
        cloud = self.stage.cloud
        for service in (cloud.identity, cloud.vault, cloud.arm, cloud.aml, cloud.devops):
            for kind in CALLS:
                yield service, self._fault("GET", kind)
        lost = {"status": 500, "per_request": 1}
        for kind in (lost, *LIES):
            yield cloud.devops, self._fault("POST", kind)
        for kind in CALLS:
            yield cloud.aml, self._fault("POST", kind)

    def _fault(self, method: str, kind: Mapping[str, Any]) -> Fault:
        drawn: dict[str, Any] = {
            "times": ENDLESS,
            "probability": 0.05,
            "seed": self.random.getrandbits(32),
        }
        return Fault(method=method, **drawn, **kind)

    def _round(self) -> None:
        if not self._halted:
            self.processes.do(lambda app: app.reconciler.reconcile())

    def _sweep(self) -> None:
        if not self._halted:
            self.processes.do(lambda app: app.sweep.sweep())

    def _wait(self, time: timedelta) -> None:
        """Time passes for all; what Azure DevOps held back is queued within the first of it."""
        self.stage.devops.queue_now()
        self.stage.clock.moved += time
        self.stage.devops.clock_skew = self.stage.clock.moved.total_seconds()


def delivery(event: dict[str, Any]) -> Callable[[App], None]:
    """That this event comes to a process."""
    return lambda app: app.deliver(event)
