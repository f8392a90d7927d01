"""Whatever dies between any two requests to the ledger: what goes on by an end goes on, once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from functions.core.operators.replaying import Replaying
from functions.core.rounds import bounds
from functions.core.rounds.watch import By
from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.words import Ending
from local.devops.pipelines.defined import RunRequest
from tests.flow.asking import EXPERIMENT
from tests.flow.following.after import ANNOUNCE, CHAIN, DEPLOY, asked, ended, sequel, set_up
from tests.flow.following.ends import how, started
from tests.flow.following.test_breaking import dies_in_a_round, mortal
from tests.flow.following.test_versions import write
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.fixture(name="stage")
def with_a_sequel(stage: Stage) -> Stage:
    return set_up(stage)


def test_a_process_that_dies_around_an_end_neither_loses_nor_repeats_what_goes_on(
    stage: Stage,
) -> None:
    n, dies = 0, True
    while dies:
        run = f"r{n}"
        build = started(stage, run)[-1]
        stage.devops.finish(build, "succeeded")
        dies = dies_in_a_round(stage, n, minutes=2)
        for _ in range(4):
            stage.reconcile(minutes=3)
        assert asked(stage, run) == [42, DEPLOY], n
        stage.devops.finish(stage.devops.runs[-1].id, "succeeded")
        for _ in range(3):
            stage.reconcile(minutes=3)
        n += 1
    assert n > 12


OTHER = CHAIN.replace("succeeded:\n        start:", "canceled:\n        start:", 1)
UNFOLLOWED = ROUTES.replace("name: register", "name: register\n    follow: false")


@pytest.mark.parametrize("other", [OTHER, UNFOLLOWED], ids=["canceled", "follow"])
def test_a_file_that_changes_between_the_end_and_what_goes_on_changes_nothing(
    stage: Stage, other: str
) -> None:
    build = started(stage)[0]
    stage.devops.finish(build, "succeeded")
    rows = mortal(stage)
    frozen: list[str] = []

    def dies_after_the_truth(kind: str, *_: object) -> None:
        if kind == "replace":
            frozen.append(kind)
        elif frozen:
            raise SystemExit

    rows.before = dies_after_the_truth
    with pytest.raises(SystemExit):
        stage.reconcile(minutes=2)
    assert (how(stage), stage.only("r1").then) == ("succeeded", "register.succeeded")
    stage.routes(other)
    stage.deploy()
    for _ in range(3):
        stage.reconcile(minutes=3)
    claimed = sequel(stage, "register.succeeded")
    assert (claimed.state, claimed.reason) == ("open", "route_removed")  # told, not forgotten
    stage.routes(CHAIN)
    stage.deploy()
    for _ in range(3):
        stage.reconcile(hours=1)
    assert asked(stage) == [42, DEPLOY]


def test_who_stood_still_over_an_end_starts_nothing(stage: Stage) -> None:
    (build,) = started(stage)
    rows = mortal(stage)
    stage.devops.finish(build, "succeeded")
    frozen: list[str] = []

    def another_goes_on(kind: str, *_: object) -> None:
        if kind == "insert" and not frozen:
            frozen.append(kind)
            own = stage.app
            stage.build()
            for _round in range(4):
                stage.reconcile(minutes=3)
            stage.app = own

    rows.before = another_goes_on
    stage.reconcile(minutes=2)
    for _ in range(3):
        stage.reconcile(minutes=3)
    assert (frozen, asked(stage)) == (["insert"], [42, DEPLOY])


@pytest.mark.parametrize("replayed", [False, True])
def test_an_instance_with_an_older_file_leaves_the_end_to_the_newer_one(
    stage: Stage, *, replayed: bool
) -> None:
    """What was replayed names no file."""
    stage.routes(ROUTES)
    stage.deploy()
    stage.reconcile()
    older = stage.app
    stage.routes(CHAIN)
    stage.deploy()
    stage.reconcile()
    newer = stage.app
    if replayed:
        stage.devops.server.faults.add(says(400, WRONG))
        stage.aml.add_run("r1", experiment=EXPERIMENT)
        stage.deliver(completed("r1"))
        assert Replaying(stage.ledger, stage.clock, "ada").replay(stage.only("r1").key).done
        stage.reconcile()
        stage.reconcile(seconds=1)
    (build,) = [b.id for b in stage.devops.runs] if replayed else started(stage)
    stage.devops.finish(build, "succeeded")
    stage.app = older
    stage.routes(ROUTES)
    stage.reconcile(minutes=2)
    assert how(stage) == ""
    stage.routes(CHAIN)
    stage.app = newer
    for _ in range(4):
        stage.reconcile(minutes=1)
    assert asked(stage) == [42, DEPLOY]


def test_an_end_that_an_older_version_told_goes_on_within_the_hour(stage: Stage) -> None:
    ended(stage, "canceled")
    end = stage.only("r1").ended
    assert end is not None
    write(stage, ended=PipelineEnd(how=Ending.SUCCEEDED, at=end.at), then=None)
    stage.reconcile(minutes=61)
    stage.reconcile(minutes=1)
    assert asked(stage) == [42, DEPLOY]
    stage.reconcile(minutes=61)
    assert (stage.of_run("r1")["register"].then, len(stage.devops.runs)) == (
        "register.succeeded",
        2,
    )


def test_an_end_of_before_the_route_wanted_it_starts_nothing(stage: Stage) -> None:
    stage.routes(ROUTES)
    stage.deploy()
    ended(stage, "succeeded")
    write(stage, then=None)  # as an older version has it
    stage.routes(CHAIN)
    stage.deploy()
    for _ in range(3):
        stage.reconcile(minutes=61)
    assert asked(stage) == [42]


def test_an_operators_round_with_another_file_tells_no_end(stage: Stage) -> None:
    (build,) = started(stage)
    stage.devops.finish(build, "succeeded")
    stage.routes(ROUTES)
    stage.deploy()
    stage.clock.forward(minutes=30)
    stage.app.reconciler.round(bounds.whole(stage.clock), By.OPERATOR)
    assert how(stage) == ""
    stage.routes(CHAIN)
    stage.deploy()
    stage.clock.forward(minutes=30)
    stage.app.reconciler.round(bounds.whole(stage.clock), By.OPERATOR)
    stage.reconcile(minutes=1)
    assert asked(stage) == [42, DEPLOY]


def test_the_end_of_the_right_pipeline_run_decides_anew(stage: Stage) -> None:
    """As where an operator had named another one: each kind of end goes on once."""
    ended(stage, "failed")
    first = sequel(stage, "register")
    assert (first.then, asked(stage)) == ("register.failed", [42, ANNOUNCE])
    by_hand = RunRequest(template_parameters={"run_id": "r1"})
    right = stage.devops.queue(stage.devops.runs[0].pipeline, by_hand).id
    stage.devops.finish(right, "succeeded")
    entry = stage.ledger.read(first.key)
    assert entry is not None
    corrected = replace(entry.continuation, pipeline_run=right, ended=None, then=None)
    stage.ledger.write(entry, corrected)
    stage.ledger.schedule(corrected)
    for _ in range(5):
        stage.reconcile(minutes=3)
    assert sequel(stage, "register").then == "register.succeeded"
    assert asked(stage) == [42, ANNOUNCE, 42, DEPLOY]


def test_what_goes_on_costs_two_requests_and_an_end_by_which_nothing_does_none(
    stage: Stage,
) -> None:
    costs: list[Counter[str]] = []
    for run, result in (("r1", "canceled"), ("r2", "canceled"), ("r3", "succeeded")):
        build = started(stage, run)[-1]
        stage.devops.finish(build, "succeeded" if result == "succeeded" else "canceled")
        rows = mortal(stage)
        stage.reconcile(minutes=2)
        costs.append(Counter(rows.calls))
        for _ in range(4):
            stage.reconcile(minutes=3)
        for left in stage.devops.runs:
            if left.result is None:
                stage.devops.finish(left.id, "canceled")
        for _ in range(4):
            stage.reconcile(minutes=10)
    first, second, third = costs
    assert first == second
    assert third - second == Counter({"insert": 1, "put": 1})
