"""The doctor's checks of what no event tells: runs that should have come, promotions, and joins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.cloud import WORKSPACE
from tests.flow.joins.several import set_up
from tests.flow.promoting.registries import ALIAS, follow, registered, swept
from tests.flow.rounds.sweeps import sweep
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from tests.doctor.conftest import Patient

NAME = "ml-prod"
BY = ROUTES.replace("    start:", "    expect: {within: 26h, held: 2h}\n    start:", 1)


def test_what_is_expected_is_told_by_when_and_that_none_came(patient: Patient) -> None:
    stage = patient.stage
    stage.routes(BY)
    held = ("ok", "register: none is held for longer than 2 h")
    assert patient.examined("--no-probe").of("expected") == [
        ("ok", "register: the next round notes by when a run is awaited"),
        held,
    ]
    stage.reconcile()
    (said, other) = patient.examined("--no-probe").of("expected")
    assert said[0] == "ok"
    assert said[1].startswith("register: a run is awaited by ")
    assert other == held
    stage.reconcile(hours=27)
    (said, _) = patient.examined("--no-probe").of("expected")
    assert said[0] == "warning"
    assert said[1].startswith("register: none had ended by ")


def test_a_route_that_expects_nothing_has_nothing_to_be_looked_at(patient: Patient) -> None:
    nothing = [("ok", "there is nothing to look at")]
    assert patient.examined("--no-probe").of("expected") == nothing


def test_nothing_is_said_of_promotions_where_no_route_is_about_them(patient: Patient) -> None:
    found = patient.examined("--no-probe").of("promotions")
    assert found == [("ok", "no route is about promotions")]


def test_promotions_are_told_where_the_sweep_has_looked(patient: Patient) -> None:
    stage = patient.stage
    follow(stage, ALIAS)
    first = f"deploy: {NAME}: a first look is still to come, and starts nothing"
    assert patient.examined("--no-probe").of("promotions") == [("ok", first)]
    stage.deploy(SWEEP_WORKSPACES=WORKSPACE)
    registered(stage, 1)
    stage.aml.set_alias("defects", "production", 1)
    sweep(stage)
    swept(stage)
    ((status, said),) = patient.examined("--no-probe").of("promotions")
    assert status == "ok"
    assert said.startswith(f"deploy: {NAME}: 1 promoted version known, since ")


def test_a_sweep_that_is_off_or_starts_nothing_is_a_warning(patient: Patient) -> None:
    follow(patient.stage, ALIAS)
    patient.deploy(SWEEP="off")
    found = patient.examined("--no-probe").of("promotions")
    assert found == [("warning", "deploy: nothing finds promotions while SWEEP=off")]
    patient.deploy(SWEEP="report")
    found = patient.examined("--no-probe").of("promotions")
    assert found[0] == ("warning", "deploy: the log tells of promotions, and nothing starts")


def test_the_pipeline_of_a_join_is_asked_with_lists_that_a_join_could_send(
    patient: Patient,
) -> None:
    set_up(patient.stage)
    ((status, said),) = patient.examined("--no-probe").of("pipelines")
    assert (status, said.endswith("takes the route's parameters")) == ("ok", True)
    (asked,) = patient.stage.devops.server.received("POST", "/preview")
    given = json.loads(asked.body)["templateParameters"]
    assert (given["runs"], given["failed"], given["missing"]) == ('["doctor"]', "[]", "0")
