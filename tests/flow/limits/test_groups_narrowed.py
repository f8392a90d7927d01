"""A group of which the latest is wanted, and whose route follows fewer runs than those in line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.summary import EVER
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.limits.groups import LATEST, finish, rounds, started, trained
from tests.soak.team import AFTER_ALL
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

WIDE = LATEST.replace("defect-*", "*", 1).replace(", queue: latest", "")
MANY = 120  # more than a round reads


def wide(stage: Stage) -> None:
    """The route follows every run."""
    stage.routes(WIDE)
    stage.deploy()
    stage.reconcile()


def strayed(stage: Stage, run: str) -> None:
    """A run that ends while the route follows every run."""
    stage.aml.add_run(run, experiment="other", tags={"model": "defects"})
    event = completed(run, experimentName="other", runTags={"model": "defects"})
    stage.deliver({**event, "eventTime": "2026-11-21T19:00:00Z"})


def narrowed(stage: Stage) -> None:
    """Half an hour with the route as it is mended."""
    stage.routes(LATEST)
    stage.deploy()
    for _ in range(10):
        stage.reconcile(minutes=3)


def ended_so(stage: Stage) -> int:
    """How many ended since their route does not follow them any more."""
    listed = (one for one in stage.ledger.listed(EVER, 999) if one.state is State.FAILED)
    return sum(one.reason is Reason.ROUTE_REMOVED for one in listed)


def test_more_than_a_round_reads_keep_nobody_waiting(stage: Stage) -> None:
    """Who started too much follows fewer runs by now, and wants the latest of these alone."""
    wide(stage)
    trained(stage, "a")
    for n in range(MANY):
        strayed(stage, f"r{n:03}")
    for n, run in enumerate("bc"):
        trained(stage, run, at=f"2026-11-21T20:0{n}:00Z")
    narrowed(stage)
    finish(stage, "a")
    rounds(stage, 4)
    assert (started(stage), ended_so(stage)) == (["a", "c"], MANY)
    assert stage.only("b").reason is Reason.SUPERSEDED
    assert stage.ledger.backlog(AFTER_ALL).awaited == frozenset()


def test_they_end_while_another_has_the_place_of_their_group(stage: Stage) -> None:
    wide(stage)
    trained(stage, "a")
    for n in range(3):
        strayed(stage, f"r{n}")
    trained(stage, "b", at="2026-11-21T20:00:00Z")
    narrowed(stage)
    assert ended_so(stage) == 3
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b"]
