"""Days of a team's life within seconds, as a seed has them: runs, news, weather, and people."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from local.aml_memory import MemoryAML
from local.cloud import TEXT, WORKSPACE
from local.devops.errors import Refusal
from local.faults import Fault
from tests.azure import as_cloud_event, changed, completed
from tests.flow.sweeps import milliseconds
from tests.soak.crew import seeded
from tests.soak.mortals import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from functions.bootstrap import App
    from tests.azure import Stage

LATER = WORKSPACE.replace("ml-prod", "ml-later")
OTHER_SECRET = "other-team-pat"
LIMIT = 40
ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: register
    match: {{experiment: "defect-*"}}
    start: {{pipeline: 42, parameters: {{run_id: "{{{{ run.id }}}}"}}}}
  - name: announce
    match: {{experiment: "news-*"}}
    start: {{pipeline: 43, parameters: {{run_id: "{{{{ run.id }}}}"}}, secret: {OTHER_SECRET}}}
  - name: limited
    match: {{experiment: "slow-*"}}
    limit: {LIMIT}/h
    start: {{pipeline: 44, parameters: {{run_id: "{{{{ run.id }}}}"}}}}
"""
OF = {"defect-x": 42, "news-x": 43, "slow-x": 44}  # which pipeline an experiment's runs lead to
GITHUB = (
    "/pipelines/register.yml: Could not get the latest source version for repository contoso/x "
    'hosted on https://github.com/ using ref refs/heads/main. GitHub reported the error, "API '
    'rate limit exceeded for installation ID 1."'
)
ENDLESS = 10**9
STEPS, ROUND = 40, timedelta(minutes=20)
UNTOLD, TWICE, DELETED = 0.1, 0.5, 0.1  # shares of the runs
CALLS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 503},
    {"drop": "before"},
    {"status": 500, "after": True},
    {"drop": "after"},
    {"status": 429, "headers": {"Retry-After": "0"}},
)
LIES: tuple[dict[str, Any], ...] = ({"status": 500, "after": True}, {"drop": "after"})


class Lived(NamedTuple):
    """One run: where it is from, and whether anything may come of it."""

    run: str
    workspace: str
    experiment: str
    wanted: bool = True


class World:
    """A team's cloud over `STEPS` rounds of 20 minutes, and quiet afterwards."""

    def __init__(self, stage: Stage, seed: int, size: int) -> None:
        self.stage, self.random, self._size = stage, seeded(seed), size
        self.lived: dict[str, Lived] = {}
        self.deleted: set[str] = set()
        self._news: list[tuple[int, str, dict[str, Any]]] = []
        self._number = 0
        self._storm = list(self._made())
        stage.routes(ROUTES)
        stage.devops.add_pipeline("contoso", "mlops", 44, "slow", parameters={"run_id": TEXT})
        self._renew_secret()
        self.later = MemoryAML(LATER, stage.cloud.identity.accepts, stage.cloud.tls)
        stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
        self.processes = Processes(stage, 3, self.random)

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
        self.processes.share = 0.0
        self._clear()
        self._renew_secret()
        self._deliver(STEPS + 99)
        for number in range(200):
            self._round()
            if number % 3 == 0:
                self._sweep()
            if number > 10 and not self.stage.ledger.backlog().open:
                return
            self._wait(timedelta(minutes=61))

    def _train(self, step: int, *, may_be_later: bool) -> None:
        """Runs end; of some nobody tells, of others twice, in either form, hours late."""
        for _ in range(-(-self._size // STEPS)):
            if len(self.lived) == self._size:
                return
            self._number += 1
            later = may_be_later and self.random.random() < 0.2
            experiment = "defect-x" if later else self.random.choice([*OF])
            one = Lived(f"run-{self._number}", LATER if later else WORKSPACE, experiment)
            self._end(one)
            if later or self.random.random() >= UNTOLD:
                self._tell(one, step)

    def _end(self, one: Lived) -> None:
        at = milliseconds(self.stage.clock.now())
        aml = self.later if one.workspace == LATER else self.stage.aml
        aml.add_run(one.run, experiment=one.experiment, start_time=at - 60_000, end_time=at)
        self.lived[one.run] = one

    def _tell(self, one: Lived, step: int) -> None:
        for _ in range(1 + (self.random.random() < TWICE) * self.random.randint(1, 4)):
            data = {"experimentName": one.experiment}
            event = self.random.choice(
                [completed(one.run, **data), changed(one.run, "Completed", **data)]
            )
            event = event | {"topic": one.workspace}
            event = self.random.choice([event, as_cloud_event(event)])
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
        self.stage.cloud.arm.add_workspace(LATER, self.later.tracking_uri)
        for number in range(5):
            self._end(Lived(f"old-{number}", LATER, "defect-x", wanted=False))
        self._wait(timedelta(hours=1))

    def _people(self, step: int) -> None:
        """Somebody deletes builds and runs, revokes a secret, renews it hours later."""
        devops = self.stage.devops
        if step % 4 == 1:
            run = self.random.choice([r for r, one in self.lived.items() if one.workspace != LATER])
            self.stage.aml.delete_run(run)
            self.deleted.add(run)
        if devops.runs and self.random.random() < DELETED:
            devops.delete(self.random.choice(devops.runs).id)
        if step % 13 == 5:
            devops.refuse(self._secret)
        if step % 13 == 8:
            self._renew_secret()

    def _renew_secret(self) -> None:
        self._secret = f"other-secret-{self.random.getrandbits(64):x}"
        self.stage.devops.accept(self._secret)
        self.stage.cloud.vault.put(OTHER_SECRET, self._secret)

    def _weather(self) -> None:
        """A third of the rounds is calm, a third is stormy; in the others one thing is wrong."""
        self._clear()
        kind = self.random.choice(["calm", "storm", "storm", "github", "throttled", "late", "away"])
        cloud, devops = self.stage.cloud, self.stage.devops
        if kind == "storm":
            for service, fault in self._storm:
                service.server.faults.add(fault)
        elif kind == "github":
            devops.server.faults.add(_says(GITHUB))
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
        self.processes.do(lambda app: app.rounds.reconcile())

    def _sweep(self) -> None:
        self.processes.do(lambda app: app.sweep.sweep())

    def _wait(self, time: timedelta) -> None:
        """Time passes for all; what Azure DevOps held back is queued within the first of it."""
        self.stage.devops.queue_now()
        self.stage.clock.moved += time
        self.stage.devops.clock_skew = self.stage.clock.moved.total_seconds()


def delivery(event: dict[str, Any]) -> Callable[[App], None]:
    """That this event comes to a process."""
    return lambda app: app.relay.deliver(event)


def _says(message: str) -> Fault:
    body = json.dumps(Refusal(400, "PipelineValidationException", message).wire())
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Fault("POST", "*/runs", status=400, body=body, headers=headers, times=ENDLESS)
