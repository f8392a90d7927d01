"""A KEY as an operator types it, and the workspaces in which it is looked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from functions.core.memory.known_since import KnownSince
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome
from local.cloud import WORKSPACE
from tests.ledger import samples, stores

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

OTHER = WORKSPACE.replace("ml-prod", "ml-test")


@pytest.fixture
def crowded(desk: Desk) -> Desk:
    """One ended in OTHER long ago, and a thousand elsewhere since."""
    at = desk.stage.clock.now()
    key = Key(OTHER.lower(), "r1", Outcome.COMPLETED, "register")
    first = msgspec.structs.replace(samples.opened("r1", at=at - timedelta(days=9)), key=key)
    others = (samples.opened(f"run-{number}", at=at) for number in range(1000))
    stores.started(desk.stage.read.ledger_file, map(samples.started, (first, *others)))
    return desk


@pytest.mark.parametrize("workspace", ["", "@ML-test"])
def test_what_is_not_among_the_newest_is_found_where_the_sweep_looks(
    crowded: Desk, workspace: str
) -> None:
    named = f"register/r1/Completed{workspace}"
    assert crowded.type("show", named, SWEEP_WORKSPACES=OTHER).code == 0


@pytest.mark.parametrize("command", ["show", "replay"])
def test_what_is_not_among_the_newest_is_found_where_events_came_from(
    crowded: Desk, command: str
) -> None:
    known_since = KnownSince(crowded.stage.ports)
    known_since.meet(OTHER)
    known_since.keep(None)
    assert crowded.type(command, "register/r1/Completed").code == 0


def test_what_is_in_no_known_workspace_is_asked_for_by_its_resource_id(crowded: Desk) -> None:
    said = crowded.type("show", "register/r1/Completed")
    assert said.code == 3
    assert "or give @ and the whole resource id of a workspace that is not known" in said.err
    assert crowded.type("show", f"register/r1/Completed@{OTHER}").code == 0
    gone = crowded.type("show", f"register/r2/Completed@{OTHER}")
    assert (gone.code, "give @" in gone.err) == (3, False)
