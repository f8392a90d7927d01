"""Hosts are killed and frozen while runs are joined: it goes on once, and with all of them.

On a ledger in a file: what a store must do for it is tried on each in tests/ledger.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.words import State
from tests.crash.points import Joining, Later, Point
from tests.crash.theatre import (
    FREEZE,
    KILL,
    SHORT,
    cut,
    dead,
    playing,
    reconcile,
    told,
    until,
    wake,
)
from tests.flow.joins.several import (
    A,
    B,
    C,
    add,
    event,
    joining,
    joint,
    sent,
    set_up,
    stands,
)
from tests.soak.team import AFTER_ALL
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.cloud import Cloud
    from tests.crash.points import Anywhere
    from tests.crash.theatre import Theatre
    from tests.stage.hosted import Hosted

THOSE = {"r1": A, "r2": B, "r3": C}
OF_A_MEMBER = [Point.CLAIMED, Point.READ, *Joining]
OF_A_MEMBER.remove(Joining.RESUMED)
FIRST = [("r1", point) for point in OF_A_MEMBER]
LAST = [("r3", point) for point in OF_A_MEMBER if point is not Joining.BEGUN]
OF_A_ROUND = [
    Joining.RESUMED,
    Point.SECRET,
    Point.ASKED,
    Point.SENT,
    Point.ANSWERED,
    Point.SETTLED,
    Later.FOLLOWED,
]
MEMBERS = pytest.mark.parametrize(("run", "point"), FIRST + LAST)
ROUNDS = pytest.mark.parametrize("point", OF_A_ROUND)


@pytest.fixture
def theatre(cloud: Cloud, tmp_path: Path) -> Iterator[Theatre]:
    stage = set_up(Stage(cloud, tmp_path, **SHORT))
    for run, experiment in THOSE.items():
        add(stage, run, experiment)
    with playing(stage, tmp_path) as made:
        yield made


def tell(theatre: Theatre, *runs: str) -> None:
    for run in runs:
        theatre.stage.deliver(event(run, THOSE[run]))


def until_it_went_on(theatre: Theatre, host: Hosted) -> None:
    """Let this host do rounds until the joint one was started, and nothing is open."""
    stage = theatre.stage

    def is_over() -> bool:
        host.fire("reconcile")
        return bool(sent(stage)) and not stage.ledger.backlog(AFTER_ALL).open

    until(is_over)


def assert_went_on_once(theatre: Theatre, missing: tuple[str, ...] = ()) -> None:
    """With all, but for those that came when nobody could be taken in any more."""
    stage = theatre.stage
    (one,) = sent(stage)
    there = sorted(THOSE.keys() - {*missing})
    assert sorted(json.loads(one["runs"])) == there
    assert (one["failed"], one["missing"]) == ("[]", str(len(missing)))
    assert stands(stage, *there) == ["skipped: joined"] * len(there)
    assert stands(stage, *missing) == ["skipped: not_joined"] * len(missing)
    (build,), c = stage.devops.runs, joint(stage)
    assert (c.state, c.pipeline_run, c.duplicates) == (State.STARTED, build.id, ())


@MEMBERS
def test_a_host_that_is_killed_at_a_member_neither_loses_it_nor_starts_twice(
    theatre: Theatre, run: str, point: Anywhere
) -> None:
    before, after = ([], ["r2", "r3"]) if run == "r1" else (["r1", "r2"], [])
    tell(theatre, *before)
    dead(*cut(theatre, point, KILL, told(**event(run, THOSE[run]))))
    tell(theatre, run, *after)  # who delivers it had no answer, and does so again
    until_it_went_on(theatre, theatre.host())
    assert_went_on_once(theatre)


@pytest.mark.proof
@MEMBERS
def test_a_host_that_was_frozen_at_a_member_wakes_up_to_a_join_that_went_on(
    theatre: Theatre, run: str, point: Anywhere
) -> None:
    before, after = ([], ["r2", "r3"]) if run == "r1" else (["r1", "r2"], [])
    tell(theatre, *before)
    frozen = cut(theatre, point, FREEZE, told(**event(run, THOSE[run])))
    tell(theatre, run, *after)
    second = theatre.host()
    until_it_went_on(theatre, second)
    wake(*frozen)
    assert_went_on_once(theatre)
    until_it_went_on(theatre, second)
    assert_went_on_once(theatre)


@ROUNDS
def test_a_host_that_is_killed_in_the_round_that_goes_on_neither_loses_nor_repeats_it(
    theatre: Theatre, point: Anywhere
) -> None:
    tell(theatre, *THOSE)
    dead(*cut(theatre, point, KILL, reconcile))
    until_it_went_on(theatre, theatre.host())
    assert_went_on_once(theatre)


@pytest.mark.proof
@ROUNDS
def test_a_host_that_was_frozen_in_that_round_starts_nothing_again(
    theatre: Theatre, point: Anywhere
) -> None:
    tell(theatre, *THOSE)
    frozen = cut(theatre, point, FREEZE, reconcile)
    until_it_went_on(theatre, theatre.host())
    theatre.stage.devops.server.faults.clear()
    wake(*frozen)
    assert_went_on_once(theatre)


@pytest.mark.parametrize(
    ("point", "missing"),
    [(Joining.RESUMED, ()), (Point.SECRET, ()), (Point.ASKED, ("r3",)), (Point.SENT, ("r3",))],
)
@pytest.mark.proof
@pytest.mark.parametrize("how", [KILL, FREEZE])
def test_one_that_comes_while_who_went_on_without_it_is_away_is_taken_in_up_to_the_mark(
    theatre: Theatre, point: Anywhere, missing: tuple[str, ...], how: str
) -> None:
    theatre.stage.routes(joining(if_one_fails="start"))
    tell(theatre, "r1", "r2")
    theatre.forward(hours=13)
    host, last = cut(theatre, point, how, reconcile)
    tell(theatre, "r3")
    until_it_went_on(theatre, theatre.host())
    theatre.stage.devops.server.faults.clear()
    if how == FREEZE:
        wake(host, last)
    assert_went_on_once(theatre, missing)
