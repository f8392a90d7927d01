"""`list` and `why` say what stops everything, `why` also that a run's event lies in the inbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

BROKEN = ROUTES.replace("organization:", "organisation:")
LIES = "its event lies in the inbox since "


def lost(desk: Desk, run: str) -> None:
    """A run's event comes while the routes cannot be read."""
    desk.stage.routes(BROKEN)
    desk.end(run)
    desk.stage.deliver(completed(run))
    desk.stage.app.reconciler.reconcile()


def test_the_list_says_first_that_the_routes_cannot_be_read(desk: Desk) -> None:
    assert desk.type("list").err == ""
    lost(desk, "r1")
    said = desk.type("list")
    assert said.code == 0
    (line,) = said.err.splitlines()
    assert line.startswith(
        "stopped: The app's route file cannot be read, so no event is looked at. "
    )
    assert "routes.yaml:3: " in line
    assert " 1 event waits in the inbox since " in line
    assert "To do: mend it (bin/relay check says all that is wrong)" in line
    as_json = desk.type("list", "--json")
    assert (as_json.err, json.loads(as_json.out)["continuations"]) == (said.err, [])


def test_the_list_says_whose_credential_is_refused(desk: Desk) -> None:
    desk.stage.devops.refuse(desk.stage.cloud.pat)
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    (line,) = desk.type("list", "--state", "held").err.splitlines()
    assert line.startswith("stopped: Azure DevOps refuses the secret azure-devops-pat for contoso")
    assert " 1 continuation waits for that. To do: make a new token " in line


def test_why_says_that_the_event_waits_though_no_route_can_be_read(desk: Desk) -> None:
    lost(desk, "r1")
    said = desk.type("why", "r1")
    assert said.code == 0  # it may still start something
    assert f"\n{LIES}" in said.out
    assert "stopped: The app's route file cannot be read" in said.err
    told = json.loads(desk.type("why", "r1", "--json").out)
    assert (told["followed"], told["routes"]) == (True, [])
    assert told["in_inbox_since"].startswith(f"{desk.stage.clock.now():%Y-%m-%d}")
    desk.stage.routes(ROUTES)
    desk.stage.reconcile()
    after = desk.type("why", "r1")
    assert (after.code, after.err, LIES in after.out) == (0, "", False)
    assert json.loads(desk.type("why", "r1", "--json").out)["in_inbox_since"] is None


def test_why_tells_the_ledgers_part_of_it_too(desk: Desk) -> None:
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    lost(desk, "r1")
    out = desk.type("why", "r1").out
    assert LIES in out
    assert "register (Completed): started\n  means    the pipeline run exists" in out


def test_why_finds_the_inbox_of_an_app_that_has_never_read_a_route(desk: Desk) -> None:
    """Neither a workspace is known then, nor does Azure Machine Learning know such a run."""
    desk.stage.deploy(SWEEP_WORKSPACES="")
    desk.stage.routes(BROKEN)
    desk.stage.deliver(completed("gone"))
    said = desk.type("why", "gone")
    assert (said.code, LIES in said.out) == (0, True)
    assert desk.type("why", "never").code == 3
