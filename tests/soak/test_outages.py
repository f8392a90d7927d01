"""A service that is away for days: deliveries are acknowledged, and all is caught up with later."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.devops import DevOpsPipelines
from functions.adapters.http.transport import Transport
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.stage.azure import as_cloud_event, changed, completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.serving.web import Server
    from tests.stage.azure import Stage

ROUND = 60  # minutes of simulated time: longer than any backoff
CATCHING_UP = 60  # rounds
ENDLESS = 10**9
NOBODY = "http://127.0.0.1:1"  # where no service can listen

Weather = Sequence[dict[str, Any]]

AWAY: Weather = ({"status": 503, "times": ENDLESS},)
CUT: Weather = ({"drop": "before", "times": ENDLESS},)
LYING: Weather = ({"method": "POST", "status": 503, "after": True, "times": ENDLESS}, *AWAY)
# A call that hangs costs the app's whole patience, in real time: one of each kind must do.
SILENT: Weather = ({"method": "GET", "hang": True}, *AWAY)
DEAF: Weather = ({"method": "POST", "hang": True, "after": True}, *AWAY)


def let_time_pass(stage: Stage) -> None:
    stage.clock.forward(minutes=ROUND)
    stage.devops.clock_skew = stage.clock.moved.total_seconds()  # it lives in the same time
    stage.reconcile()


def set_weather(server: Server, weather: Weather) -> None:
    server.faults.clear()
    for fault in weather:
        server.faults.add(Fault(**fault))


def deliver(stage: Stage, run: str) -> None:
    """The news of one run, twice; a delivery that raises is one that was not acknowledged."""
    stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed(run))
    stage.deliver(as_cloud_event(changed(run, "Completed")))


def go_through(stage: Stage, runs: list[str], rounds: int, change: Callable[[int], None]) -> None:
    """So many rounds, each in its own weather; the runs end within the first half."""
    untold = iter(runs)
    for number in range(rounds):
        change(number)
        for run in islice(untold, -(-2 * len(runs) // rounds)):
            deliver(stage, run)
        let_time_pass(stage)
    assert all(stage.only(run).is_open for run in runs)


def catch_up(stage: Stage, runs: list[str]) -> None:
    for _ in range(CATCHING_UP):
        if not any(stage.only(run).is_open for run in runs):
            return
        let_time_pass(stage)


def assert_each_started_once(stage: Stage, runs: list[str]) -> None:
    rows = [stage.only(run) for run in runs]
    assert {(c.state, c.duplicates) for c in rows} == {(State.STARTED, ())}
    queued = {r.template_parameters["run_id"]: r.id for r in stage.devops.runs}
    assert {c.key.run: c.pipeline_run for c in rows} == queued
    assert len(stage.devops.runs) == len(runs)


@pytest.mark.proof
def test_three_days_without_azure_devops_end_with_every_continuation_started_once(
    stage: Stage,
) -> None:
    runs = [f"run-{number}" for number in range(20)]
    unreachable = DevOpsPipelines(NOBODY, Transport(), "7.1")
    hanging = {4: SILENT, 8: DEAF}

    def change(number: int) -> None:
        stage.build(**({"pipelines": unreachable} if number % 3 == 0 else {}))
        set_weather(stage.devops.server, hanging.get(number, (AWAY, LYING, CUT)[number % 3]))

    go_through(stage, runs, 3 * 24 * 60 // ROUND, change)
    assert 0 < len(stage.devops.runs) < len(runs)
    stage.build()
    set_weather(stage.devops.server, ())
    catch_up(stage, runs)
    assert_each_started_once(stage, runs)


@pytest.mark.parametrize("name", ["vault", "aml"])
def test_half_a_day_without_key_vault_or_aml_ends_with_every_continuation_started_once(
    stage: Stage, name: str
) -> None:
    runs = [f"run-{number}" for number in range(20)]
    server: Server = getattr(stage.cloud, name).server
    hanging = {4: SILENT}

    def change(number: int) -> None:
        set_weather(server, hanging.get(number, (AWAY, CUT)[number % 2]))

    go_through(stage, runs, 12 * 60 // ROUND, change)
    assert stage.posts() == 0
    set_weather(server, ())
    catch_up(stage, runs)
    assert_each_started_once(stage, runs)
