"""Who is called from a line and not started leaves the place to the next one in the same round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.rounds import bounds, resuming
from functions.core.rounds.watch import By
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.rounds.test_succession import fleet  # noqa: F401 - a fixture
from tests.stage.azure import ONLY, completed

if TYPE_CHECKING:
    from tests.flow.rounds.test_succession import Fleet
    from tests.stage.azure import Stage

LINES = {
    "group": "concurrency: {group: one, at_most: 1, queue: all}",
    "latest": "concurrency: {group: one, at_most: 1, queue: latest}",
    "limit": "limit: 2/h",
}
MANY = 12


def lined(line: str, experiment: str = "defect-*") -> str:
    """The route file, whose only route has such a line."""
    return ONLY.replace("    start:\n", f"    {LINES[line]}\n    start:\n").replace(
        "defect-*", experiment
    )


def trained(stage: Stage, run: str, experiment: str) -> None:
    stage.aml.add_run(run, experiment=experiment)
    stage.deliver(completed(run, experimentName=experiment))


def others(stage: Stage) -> list[Reason]:
    """Why those that are open wait, of the runs that only the wider route follows."""
    found = (stage.only(f"other-{n}") for n in range(MANY))
    return [c.reason for c in found if c.state is State.OPEN]


@pytest.mark.parametrize("line", LINES)
def test_who_is_followed_waits_for_none_that_are_not(stage: Stage, line: str) -> None:
    stage.mid_hour()
    stage.routes(lined(line, "*"))
    stage.deploy()
    stage.reconcile()
    for n in range(MANY):
        trained(stage, f"other-{n}", "other")
    stage.routes(lined(line))
    stage.deploy()
    trained(stage, "r1", "defect-x")
    for _ in range(5):
        stage.reconcile(minutes=4)
    assert stage.only("r1").reason in {Reason.CONCURRENCY, Reason.LIMIT}
    for build in stage.devops.runs:
        stage.devops.finish(build.id, "succeeded")
    stage.clock.forward(minutes=30)
    for _ in range(4):
        stage.reconcile(minutes=1)
    assert stage.only("r1").state is State.STARTED
    assert others(stage) == []
    assert len(stage.devops.runs) == (3 if line == "limit" else 2)


@pytest.mark.parametrize("how", ["gate", "deleted"])
def test_who_is_to_start_waits_for_none_that_is_held(stage: Stage, how: str) -> None:
    gated = lined("group").replace("    start:\n", "    when: run.metrics.a >= 0.5\n    start:\n")
    stage.routes(gated)
    stage.deploy()
    stage.reconcile()
    for n in range(MANY):
        stage.aml.add_run(f"other-{n}", experiment="defect-x", metrics={"a": 0.6})
        stage.deliver(completed(f"other-{n}"))
    stage.aml.add_run("r1", experiment="defect-x", metrics={"a": 0.99})
    stage.deliver(completed("r1"))
    if how == "gate":
        stage.routes(gated.replace("0.5", "0.9"))
        stage.deploy()
    for n in range(1, MANY if how == "deleted" else 0):
        stage.aml.delete_run(f"other-{n}")
    stage.reconcile(minutes=20)
    (build,) = stage.devops.runs
    stage.devops.finish(build.id, "succeeded")
    for _ in range(2):
        stage.reconcile(minutes=11)
    assert stage.only("r1").state is State.STARTED
    assert (others(stage), len(stage.devops.runs)) == ([], 2)


def test_so_many_are_called_from_a_line_in_a_round(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "MOST_CALLS", 3)
    stage.routes(lined("group"))
    stage.deploy()
    stage.reconcile()
    for n in range(MANY):
        trained(stage, f"other-{n}", "defect-x")
    for n in range(1, MANY):
        stage.aml.delete_run(f"other-{n}")
    (build,) = stage.devops.runs
    stage.devops.finish(build.id, "succeeded")
    stage.reconcile(minutes=20)
    left = len(others(stage))
    stage.clock.forward(minutes=1)
    done = stage.app.reconciler.round(bounds.whole(stage.clock), By.TIMER)
    assert (len(others(stage)), done.looked_at, done.resumed) == (left - 3, 3, 3)


def test_an_older_file_takes_none_out_of_the_newer_ones_line(fleet: Fleet) -> None:  # noqa: F811 - the fixture
    old = fleet.start(lined("group"))
    old.reconcile()
    new = fleet.start(lined("group", "*"))
    new.reconcile(minutes=20)
    for n in range(MANY):
        trained(new, f"other-{n}", "other")
    (build,) = new.devops.runs
    new.devops.finish(build.id, "succeeded")
    new.reconcile(minutes=20)
    for build in new.devops.runs:
        new.devops.finish(build.id, "succeeded")
    waits = others(new).count(Reason.CONCURRENCY)
    assert waits >= MANY - 3
    for _ in range(2):
        old.reconcile(seconds=61)
    assert others(new).count(Reason.CONCURRENCY) >= waits - 2
