"""A deployment names the group of a route otherwise, while some wait for the one of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from tests.flow.limits.groups import GROUP, LATEST, ONE, finish, rounds, started, trained
from tests.flow.limits.test_lines import next_hour

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ALL_IN_ONE = ONE.replace(GROUP, "concurrency: {group: deploy}")
BY_MODEL = LATEST
EARLIER, LATER = "2026-11-21T19:00:00Z", "2026-11-21T20:00:00Z"


def deployed(stage: Stage, routes: str) -> None:
    stage.routes(routes)
    stage.deploy()


def limited(text: str) -> str:
    return text.replace("concurrency:", "limit: 9/h\n    concurrency:")


def test_who_is_in_another_group_by_now_is_not_superseded_by_it(stage: Stage) -> None:
    deployed(stage, ALL_IN_ONE)
    trained(stage, "a", model="x")
    trained(stage, "b", model="y", at=EARLIER)
    trained(stage, "c", model="z", at=LATER)
    stage.reconcile(minutes=1)
    assert {stage.only(run).reason for run in "bc"} == {Reason.CONCURRENCY}
    deployed(stage, BY_MODEL)
    rounds(stage, 3)
    assert sorted(started(stage)) == ["a", "b", "c"]


def test_nor_where_they_wait_for_the_limit_of_their_route(stage: Stage) -> None:
    deployed(stage, limited(ALL_IN_ONE))
    stage.mid_hour()
    stage.use_up("register", "%Y-%m-%dT%H")
    trained(stage, "b", model="y", at=EARLIER)
    trained(stage, "c", model="z", at=LATER)
    assert {stage.only(run).reason for run in "bc"} == {Reason.LIMIT}
    stage.reconcile(minutes=1)
    deployed(stage, limited(BY_MODEL))
    next_hour(stage)
    rounds(stage, 4)
    assert sorted(started(stage)) == ["b", "c"]


def test_of_one_group_by_now_only_the_latest_is_started(stage: Stage) -> None:
    """They are asked anew which group is theirs, and compared then."""
    deployed(stage, limited(ALL_IN_ONE))
    stage.mid_hour()
    stage.use_up("register", "%Y-%m-%dT%H")
    trained(stage, "b", at=EARLIER)
    trained(stage, "c", at=LATER)
    stage.reconcile(minutes=1)
    deployed(stage, limited(BY_MODEL))
    next_hour(stage)
    rounds(stage, 4)
    assert started(stage) == ["c"]
    assert stage.only("b").reason is Reason.SUPERSEDED


@pytest.mark.parametrize("text", [ONE, BY_MODEL], ids=["all", "latest"])
def test_nobody_waits_for_a_group_that_is_its_no_more_until_that_ends(
    stage: Stage, text: str
) -> None:
    deployed(stage, ALL_IN_ONE)
    trained(stage, "a", model="x")
    trained(stage, "b", model="y")
    stage.reconcile(minutes=1)
    deployed(stage, text)
    stage.reconcile(minutes=1)
    stage.reconcile(hours=2)
    rounds(stage, 2)
    assert started(stage) == ["a", "b"]  # though the pipeline run of the first one goes on


def test_who_takes_no_place_of_the_group_of_before_leaves_it_to_others(stage: Stage) -> None:
    deployed(stage, ALL_IN_ONE)
    trained(stage, "a", model="x")
    trained(stage, "b", model="y")
    trained(stage, "c", model="y")
    finish(stage, "a")
    deployed(stage, ONE)
    rounds(stage, 3)
    assert started(stage) == ["a", "b"]
    assert stage.only("c").waits_on == "group/y"
