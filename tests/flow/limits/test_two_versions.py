"""Two versions of the app at once whose route files differ in a limit or a group; a line waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.memory import file_order
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.limits import groups
from tests.flow.limits.groups import trained
from tests.flow.limits.test_lines import next_hour
from tests.flow.limits.test_places import ONE, deliver, started
from tests.stage.azure import ROUTES, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

GONE = ROUTES.replace("name: register", "name: other")
RUNS = [f"r{number}" for number in range(9)]


def versions(cloud: Cloud, tmp_path: Path, older: str, newer: str) -> tuple[Stage, Stage]:
    """The older one's file was met first."""
    found = []
    for name, text in (("older", older), ("newer", newer)):
        (tmp_path / name).mkdir(exist_ok=True)
        ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
        stage = Stage(cloud, tmp_path / name, LEDGER_URL=ledger)
        stage.routes(text)
        found.append(stage)
    old, new = found
    new.clock = old.clock
    new.deploy()
    old.mid_hour()
    old.reconcile()
    return old, new


def rounds(*stages: Stage, times: int = 4) -> None:
    for _ in range(times):
        for stage in stages:
            stage.reconcile(seconds=31)


def test_a_limit_that_is_lowered_while_a_line_waits(cloud: Cloud, tmp_path: Path) -> None:
    old, new = versions(cloud, tmp_path, ONE.replace("1/h", "4/h"), ONE.replace("1/h", "2/h"))
    deliver(old, *RUNS)
    assert started(old) == RUNS[:4]
    rounds(new, old)
    assert started(old) == RUNS[:4]
    for so_far in (6, 8, 9):
        next_hour(new)
        rounds(new)
        assert sorted(started(old)) == RUNS[:so_far]


def test_while_both_run_no_more_start_than_the_larger_one_allows_and_each_once(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, ONE.replace("1/h", "4/h"), ONE.replace("1/h", "2/h"))
    deliver(old, *RUNS)
    next_hour(new)
    rounds(new, old)
    assert sorted(started(old)) == RUNS[:8]
    assert {old.only(run).reason for run in RUNS[8:]} == {Reason.LIMIT}


def test_a_file_from_before_the_limit_lets_nobody_go_who_waits_for_it(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, ONE.replace("1/h", "4/h"))
    new.reconcile()
    deliver(new, *RUNS)
    rounds(old, times=6)
    assert started(new) == RUNS[:4]


@pytest.mark.parametrize("one_is", [ROUTES, GONE])
def test_a_version_without_the_limit_or_the_route_ends_nothing_of_what_waits(
    cloud: Cloud, tmp_path: Path, one_is: str
) -> None:
    """It does not call, or puts off, what the other one has in its line."""
    old, new = versions(cloud, tmp_path, one_is, ONE.replace("1/h", "4/h"))
    deliver(new, *RUNS)
    rounds(old, new, times=3)
    for _ in range(3):
        next_hour(new)
        rounds(new)
    found = [new.of_run(run)["register"] for run in RUNS]
    assert {c.state for c in found} == {State.STARTED}
    assert sorted(started(new)) == RUNS


GROUPED = ["a", "b", "c", "d"]


def test_a_file_from_before_the_group_lets_nobody_go_who_waits_for_it(
    cloud: Cloud, tmp_path: Path
) -> None:
    """Its instance still has the timer, and ends these minutes."""
    old, new = versions(cloud, tmp_path, ROUTES, groups.ONE)
    new.reconcile()
    trained(new, *GROUPED)
    rounds(old, times=6)
    assert started(new) == ["a"]
    groups.finish(new, "a")
    rounds(new, old)
    assert len(started(new)) == 2


def test_so_it_is_before_anybody_has_met_the_newer_file(cloud: Cloud, tmp_path: Path) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, groups.ONE)
    trained(new, *GROUPED)
    rounds(old, times=6)
    assert started(new) == ["a"]


def test_nor_does_it_try_one_that_is_looked_after_while_it_waits(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, groups.ONE)
    trained(new, *GROUPED)
    new.clock.forward(hours=2)
    file_order.note(new.ledger, new.ports.routes.routes().file, new.clock.now())
    old.reconcile()
    assert started(new) == ["a"]


def test_a_newer_file_without_the_group_lets_all_go_at_once(cloud: Cloud, tmp_path: Path) -> None:
    old, new = versions(cloud, tmp_path, groups.ONE, ROUTES)
    trained(old, *GROUPED)
    rounds(new, times=2)
    assert sorted(started(new)) == GROUPED


def test_an_older_file_that_is_rolled_back_to_lets_them_go_once_that_is_certain(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, groups.ONE)
    new.reconcile()
    trained(new, *GROUPED)
    old.reconcile(minutes=11)
    old.reconcile(minutes=1)
    assert sorted(started(new)) == GROUPED
