"""What happens to an app, and the lines that it writes meanwhile: the real ones, from INFO up."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.adapters.telling.log import LOGGER
from functions.core.events.registration import registration
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.conftest import PAT
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

EXPERIMENT = "defect-detection"
SECRET = "azure-devops-pat"
RUNS = "*/_apis/pipelines/42/runs"
GATED = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    when: run.metrics.accuracy > 0.9
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


class Told(NamedTuple):
    """A line and when it was written, on the app's clock."""

    at: datetime
    line: str


class Listener(logging.Handler):
    """Keeps what reaches Application Insights: the host lets nothing below INFO through."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(logging.INFO)
        self.told: list[Told] = []
        self._stage = stage

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(Told(self._stage.clock.now(), record.getMessage()))

    def aged(self) -> list[tuple[timedelta, str]]:
        """Each line with its age on the app's clock."""
        now = self._stage.clock.now()
        return [(now - told.at, told.line) for told in self.told]


@contextmanager
def heard(stage: Stage) -> Iterator[Listener]:
    """Listens to the app's logger."""
    listener, logger = Listener(stage), logging.getLogger(LOGGER)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(listener)
    try:
        yield listener
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)


def deliver(stage: Stage, run: str = "r1") -> None:
    """A run ended a moment ago, and its event comes."""
    stage.aml.add_run(run, experiment=EXPERIMENT)
    event = completed(run)
    event["eventTime"] = (stage.clock.now() - timedelta(seconds=40)).isoformat()
    stage.deliver(event)


def started(stage: Stage) -> None:
    deliver(stage)


def rejected(stage: Stage) -> None:
    body = '{"message":"Parameter \\"run_id\\" is an unexpected parameter = no, \\\\ see the docs"}'
    headers = {"Content-Type": "application/json"}
    fault = Fault(method="POST", path=RUNS, status=400, headers=headers, body=body)
    stage.devops.server.faults.add(fault)
    deliver(stage)


def held_by_the_gate(stage: Stage) -> None:
    stage.routes(GATED)
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.1})
    stage.deliver(completed("r1"))


def parked(stage: Stage) -> None:
    stage.deploy(PAUSED="1")
    deliver(stage)
    stage.reconcile(minutes=1)


def parked_for_long(stage: Stage) -> None:
    parked(stage)
    stage.reconcile(minutes=31)


def went_on(stage: Stage) -> None:
    parked_for_long(stage)
    stage.deploy(PAUSED="0")
    stage.reconcile(hours=1)
    stage.reconcile(minutes=1)


def unreadable_routes(stage: Stage) -> None:
    stage.routes(ROUTES.replace("organization:", "organisation:"))
    deliver(stage)
    stage.reconcile(minutes=31)


def mended(stage: Stage) -> None:
    unreadable_routes(stage)
    stage.routes(ROUTES)
    stage.reconcile(minutes=1)


def refused(stage: Stage) -> None:
    stage.devops.refuse(PAT, "203")
    deliver(stage)


def expired(stage: Stage) -> None:
    ends_in(-1)(stage)
    deliver(stage)


def unreadable(stage: Stage) -> None:
    stage.cloud.vault.delete(SECRET)
    stage.app.sweep.sweep()


def ends_in(days: int) -> Callable[[Stage], None]:
    """A secret that ends in so many days, and the hourly sweep."""

    def happened(stage: Stage) -> None:
        ends = stage.clock.now() + timedelta(days=days, hours=1)
        stage.cloud.vault.put(SECRET, PAT, expires=ends)
        stage.app.sweep.sweep()

    return happened


def doubled(stage: Stage) -> None:
    stage.devops.queue_later(3600)
    deliver(stage)
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    stage.devops.queue_now()
    stage.reconcile(minutes=61)


def waited_in_vain(stage: Stage) -> None:
    stage.deploy(WAITS="1", SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(
        "version: 1\ndefaults: {organization: contoso}\nroutes: [{name: wait, complete: true}]"
    )
    stage.cloud.vault.put("run-relay-waits-key", "any text of enough characters")
    stage.aml.add_run("r1", status="Running", experiment=EXPERIMENT)
    job = stage.devops.start_server_job("contoso", "mlops")
    headers = {name.lower(): value for name, value in job.headers.items()}
    stage.app.waits.register(registration(headers, {"run_id": "r1"}))
    job.expire_token()
    deliver(stage)


def awaited_in_vain(stage: Stage) -> None:
    stage.routes(ROUTES.replace("    start:", "    expect: {within: 26h}\n    start:", 1))
    stage.reconcile()
    stage.reconcile(hours=26, minutes=6)


def came_in_time(stage: Stage) -> None:
    stage.routes(ROUTES.replace("    start:", "    expect: {within: 26h}\n    start:", 1))
    stage.reconcile(hours=20)
    deliver(stage)
    stage.reconcile(hours=20)


def held_for_too_long(stage: Stage) -> None:
    stage.routes(GATED.replace("    start:", "    expect: {held: 2h}\n    start:", 1))
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.1})
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    stage.reconcile(hours=2)


def told_in_vain(stage: Stage) -> None:
    stage.deploy(NOTIFY_HOSTS="127.0.0.1")
    stage.routes(ROUTES.replace("routes:", "notify: [{slack: none-such}]\nroutes:", 1))
    stage.devops.server.faults.add(says(400, WRONG))
    deliver(stage)
    for _ in range(5):
        stage.reconcile(hours=20)


def went_on_by_an_end(stage: Stage) -> None:
    end = "    then: {succeeded: {start: {pipeline: 43}}}\n"
    stage.routes(ROUTES.replace("  - name: report", f"{end}  - name: report", 1))
    deliver(stage)
    stage.devops.finish(stage.devops.runs[0].id, "succeeded")
    for _ in range(3):
        stage.reconcile(minutes=10)


ALL: dict[str, Callable[[Stage], None]] = {
    story.__name__: story
    for story in (
        started,
        rejected,
        held_by_the_gate,
        parked,
        parked_for_long,
        went_on,
        unreadable_routes,
        mended,
        refused,
        expired,
        unreadable,
        doubled,
        waited_in_vain,
        awaited_in_vain,
        came_in_time,
        held_for_too_long,
        told_in_vain,
        went_on_by_an_end,
    )
} | {"near": ends_in(9), "far": ends_in(200)}
