"""Whatever gate `check` refuses starts nothing in an app that has it all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.asking import EXPERIMENT
from tests.routes.gates.test_types import REFUSED
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage

HEAD = "version: 1\ndefaults: {organization: contoso, project: mlops}\nroutes:\n"
METRICS = {"a": 0.9, "b": 0.1, "val.acc": 0.8, "val-acc": 0.8, "loss": 0.2}
PARAMS = {"lr": "0.01", "epochs": "9", "x": "1", "on": "true"}


def route(number: int, gate: str) -> str:
    start = "{pipeline: 42, parameters: {run_id: '{{ run.id }}'}}"
    return f"  - {{name: g{number}, when: {json.dumps(gate)}, start: {start}}}\n"


def is_read(stage: Stage, gate: str) -> bool:
    """Whether a file with this gate is one; the app has no routes while it is none."""
    stage.routes(HEAD + route(0, gate))
    try:
        stage.ports.routes.routes()
    except RoutesUnreadable:
        return False
    return True


def test_no_gate_that_check_refuses_starts_anything_and_each_is_held_in_its_words(
    stage: Stage,
) -> None:
    gates = {number: one for number, one in enumerate(REFUSED) if is_read(stage, one[0])}
    assert len(gates) > len(REFUSED) / 2
    stage.routes(HEAD + "".join(route(number, gate) for number, (gate, _) in gates.items()))
    stage.deploy()
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics=METRICS, params=PARAMS, tags={"t": "x"})
    stage.deliver(completed("r1"))
    rows = {row.key.route: row for row in stage.ledger.of_run(WORKSPACE.lower(), "r1")}
    assert stage.posts() == 0
    assert {row.state for row in rows.values()} == {State.HELD}
    told = {gates[int(name[1:])]: row for name, row in rows.items()}
    errors = {one: row.detail for one, row in told.items() if row.reason is Reason.GATE_ERROR}
    assert {gate: detail for (gate, said), detail in errors.items() if said not in detail} == {}
    # of this route's outcome no gate need be asked twice: it says no, and is no error
    assert {row.reason for one, row in told.items() if one not in errors} == {Reason.GATE}
    assert all("run.status" in gate for gate, _ in set(told) - set(errors))
