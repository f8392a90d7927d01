"""`what-if` where runs are joined: what another `join`, or another start of it, would come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.joins.several import JOIN, ROUTES, A, B, C, joining, set_up, trained
from tests.relay.previews.test_what_if import asked, changes, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import Desk

JOINT = "compare/b7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "changed.yaml"


@pytest.fixture(name="desk")
def with_a_join(desk: Desk) -> Desk:
    set_up(desk.stage)
    return desk


def joined(desk: Desk, of_b: str = "Completed") -> None:
    """Three that end, of which the second may not have done well."""
    for run, experiment, status in (
        ("r1", A, "Completed"),
        ("r2", B, of_b),
        ("r3", C, "Completed"),
    ):
        trained(desk.stage, run, experiment, status)
    desk.stage.reconcile(seconds=1)


@pytest.mark.parametrize("of_b", ["Completed", "Failed"])
def test_the_same_routes_change_nothing(desk: Desk, file: Path, of_b: str) -> None:
    joined(desk, of_b)
    found = told(desk, file, ROUTES)
    assert set(changes(found).values()) == {"as it was"}
    assert JOINT in changes(found)
    assert found["totals"]["runs"] == 3


def test_what_was_started_for_those_that_were_there_is_as_it_was(desk: Desk, file: Path) -> None:
    some = joining(if_one_fails="start")
    desk.stage.routes(some)
    trained(desk.stage, "r1", A)
    desk.stage.reconcile(hours=13)
    assert changes(told(desk, file, some)) == {JOINT: "as it was", "compare/r1": "as it was"}


def test_another_start_of_it_is_told_with_what_differs(desk: Desk, file: Path) -> None:
    joined(desk)
    said = asked(desk, file, ROUTES.replace('"{{ join.missing }}"', '"of-{{ join.missing }}"'))
    assert said.code == 0
    assert said.out.startswith("would start otherwise: 1\n")
    assert f"{JOINT}/Joined" in said.out
    assert "parameters.missing: 0 -> of-0" in said.out


def test_a_start_that_a_failed_run_held_back_would_be_made(desk: Desk, file: Path) -> None:
    joined(desk, "Failed")
    found = changes(told(desk, file, joining(if_one_fails="start")))
    assert found[JOINT] == "would start"
    assert {found[f"compare/{run}"] for run in ("r1", "r2", "r3")} == {"as it was"}


def test_a_start_that_another_join_would_hold_back_fails(desk: Desk, file: Path) -> None:
    desk.stage.routes(joining(if_one_fails="start"))
    joined(desk, "Failed")
    said = asked(desk, file, ROUTES)
    assert said.code == 1
    assert said.out.startswith("would not start: 1\n")
    assert "failed: r2 Failed" in said.out


def test_an_experiment_more_would_be_waited_for_in_vain(desk: Desk, file: Path) -> None:
    joined(desk)
    said = asked(desk, file, ROUTES.replace("train-c]", "train-c, train-d]"))
    assert said.code == 1
    assert "waits for train-d" in said.out


def test_one_less_leaves_its_run_out(desk: Desk, file: Path) -> None:
    joined(desk)
    found = changes(told(desk, file, ROUTES.replace(", train-c]", "]")))
    assert found == {
        JOINT: "would start otherwise",
        "compare/r1": "as it was",
        "compare/r2": "as it was",
        "compare/r3": "would end otherwise",
    }


def test_without_join_each_run_would_start_and_the_joint_one_would_not(
    desk: Desk, file: Path
) -> None:
    joined(desk)
    plain = ROUTES.replace(f"    join: {JOIN}\n", "").partition("      parameters:")[0]
    found = told(desk, file, f'{plain}      parameters: {{run_id: "{{{{ run.id }}}}"}}\n')
    assert changes(found)[JOINT] == "would not start"
    assert {changes(found)[f"compare/{run}"] for run in ("r1", "r2", "r3")} == {"would start"}


def test_another_value_to_join_by_is_told_of_each_run(desk: Desk, file: Path) -> None:
    joined(desk)
    other = ROUTES.replace("by: run.tags.batch", "by: run.experiment")
    found = changes(told(desk, file, other))
    assert {found[f"compare/{run}"] for run in ("r1", "r2", "r3")} == {"would end otherwise"}


def test_runs_that_were_counted_are_told_by_their_experiments(desk: Desk, file: Path) -> None:
    desk.stage.routes(joining(all_of=3))
    joined(desk)
    assert changes(told(desk, file, ROUTES))[JOINT] == "as it was"
    other = ROUTES.replace("train-c]", "train-d]")
    assert changes(told(desk, file, other))[JOINT] == "would not start"


def test_the_gate_of_all_is_asked_again(desk: Desk, file: Path) -> None:
    joined(desk)
    gated = ROUTES.replace("    start:", "    when: size(join.runs) > 3\n    start:")
    said = asked(desk, file, gated)
    assert said.code == 1
    assert said.out.startswith("would not start: 1\n")


def test_what_a_person_let_go_is_asked_without_who_failed(desk: Desk, file: Path) -> None:
    joined(desk, "Failed")
    assert desk.type("replay", "compare/b7/Joined", "--ignore-gate").code == 0
    desk.stage.reconcile(seconds=1)
    assert changes(told(desk, file, ROUTES))[JOINT] == "as it was"
