"""The route says otherwise by now than when the first members came: it goes by what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.flow.joins.several import (
    COMPARE,
    JOIN,
    ROUTES,
    SENT,
    A,
    B,
    C,
    event,
    joining,
    joint,
    key,
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

APART = ROUTES.replace(f"    join: {JOIN}\n", "").replace(SENT, "{after: always the same}")


@pytest.fixture(name="stage")
def with_a_join(stage: Stage) -> Stage:
    return set_up(stage)


def test_a_run_that_the_route_names_no_more_stands_for_none_that_it_names(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r3", C, "Failed")
    stage.routes(joining(all_of=[A, B, "train-d"]))
    trained(stage, "r2", B)
    stage.reconcile(seconds=1)
    assert (sent(stage), joint(stage).detail) == ([], "2 of 3; waits for train-d")
    assert stage.only("r2").detail == "compare/b7/Joined: 2 of 3"
    trained(stage, "r4", "train-d")
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r2", "r4"))]
    assert stands(stage, "r4") == ["skipped: joined"]


def test_an_experiment_in_another_case_is_the_same(stage: Stage) -> None:
    trained(stage, "r1", A)
    stage.routes(joining(all_of=["Train-A", B]))
    trained(stage, "r2", "train-a")
    assert stands(stage, "r2") == ["skipped: not_joined"]
    trained(stage, "r3", B)
    stage.reconcile(seconds=1)
    assert sent(stage) == [told(runs=("r1", "r3"))]


def test_a_number_that_becomes_names_counts_each_name_once(stage: Stage) -> None:
    stage.routes(joining(all_of=3))
    trained(stage, "r1", A)
    trained(stage, "r2", A)
    stage.routes(joining(all_of=[A, B, C]))
    trained(stage, "r3", B)
    stage.reconcile(seconds=1)
    assert (sent(stage), joint(stage).detail) == ([], "2 of 3; waits for train-c")
    trained(stage, "r4", C)
    stage.reconcile(seconds=1)
    assert [json.loads(one["runs"]) for one in sent(stage)] == [["r2", "r3", "r4"]]


def test_fewer_that_are_all_there_go_on_when_the_next_one_comes(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.routes(joining(all_of=[A, B]))
    trained(stage, "r3", A)
    stage.reconcile(seconds=1)
    assert stands(stage, "r3") == ["skipped: not_joined"]
    assert sent(stage) == [told(runs=("r1", "r2"))]


def test_fewer_that_are_all_there_when_the_time_is_over_lack_nobody(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B)
    stage.routes(joining(all_of=[A, B]))
    stage.reconcile(hours=13)
    assert sent(stage) == [told(runs=("r1", "r2"))]


def test_what_is_not_whole_when_its_route_joins_no_more_is_held_for_a_person(stage: Stage) -> None:
    trained(stage, "r1", A)
    trained(stage, "r2", B, "Failed")
    stage.routes(APART)
    stage.reconcile(hours=13)
    held = joint(stage)
    assert (stage.posts(), held.state, held.reason) == (0, State.HELD, Reason.INCOMPLETE)
    why = "the route joins no runs any more: 1 of this join failed, 1 are missing"
    assert held.detail == why
    assert Replaying(stage.ledger, stage.clock, "ada").replay(key(), ignore_gate=True).done
    stage.reconcile(seconds=1)
    assert [run.pipeline_id for run in stage.devops.runs] == [COMPARE]


def test_what_is_whole_when_its_route_joins_no_more_goes_on(stage: Stage) -> None:
    for run, experiment in (("r1", A), ("r2", B), ("r3", C)):
        trained(stage, run, experiment)
    stage.routes(APART)
    stage.reconcile(seconds=1)
    assert stage.posts() == 1


def test_a_file_from_before_the_join_leaves_it_to_the_one_that_joins(
    cloud: Cloud, tmp_path: Path
) -> None:
    old, new = versions(cloud, tmp_path, APART, ROUTES)
    set_up(new)
    new.reconcile()
    for run, experiment in (("r1", A), ("r2", B), ("r3", C)):
        trained(new, run, experiment)
    old.reconcile(seconds=1)
    assert (joint(new).state, old.posts()) == (State.OPEN, 0)
    new.reconcile(minutes=5)
    assert sent(new) == [told(runs=("r1", "r2", "r3"))]


def test_a_member_that_is_to_ignore_its_gate_is_sought_where_its_value_is_all_the_same(
    stage: Stage,
) -> None:
    stage.routes(ROUTES.replace("run.tags.batch", "run.params.batch"))
    stage.aml.add_run("r1", experiment=A)
    stage.deliver(event("r1", A, batch=None))
    assert stands(stage, "r1") == ["open: facts_missing"]
    stage.aml.add_run("c1", experiment=A, parent="r1", params={"batch": "b7"})
    who = Replaying(stage.ledger, stage.clock, "ada")
    assert who.replay(stage.only("r1").key, ignore_gate=True).done
    stage.reconcile(seconds=1)
    assert stands(stage, "r1") == ["skipped: joined"]


def test_a_file_from_before_a_member_was_named_passes_over_none_of_that_experiment(
    cloud: Cloud, tmp_path: Path
) -> None:
    """What is skipped is not taken into a join any more, and that would lack it for ever."""
    old, new = versions(cloud, tmp_path, joining(all_of=[A, B]), ROUTES)
    set_up(new)
    new.reconcile()
    for run, experiment in (("r1", A), ("r2", B)):
        trained(new, run, experiment)
    new.aml.add_run("r3", experiment=C)
    new.deliver(event("r3", C, batch=None))
    assert stands(new, "r3") == ["open: facts_missing"]
    old.reconcile(minutes=20)  # one that is forgotten in a slot
    assert stands(new, "r3") == ["open: route_removed"]
    new.aml._runs["r3"].tags["batch"] = "b7"  # noqa: SLF001
    for _ in range(3):
        new.reconcile(minutes=20)
    assert sent(new) == [told(runs=("r1", "r2", "r3"))]


def test_a_newer_file_passes_over_what_it_names_no_more(cloud: Cloud, tmp_path: Path) -> None:
    old, new = versions(cloud, tmp_path, ROUTES, joining(all_of=[A, B]))
    set_up(old)
    old.aml.add_run("r3", experiment=C)
    old.deliver(event("r3", C, batch=None))
    new.reconcile(minutes=1)
    new.reconcile(minutes=11)
    assert stands(new, "r3") == ["skipped: not_joined"]


def test_a_file_that_waited_less_for_the_value_leaves_it_to_the_one_that_waits_longer(
    cloud: Cloud, tmp_path: Path
) -> None:
    older, newer = (
        ROUTES.replace("    join:", f"    wait_for_facts: {span}\n    join:")
        for span in ("0s", "2h")
    )
    old, new = versions(cloud, tmp_path, older, newer)
    set_up(new, newer)
    new.reconcile()
    new.aml.add_run("r3", experiment=C)
    new.deliver(event("r3", C, batch=None))
    old.reconcile(minutes=20)
    assert stands(new, "r3") == ["open: route_removed"]
    new.aml._runs["r3"].tags["batch"] = "b7"  # noqa: SLF001
    new.reconcile(minutes=20)
    assert stands(new, "r3") == ["skipped: joined"]
