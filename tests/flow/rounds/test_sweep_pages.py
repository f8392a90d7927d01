"""A workspace in which more ends than one sweep reads: the next ones go on from there."""

from __future__ import annotations

import json
import logging
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.aml.answers import parse
from functions.adapters.aml.finished.ended import EndedRuns
from functions.core.memory.visits import VISITS
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, lines, settled, sweep
from tests.flow.rounds.test_sweep_lost import searching
from tests.flow.rounds.test_sweep_whole import slow_searches

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

A_PAGE, PAGES = 2, 6
A_SWEEP = PAGES * A_PAGE
DOES_NOT = {"status": 400, "body": json.dumps({"error_code": "INVALID_PARAMETER_VALUE"}).encode()}


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Stage:
    """An app that has been there for two days, and reads few pages of few runs in one go."""
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.clock.forward(minutes=1)
    runs: Any = stage.ports.runs
    runs._ended = EndedRuns(runs._workspaces, parse, PAGES)  # noqa: SLF001
    searching(stage, paged)
    caplog.clear()
    caplog.set_level(logging.INFO)
    return stage


def paged(body: Any, ask: Any) -> Any:
    return ask(body={**body, "max_results": min(A_PAGE, body["max_results"])})


def steps(stage: Stage, count: int, ago: timedelta, within: timedelta, name: str = "step") -> None:
    """So many child runs, which no route wants, end one after the other, the last so long ago."""
    for n in range(count):
        end(stage, f"{name}-{n}", ago + within * n / count, parent="root")


def told(caplog: pytest.LogCaptureFixture) -> str:
    return lines(caplog, "sweep")[-1]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def more_than_a_sweep_reads(stage: Stage) -> None:
    """One run that a route wants, and after it more than two sweeps read."""
    stage.clock.forward(hours=9)
    end(stage, "first", hours(8))
    steps(stage, 2 * A_SWEEP + 6, hours(0), hours(7))


