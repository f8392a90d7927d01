"""What `why`, `preview` and `what-if` say of a route that compares with a champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stage.azure import completed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import Desk

ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: promote
    model: defects
    champion: {alias: champion}
    when: "!champion.exists || run.metrics.auc > champion.metrics.auc + 0.01"
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
"""


@pytest.fixture
def contested(desk: Desk) -> Desk:
    """Two runs that ended: r1 with a better model than the champion's, r2 with a worse one."""
    desk.stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters={"run_id": None})
    desk.end("b1", metrics={"auc": 0.9})
    desk.stage.aml.add_model_version("defects", 1, "b1")
    desk.stage.aml.set_alias("defects", "champion", 1)
    for number, auc in ((1, 0.95), (2, 0.85)):
        desk.end(f"r{number}", metrics={"auc": auc})
        desk.stage.aml.add_model_version("defects", number + 1, f"r{number}")
    return desk


def test_a_preview_compares_as_the_app_does(contested: Desk) -> None:
    contested.stage.routes(ROUTES)
    better = contested.type("preview", "--run", "r1").out
    worse = contested.type("preview", "--run", "r2").out
    assert '"run_id": "r1"' in better
    assert "would end as held" not in better
    assert "would end as held, since " in worse
    assert "champion.metrics.auc = 0.9" in worse
    assert contested.stage.posts() == 0


def test_why_tells_what_a_run_would_be_compared_with(contested: Desk) -> None:
    contested.stage.routes(ROUTES)
    said = " ".join(contested.type("why", "r2").out.split())
    assert "champion.metrics.auc = 0.9" in said


def test_what_if_compares_with_the_champion_of_today(contested: Desk, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(ROUTES, "utf-8")
    said = contested.type("what-if", "--routes", str(changed), "--since", "1d").out
    assert "champion.metrics.auc = 0.9" in said, said


@pytest.mark.parametrize(
    ("auc", "gate"),
    [(0.99, "run.metrics.auc > champion.metrics.auc + 0.01"),
     (0.0, "run.metrics.auc / champion.metrics.auc > 1.01")],
    ids=["worse", "divided by 0"],
)  # fmt: skip
def test_what_if_does_not_say_that_a_start_would_not_be_for_a_champion_who_came_later(
    contested: Desk, tmp_path: Path, auc: float, gate: str
) -> None:
    stage = contested.stage
    routes = ROUTES.replace("run.metrics.auc > champion.metrics.auc + 0.01", gate)
    stage.routes(routes)
    stage.deliver(completed("r1"))
    assert stage.only("r1").state == "started"
    contested.end("b2", metrics={"auc": auc})
    stage.aml.add_model_version("defects", 4, "b2")
    stage.aml.set_alias("defects", "champion", 4)
    changed = tmp_path / "changed.yaml"
    changed.write_text(routes, "utf-8")
    said = contested.type("what-if", "--routes", str(changed), "--since", "1d")
    assert said.code == 0
    assert "cannot be told: 1" in said.out.splitlines()
    assert "today's champion, and its own day's is not known" in said.out


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    model: defects\n", "    model: defects\n    mode: shadow\n", "skipped (shadow)"),
        ("+ 0.01", "* 2", "held (gate_error)"),
        ('"{{ run.id }}"', '"$({{ run.id }})"', "held (expands)"),
        ("{run_id:", '{of: "{{ run.params.none }}", run_id:', "held (facts_missing)"),
        ("auc + 0.01", "auc + 0.01 && run.metrics.loss > 1", "held (not_a_number)"),
    ],
)
def test_what_if_fails_where_something_else_than_the_champion_stops_a_start(
    contested: Desk, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    stage = contested.stage
    stage.routes(ROUTES)
    contested.end("r3", metrics={"auc": 0.95, "loss": float("nan")})
    stage.aml.add_model_version("defects", 9, "r3")
    stage.deliver(completed("r3"))
    assert stage.only("r3").state == "started"
    changed = tmp_path / "changed.yaml"
    changed.write_text(ROUTES.replace(old, new), "utf-8")
    said = contested.type("what-if", "--routes", str(changed), "--since", "1d")
    assert said.code == 1
    assert "would not start: 1" in said.out.splitlines()
    assert reason in said.out
