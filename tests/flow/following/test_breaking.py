"""Whatever dies between any two requests to the ledger: each end is written, and told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from functions.core.kept.summary import EVER
from functions.core.ledger.places import OPEN
from functions.core.ledger.rowledger import RowLedger
from functions.core.operators.replaying import Replaying
from functions.core.ports.ledger import Place
from tests.flow.asking import EXPERIMENT
from tests.flow.following.ends import how, lines, looks, started
from tests.ledger.counted import Counted
from tests.saying.refusals import says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


class Died(BaseException):
    """Nothing of a process runs on after this; it is no error that anybody handles."""


class Mortal(Counted):
    """Rows whose process dies before its n-th request from now."""

    def dies_before(self, n: int) -> None:
        left = iter(range(n))

        def before(*_: object) -> None:
            if next(left, None) is None:
                raise Died

        self.before = before


def mortal(stage: Stage) -> Mortal:
    """A new process of the app, over rows that count."""
    stage.deploy()
    assert isinstance(stage.ledger, RowLedger)
    rows = Mortal(stage.ledger._rows)  # noqa: SLF001 - what it asks of its store
    stage.build(ledger=rows.ledger)
    return rows


def dies_in_a_round(stage: Stage, n: int, **later: float) -> bool:
    """Whether a process that may ask the ledger so often dies of a round; if so, another comes."""
    rows = mortal(stage)
    rows.dies_before(n)
    try:
        stage.reconcile(**later)
    except Died:
        return True
    finally:
        stage.deploy()
    return False


def finish(stage: Stage) -> None:
    for build in stage.devops.runs:
        if build.result is None:
            stage.devops.finish(build.id, "failed")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_process_that_dies_while_it_tidies_up_leaves_no_start_that_nobody_follows(
    stage: Stage,
) -> None:
    n, dies = 0, True
    while dies:
        run = f"r{n}"
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
        dies = dies_in_a_round(stage, n, seconds=121)
        stage.reconcile(minutes=3)
        finish(stage)
        stage.reconcile(minutes=3)
        assert how(stage, run) == "failed", n
        n += 1
    assert n > 10


def test_a_process_that_dies_around_an_end_neither_loses_nor_changes_it(
    stage: Stage, told: pytest.LogCaptureFixture
) -> None:
    n, dies = 0, True
    while dies:
        run = f"r{n}"
        started(stage, run)
        finish(stage)
        dies = dies_in_a_round(stage, n, minutes=2)
        stage.reconcile(minutes=3)
        end = stage.only(run).ended
        stage.reconcile(minutes=10)
        assert end is not None, n
        assert stage.only(run).ended == end
        assert 1 <= sum(f" run={run} " in line for line in lines(told)) <= 2, n
        n += 1
    assert n > 10
    assert {one.ended for one in stage.ledger.listed(EVER, 99)} == {"failed"}
    before = looks(stage)
    stage.reconcile(hours=2)
    assert looks(stage) == before


def test_who_stood_still_over_an_end_writes_and_tells_nothing(
    stage: Stage, told: pytest.LogCaptureFixture
) -> None:
    (build,) = started(stage)
    rows = mortal(stage)
    stage.devops.finish(build, "failed")
    frozen: list[str] = []

    def another_goes_on(kind: str, *_: object) -> None:
        if kind == "replace" and not frozen:
            frozen.append(kind)
            own = stage.app
            stage.build()
            stage.reconcile()
            stage.app = own

    rows.before = another_goes_on
    stage.reconcile(minutes=2)
    assert (frozen, how(stage), len(lines(told))) == (["replace"], "failed", 1)


def test_who_stood_still_before_a_failure_left_the_schedule_leaves_what_was_started_since(
    stage: Stage,
) -> None:
    """An operator replayed it meanwhile. It was claimed days ago: no list of new ones has it."""
    stage.devops.server.faults.add(says(403, times=99))
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.deliver(completed("r1"))
    while stage.only("r1").is_open:
        stage.reconcile(hours=12)
    stage.devops.server.faults.clear()
    rows, frozen = mortal(stage), list[str]()

    def another_goes_on(kind: str, *given: object) -> None:
        place = given[0]
        if kind == "get" and isinstance(place, Place) and place.partition == OPEN and not frozen:
            frozen.append(kind)
            own = stage.app
            stage.build()
            Replaying(stage.ledger, stage.clock, "ada").replay(stage.only("r1").key)
            stage.reconcile()
            stage.app = own

    rows.before = another_goes_on
    stage.reconcile(minutes=3)
    assert (frozen, len(stage.devops.runs)) == (["get"], 1)
    stage.deploy()
    stage.reconcile(minutes=1)
    finish(stage)
    stage.reconcile(minutes=3)
    assert how(stage) == "failed"
