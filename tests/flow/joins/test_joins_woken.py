"""A route asks for fewer, or for less long, while joins wait: they need no other run to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.following.test_breaking import dies_in_a_round
from tests.flow.joins.several import (
    ROUTES,
    A,
    B,
    C,
    joining,
    joint,
    key,
    sent,
    set_up,
    told,
    trained,
)
from tests.flow.limits.test_two_versions import versions
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

FEWER = joining(all_of=[A, B])


@pytest.fixture(name="stage")
def with_a_join(stage: Stage) -> Stage:
    return set_up(stage)


def two(stage: Stage, batch: str = "b7", *, of: str = "r") -> None:
    trained(stage, f"{of}1", A, batch=batch)
    trained(stage, f"{of}2", B, batch=batch)


def rounds(stage: Stage, count: int = 3) -> None:
    for _ in range(count):
        stage.reconcile(minutes=1)


@pytest.mark.parametrize("begins_anew", [True, False])
def test_fewer_that_are_all_there_go_on_with_the_next_rounds(
    stage: Stage, begins_anew: bool
) -> None:
    two(stage)
    trained(stage, "s1", A, batch="b8")
    rounds(stage)
    stage.routes(FEWER)
    if begins_anew:
        stage.deploy()
    rounds(stage)
    assert sent(stage) == [told(runs=("r1", "r2"))]
    assert joint(stage, "b8").detail == "1 of 2; waits for train-b"


def test_one_that_is_to_wait_less_long_is_decided_by_then(stage: Stage) -> None:
    two(stage)
    rounds(stage)
    stage.routes(ROUTES.replace("within: 12h", "within: 1h"))
    rounds(stage)
    assert joint(stage).state is State.OPEN
    stage.reconcile(hours=1)
    assert (joint(stage).state, joint(stage).reason) == (State.HELD, Reason.INCOMPLETE)


def test_one_that_is_to_wait_for_longer_does(stage: Stage) -> None:
    two(stage)
    stage.routes(ROUTES.replace("within: 12h", "within: 24h"))
    rounds(stage)
    stage.reconcile(hours=13)
    assert joint(stage).state is State.OPEN
    trained(stage, "r3", C)
    rounds(stage)
    assert sent(stage) == [told(runs=("r1", "r2", "r3"))]


def test_an_older_file_beside_a_newer_one_lets_none_go_on(cloud: Cloud, tmp_path: Path) -> None:
    old, new = versions(cloud, tmp_path, FEWER, ROUTES)
    set_up(new)
    new.reconcile()
    two(new)
    for _ in range(2):
        old.reconcile(minutes=1)
        new.reconcile(minutes=1)
    assert (joint(new).state, sent(new)) == (State.OPEN, [])
    trained(new, "r3", C)
    rounds(new)
    assert sent(new) == [told(runs=("r1", "r2", "r3"))]


def test_one_that_is_held_for_a_run_that_is_asked_for_no_more_goes_on_when_another_comes(
    stage: Stage,
) -> None:
    two(stage)
    stage.reconcile(hours=13)
    assert joint(stage).state is State.HELD
    stage.routes(FEWER)
    trained(stage, "r4", A)
    rounds(stage)
    assert sent(stage) == [told(runs=("r1", "r2"))]


def test_a_process_that_dies_while_it_looks_leaves_the_rest_to_the_next(stage: Stage) -> None:
    n, dies = 0, True
    while dies:
        stage.routes(f"# {n}\n{ROUTES}")
        stage.deploy()
        rounds(stage)
        two(stage, f"b{n}", of=f"r{n}.")
        two(stage, f"c{n}", of=f"s{n}.")
        stage.routes(f"# {n}\n{FEWER}")
        stage.devops.clock_skew = stage.clock.moved.total_seconds()
        dies = dies_in_a_round(stage, n, minutes=1)
        for _ in range(4):
            stage.reconcile(minutes=3)
        assert {f"b{n}", f"c{n}"} <= {one["run_id"] for one in sent(stage)}, n
        n += 1
    assert n > 12
    assert len(sent(stage)) == 2 * n


def test_who_stood_still_at_one_does_not_put_off_what_its_last_run_made_whole(
    stage: Stage,
) -> None:
    two(stage)
    rounds(stage)
    stage.routes(ROUTES.replace("within: 12h", "within: 11h"))
    between: list[str] = []

    class Beside(Wrapped):
        def schedule(self, c: Any, *since: Any) -> None:
            if c.key == key() and not between:
                between.append(c.detail)
                own = stage.app
                stage.build()
                trained(stage, "r3", C)
                stage.app = own
            self.real.schedule(c, *since)

    stage.build(ledger=Beside(stage.ports.ledger))
    rounds(stage, 1)
    stage.build()
    rounds(stage)
    assert (len(between), sent(stage)) == (1, [told(runs=("r1", "r2", "r3"))])


def test_it_is_done_once_for_each_change_and_again_where_the_ledger_failed(stage: Stage) -> None:
    two(stage)

    class Failing(Wrapped):
        def waiting_on(self, *_: Any) -> Any:
            raise LedgerUnavailable("cut")

    stage.routes(FEWER)
    stage.build(ledger=Failing(stage.ports.ledger))
    rounds(stage)
    assert sent(stage) == []
    stage.build()
    rounds(stage)
    assert sent(stage) == [told(runs=("r1", "r2"))]
    listed: list[str] = []

    class Counting(Wrapped):
        def waiting_on(self, name: str, limit: int) -> Any:
            listed.append(name)
            return self.real.waiting_on(name, limit)

    stage.build(ledger=Counting(stage.ports.ledger))
    rounds(stage)
    assert "join/compare" not in listed