def test_what_one_sweep_does_not_read_is_started_by_a_later_one(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    more_than_a_sweep_reads(stage)
    said = []
    for _ in range(4):
        sweep(stage, minutes=1)
        said.append(("complete=yes" in told(caplog), stage.started() != []))
    assert said == [(False, False), (False, False), (True, True), (True, True)]
    assert stage.started() == [(42, "first")]
    assert " complete=no lacking=pages back_to=" in lines(caplog, "sweep")[0]


def test_the_window_is_looked_at_again_though_no_sweep_reads_it_whole(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for hour in range(0, 26, 2):
        sweep(stage, hours=2)
        steps(stage, A_SWEEP // 2, hours(0), hours(1.9), f"at-{hour}")
    said = lines(caplog, "sweep")
    assert all("complete=yes" in line for line in said)
    assert any("back_to=" in line for line in said)  # where it goes on the next time
    end(stage, "late", hours(20))  # AML shows it only now
    for _ in range(14):
        sweep(stage)
        assert "complete=yes" in told(caplog)
    assert stage.started() == [(42, "late")]


def slow_looks(stage: Stage, takes: float) -> None:
    """Each look whether a run is known takes so many seconds of the app's clock."""
    real = stage.ledger.of_run

    def of_run(*given: Any) -> Any:
        stage.clock.forward(seconds=takes)
        return real(*given)

    vars(stage.ledger)["of_run"] = of_run


def test_what_there_is_no_time_to_look_at_again_is_looked_at_by_the_next_sweeps(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for hour in range(12):
        end(stage, f"at-{hour}")
        sweep(stage)
        stage.clock.forward(hours=1)
    slow_looks(stage, 30)
    end(stage, "late", hours(5.5))
    for _ in range(4):
        sweep(stage, minutes=1)
    assert " left=0 " not in "".join(lines(caplog, "sweep")[12:14])
    assert (42, "late") in stage.started()


def test_what_was_canceled_in_the_queue_is_found_by_its_start(stage: Stage) -> None:
    stage.clock.forward(hours=9)
    end(stage, "queued", hours(8), status="Canceled")
    stage.aml._runs["queued"].end_time = None  # noqa: SLF001
    steps(stage, 3 * A_SWEEP, hours(0), hours(7))
    for _ in range(12):
        sweep(stage, minutes=1)
    assert stage.started() == [(43, "queued")]


def in_seconds(body: Any, ask: Any) -> Any:
    """AML as its page's example has it: the filter's times are whole seconds."""
    name, operator, value = body.get("filter", "a b '0'").split(" ")
    scaled = f"{name} {operator} '{int(value.strip(chr(39))) * 1000}'"
    return paged({**body, **({"filter": scaled} if "filter" in body else {})}, ask)


def test_a_filter_may_count_in_seconds(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    searching(stage, in_seconds)
    more_than_a_sweep_reads(stage)
    for _ in range(3):
        sweep(stage, minutes=1)
    assert stage.started() == [(42, "first")]
    assert "complete=yes" in told(caplog)


def refuses(body: Any, ask: Any) -> Any:
    return ask()._replace(**DOES_NOT) if "filter" in body else paged(body, ask)


def ignores(body: Any, ask: Any) -> Any:
    return paged({k: v for k, v in body.items() if k != "filter"}, ask)


def finds_nothing(body: Any, ask: Any) -> Any:
    return ask()._replace(body=b"{}") if "filter" in body else paged(body, ask)


@pytest.mark.parametrize("server", [refuses, ignores, finds_nothing])
def test_a_filter_that_does_not_find_what_was_read_is_not_believed(
    stage: Stage, caplog: pytest.LogCaptureFixture, server: Any
) -> None:
    searching(stage, server)
    stage.clock.forward(hours=9)
    end(stage, "first", hours(8))
    end(stage, "last")
    steps(stage, 3 * A_SWEEP, hours(0.1), hours(7))
    for _ in range(3):
        sweep(stage, minutes=1)
        assert "complete=no" in told(caplog)
    assert ' lacking="a filter by time, pages" ' in told(caplog)
    assert stage.started() == [(42, "last")]


def test_a_sweep_that_reads_all_remembers_no_more_than_before(stage: Stage) -> None:
    steps(stage, A_SWEEP - A_PAGE, hours(0), hours(5))
    sweep(stage, hours=1)
    (visit,) = stage.ledger.shared(VISITS).value["workspaces"].values()
    assert set(visit) == {"since", "seen"}


@pytest.mark.parametrize("seed", [1, 20261130])
def test_complete_is_said_only_where_all_that_had_ended_is_started(
    stage: Stage, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    lost: list[str] = []
    for hour in range(9):
        for n in range(chance.choice((0, 1, 2))):
            lost.append(f"lost-{hour}-{n}")
            end(stage, lost[-1], hours(chance.uniform(0, 0.95)))
        steps(stage, chance.choice((1, 4, 2 * A_SWEEP)), hours(0), hours(0.95), f"at-{hour}")
        sweep(stage)
        started = [run for _, run in stage.started()]
        assert len(started) == len(set(started)), f"seed {seed}"
        if "complete=yes" in told(caplog):
            assert {*started} == {*lost}, f"seed {seed}"
        stage.clock.forward(hours=1)
    while "complete=no" in told(caplog):
        sweep(stage, minutes=2)
    assert {run for _, run in stage.started()} == {*lost}, f"seed {seed}"


def test_where_the_time_does_not_suffice_the_next_sweep_goes_on_as_well(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    more_than_a_sweep_reads(stage)
    slow_searches(stage, 9)
    sweep(stage, minutes=1)
    assert " complete=no lacking=pages back_to=" in told(caplog)
    for _ in range(11):
        sweep(stage, minutes=1)
    assert stage.started() == [(42, "first")]
    assert "complete=yes" in told(caplog)


def test_what_was_in_the_window_by_its_start_is_found_however_many_sweeps_that_takes(
    stage: Stage,
) -> None:
    """All ends are read by each sweep, but not all that may say no end."""
    stage.clock.forward(hours=24)
    steps(stage, 3 * A_PAGE, hours(30), hours(4), "before")
    steps(stage, 4 * A_PAGE, hours(0), hours(24))
    end(stage, "queued", hours(25.2), status="Canceled")
    stage.aml._runs["queued"].end_time = None  # noqa: SLF001
    for _ in range(9):
        sweep(stage)
        stage.clock.forward(hours=1)
    assert stage.started() == [(43, "queued")]


def test_an_experiment_that_cannot_be_read_keeps_no_other_from_being_read_further(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    more_than_a_sweep_reads(stage)
    end(stage, "elsewhere", hours(6), experiment="defect-other")
    other = stage.aml._runs["elsewhere"].experiment_id  # noqa: SLF001

    def broken(body: Any, ask: Any) -> Any:
        if is_broken and other in body["experiment_ids"]:
            return ask()._replace(status=400, body=b"{}")
        return paged(body, ask)

    is_broken = True
    searching(stage, broken)
    for _ in range(5):
        sweep(stage, minutes=1)
        assert "complete=no" in told(caplog)
    assert stage.started() == [(42, "first")]
    is_broken = False
    while "complete=no" in told(caplog):
        sweep(stage, minutes=1)
    assert stage.started() == [(42, "first"), (42, "elsewhere")]
