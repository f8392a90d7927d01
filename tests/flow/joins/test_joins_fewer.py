"""A join that is held for runs which its route asks for no more goes on without any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.following.test_breaking import dies_in_a_round
from tests.flow.joins.several import ROUTES, A, B, joining, joint, sent, set_up, told, trained
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


def held(stage: Stage, batch: str = "b7", *, of: str = "r", second: str = "Completed") -> None:
    """Two of three have ended when the time is over."""
    trained(stage, f"{of}1", A, batch=batch)
    trained(stage, f"{of}2", B, second, batch=batch)
    stage.reconcile(hours=13)
    stage.reconcile(seconds=121)
    assert (joint(stage, batch).state, joint(stage, batch).reason) == (
        State.HELD,
        Reason.INCOMPLETE,
    )


def rounds(stage: Stage, count: int = 3) -> None:
    for _ in range(count):
        stage.reconcile(minutes=1)


@pytest.mark.parametrize("begins_anew", [True, False])
def test_what_is_held_goes_on_where_the_file_asks_for_those_that_are_there(
    stage: Stage, *, begins_anew: bool
) -> None:
    held(stage)
    stage.routes(FEWER)
    if begins_anew:
        stage.deploy()
    rounds(stage)
    assert sent(stage) == [told(runs=("r1", "r2"))]
    rounds(stage)
    assert len(sent(stage)) == 1
    steps = [(step.what, step.detail) for step in joint(stage).history]
    after = steps[[what for what, _ in steps].index("held") + 1]
    assert after == ("parked", "incomplete the route asks for others by now")


def test_what_is_held_a_moment_before_lists_say_so_goes_on_as_well(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.reconcile(hours=13)
    stage.routes(FEWER)
    rounds(stage)
    assert sent(stage) == [told(runs=("r1", "r2"))]


def test_what_lacks_others_by_the_new_file_too_is_held_still(stage: Stage) -> None:
    held(stage)
    held(stage, "b8", of="s", second="Failed")
    stage.routes(joining(all_of=[A, "train-d"]))
    rounds(stage)
    assert (joint(stage).state, sent(stage)) == (State.HELD, [])
    stage.routes(FEWER)
    rounds(stage)
    assert joint(stage, "b8").state is State.HELD
    assert sent(stage) == [told(runs=("r1", "r2"))]


def test_what_is_held_for_longer_than_a_week_is_left_to_a_person(stage: Stage) -> None:
    held(stage)
    stage.reconcile(days=8)
    stage.routes(FEWER)
    rounds(stage)
    assert (joint(stage).state, sent(stage)) == (State.HELD, [])


def test_an_older_file_beside_a_newer_one_lets_none_go_on_that_is_held(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, FEWER, ROUTES)
    set_up(new)
    new.reconcile()
    held(new)
    later = f"# later\n{ROUTES}"
    new.routes(later)
    new.deploy()
    new.reconcile()  # met now, so that the older one gives way
    for _ in range(2):
        old.reconcile(minutes=1)
        new.reconcile(minutes=1)
    assert (joint(new).state, sent(new)) == (State.HELD, [])


def test_a_process_that_dies_while_it_looks_leaves_what_is_held_to_the_next(stage: Stage) -> None:
    n, dies = 0, True
    while dies:
        stage.routes(f"# {n}\n{ROUTES}")
        stage.deploy()
        rounds(stage)
        held(stage, f"b{n}", of=f"r{n}.")
        stage.routes(f"# {n}\n{FEWER}")
        stage.devops.clock_skew = stage.clock.moved.total_seconds()
        dies = dies_in_a_round(stage, n, minutes=1)
        for _ in range(4):
            stage.reconcile(minutes=3)
        assert f"b{n}" in {one["run_id"] for one in sent(stage)}, n
        n += 1
    assert n > 12
    assert len(sent(stage)) == n


def test_what_was_looked_at_by_a_file_that_is_gone_is_looked_at_by_the_next_one(
    stage: Stage,
) -> None:
    """A round had time for one of two; then the file changed once more."""
    for batch in ("b7", "b8"):
        trained(stage, f"{batch}1", A, batch=batch)
        trained(stage, f"{batch}2", B, batch=batch)
    rounds(stage)

    class Slow(Wrapped):
        """Takes all the time of a look for the first that it reads of those that wait."""

        def waiting_on(self, name: str, limit: int) -> Any:
            for key in self.real.waiting_on(name, limit):
                yield key
                if name == "join/compare":
                    stage.clock.forward(seconds=20)

    stage.build(ledger=Slow(stage.ports.ledger))
    stage.routes(joining(all_of=[A, B, "train-d"]))
    stage.app.reconciler.reconcile()
    stage.routes(FEWER)
    for _ in range(4):
        stage.app.reconciler.reconcile()
    rounds(stage)
    assert {one["run_id"] for one in sent(stage)} == {"b7", "b8"}
