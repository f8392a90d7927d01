"""One route with a limit and a group: who waits for the one and who waits for the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions import threads
from functions.core.terms.reasons import Reason
from tests.flow.limits.groups import BOTH, GROUP, failed, finish, rounds, started, trained
from tests.flow.limits.test_groups_latest import superseded
from tests.flow.limits.test_lines import next_hour

if TYPE_CHECKING:
    from tests.stage.azure import Stage

LIMITED = BOTH.replace("name: register", "name: register\n    limit: 3/h")
LATEST = LIMITED.replace(GROUP, f"{GROUP[:-1]}, queue: latest}}")
EARLIER, LATER = "2026-11-21T19:00:00Z", "2026-11-21T20:00:00Z"


def prepared(stage: Stage, routes: str) -> None:
    """An app of which this hour's limit is used up."""
    stage.routes(routes)
    stage.deploy()
    stage.mid_hour()
    stage.use_up("register", "%Y-%m-%dT%H")


def reasons(stage: Stage, *runs: str) -> list[Reason]:
    return [stage.only(run).reason for run in runs]


def test_those_of_two_lines_do_not_wait_for_each_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where more are called than are worked at at once, who was claimed first goes on."""
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", 1)
    prepared(stage, LIMITED)
    trained(stage, "a", "b")
    failed(stage, "f")  # of a route without a limit, in the same group
    trained(stage, "c", "d")
    assert reasons(stage, *"abcd") == [Reason.LIMIT] * 2 + [Reason.CONCURRENCY] * 2
    finish(stage, "f")
    next_hour(stage)
    rounds(stage, 4)
    assert started(stage) == ["f", "a"]
    finish(stage, "a")
    rounds(stage, 4)
    assert started(stage) == ["f", "a", "b"]


@pytest.mark.parametrize("at_once", [1, 8])
@pytest.mark.parametrize("first", ["old", "new"])
def test_of_those_that_wait_in_two_lines_only_the_latest_is_started(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, first: str, at_once: int
) -> None:
    """One waits for its limit and the other for its group, until both are free."""
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", at_once)
    prepared(stage, LATEST)
    ends = {"old": EARLIER, "new": LATER}
    trained(stage, first, at=ends.pop(first))
    failed(stage, "f")
    for run, at in ends.items():
        trained(stage, run, at=at)
    assert sorted(reasons(stage, "old", "new")) == [Reason.CONCURRENCY, Reason.LIMIT]
    finish(stage, "f")
    next_hour(stage)
    rounds(stage, 3)
    told = "register/new/Completed ended later, and waits for the same place"
    assert superseded(stage) == {"old": told}
    assert started(stage) == ["f", "new"]
