"""Whatever dies between any two requests to the ledger: what goes on by an end goes on, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.words import Ending
from tests.flow.following.after import CHAIN, DEPLOY, asked, ended, sequel, set_up
from tests.flow.following.ends import how, started
from tests.flow.following.test_breaking import dies_in_a_round, mortal
from tests.flow.following.test_versions import write
from tests.stage.azure import ROUTES

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


def test_a_file_that_changes_between_the_end_and_what_goes_on_changes_nothing(
    stage: Stage,
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
    other = CHAIN.replace("succeeded:\n        start:", "canceled:\n        start:", 1)
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


def test_an_instance_with_an_older_file_leaves_the_end_to_the_newer_one(stage: Stage) -> None:
    stage.routes(ROUTES)
    stage.deploy()
    stage.reconcile()
    older = stage.app
    stage.routes(CHAIN)
    stage.deploy()
    stage.reconcile()
    newer = stage.app
    (build,) = started(stage)
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
