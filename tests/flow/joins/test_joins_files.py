"""Two files at once ask a join for other runs: what the newer one has claimed goes by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.joins.several import (
    ROUTES,
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
    told,
    trained,
)
from tests.flow.limits.test_two_versions import versions

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

FEWER = joining(all_of=[A, B])


@pytest.fixture(name="both")
def of_two_files(cloud: Cloud, tmp_path: Path) -> tuple[Stage, Stage]:
    """The older one asks for two, the newer one, which was met a moment ago, for three."""
    old, new = versions(cloud, tmp_path, FEWER, ROUTES)
    set_up(new)
    new.reconcile()
    return old, new


def starts_with_all_three(old: Stage, new: Stage) -> None:
    """The older one, to which it is whole, leaves it; the newer one starts it with the third."""
    for _ in range(3):
        old.reconcile(seconds=61)
    assert (sent(new), joint(new).state) == ([], State.OPEN)
    for _ in range(2):
        new.reconcile(seconds=61)
    trained(new, "r3", C)
    for _ in range(2):
        new.reconcile(seconds=1)
    assert sent(new) == [told(runs=("r1", "r2", "r3"))]


def test_an_older_one_starts_nothing_without_the_run_that_the_newer_one_waits_for(
    both: tuple[Stage, Stage],
) -> None:
    old, new = both
    trained(new, "r1", A)
    trained(new, "r2", B)
    trained(old, "r4", A)  # by which it sees that all are there that it asks for
    starts_with_all_three(old, new)


def test_an_older_one_turns_no_run_away_that_the_newer_one_joins(
    both: tuple[Stage, Stage],
) -> None:
    old, new = both
    add(new, "r3", C, "Running")
    new.deliver(event("r3", C))
    assert new.only("r3").reason is Reason.NOT_FINAL
    add(new, "r3", C)
    old.reconcile(minutes=1)
    assert new.only("r3").state is State.OPEN
    trained(new, "r1", A)
    trained(new, "r2", B)
    for _ in range(3):
        new.reconcile(minutes=1)
    assert sent(new) == [told(runs=("r1", "r2", "r3"))]
    assert stands(new, "r3") == ["skipped: joined"]


def test_what_it_leaves_for_minutes_is_waited_for_where_the_time_ends_meanwhile(
    cloud: Cloud, tmp_path: Path
) -> None:
    newer = joining(if_one_fails="fail").replace("within: 12h", "within: 2m")
    old, new = versions(cloud, tmp_path, FEWER, newer)
    set_up(new, newer)
    new.reconcile()
    trained(new, "r1", A)
    trained(new, "r2", B)
    add(new, "r3", C, "Running")
    new.deliver(event("r3", C))
    add(new, "r3", C)
    old.reconcile(seconds=90)
    new.reconcile(seconds=35)
    for _ in range(4):
        new.reconcile(minutes=16)
    assert sent(new) == [told(runs=("r1", "r2", "r3"))]


def test_a_newer_one_goes_on_with_what_the_older_one_began_at_once(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, FEWER)
    set_up(new, FEWER)
    trained(old, "r1", A)
    new.reconcile(seconds=1)
    trained(new, "r2", B)
    new.reconcile(seconds=1)
    assert sent(new) == [told(runs=("r1", "r2"))]


def test_an_older_one_holds_nothing_again_that_the_newer_one_lets_go_on(
    cloud: Cloud, tmp_path: Path
) -> None:
    """It began that join itself; the newer one looks at what is held once, and then no more."""
    old, new = versions(cloud, tmp_path, ROUTES, FEWER)
    set_up(new, FEWER)
    trained(old, "r1", A)
    trained(old, "r2", B)
    old.reconcile(hours=13)
    assert joint(old).state is State.HELD
    new.reconcile(seconds=61)
    old.reconcile(seconds=20)
    for _ in range(3):
        new.reconcile(seconds=61)
    assert sent(new) == [told(runs=("r1", "r2"))]


def test_an_older_one_lets_none_wait_that_it_began_and_that_is_whole_by_the_newer_one(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, FEWER)
    set_up(new, FEWER)
    trained(old, "r1", A)
    new.reconcile(seconds=61)
    trained(new, "r2", B)
    old.reconcile(seconds=20)
    for _ in range(3):
        new.reconcile(seconds=61)
    assert sent(new) == [told(runs=("r1", "r2"))]


def test_an_older_one_starts_none_that_it_began_without_the_run_that_the_newer_one_waits_for(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, FEWER, ROUTES)
    set_up(new)
    trained(old, "r1", A)
    new.reconcile(seconds=61)
    trained(old, "r2", B)
    starts_with_all_three(old, new)


def test_so_it_is_of_the_first_second_on_in_which_the_newer_one_is_met(
    cloud: Cloud, tmp_path: Path
) -> None:
    """An instance asks once a minute which file is the newer; of a join it asks each time."""
    old, new = versions(cloud, tmp_path, FEWER, ROUTES)
    set_up(new)
    trained(old, "s1", A, batch="b8")
    trained(old, "s2", B, batch="b8")
    old.reconcile(seconds=1)
    assert sent(old) == [told("b8", runs=("s1", "s2"))]
    trained(old, "r1", A)
    new.reconcile(seconds=10)
    trained(old, "r2", B)
    old.reconcile(seconds=10)
    assert (len(sent(old)), joint(old).state) == (1, State.OPEN)
