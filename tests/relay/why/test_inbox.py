"""`list` and `why` say what stops everything, `why` also that a run's event lies in the inbox."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.events import parsing
from functions.core.kept.letter import Letter
from relay import exits
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
    headline, waits, mistake, *_, do = said.err.splitlines()
    told = "stopped: The app's route file cannot be read, so no event is looked at."
    assert headline == told
    assert waits.startswith("  1 event waits in the inbox since ")
    assert mistake.startswith("  routes.yaml:3: ")
    assert do.startswith("  to do: mend it (bin/relay check says all that is wrong)")
    as_json = desk.type("list", "--json")
    assert (as_json.err, json.loads(as_json.out)["continuations"]) == (said.err, [])


def test_the_list_says_whose_credential_is_refused(desk: Desk) -> None:
    desk.stage.devops.refuse(desk.stage.cloud.pat)
    desk.end("r1")
    desk.stage.deliver(completed("r1"))
    headline, waits, do = desk.type("list", "--state", "held").err.splitlines()
    told = "stopped: Azure DevOps refuses the secret azure-devops-pat for contoso since "
    assert headline.startswith(told)
    assert waits == "  1 continuation waits for that."
    assert do.startswith("  to do: make a new token ")


def test_what_stops_nothing_yet_is_no_stop(desk: Desk) -> None:
    desk.stage.cloud.devops.throttle(1, 600)
    for run in ("r1", "r2"):
        desk.end(run)
        desk.stage.deliver(completed(run))
    headline, *_ = desk.type("list").err.splitlines()
    assert headline.startswith("notice: Azure DevOps asked to slow down: ")


def test_why_says_that_the_event_waits_though_no_route_can_be_read(desk: Desk) -> None:
    began = desk.stage.clock.now()
    lost(desk, "r1")
    said = desk.type("why", "r1")
    assert said.code == exits.NOT_YET  # it may still start something
    assert f"\n{LIES}" in said.out
    assert "stopped: The app's route file cannot be read" in said.err
    told = json.loads(desk.type("why", "r1", "--json").out)
    assert (told["followed"], told["routes"]) == (True, [])
    since = datetime.fromisoformat(told["in_inbox_since"])
    assert began <= since <= desk.stage.clock.now()
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
    assert (said.code, LIES in said.out) == (exits.NOT_YET, True)
    assert desk.type("why", "never").code == 3


def test_why_finds_it_behind_a_thousand_others(desk: Desk) -> None:
    """So many came while the routes could not be read, or were dead letters."""
    now = desk.stage.clock.now()
    events = [parsing.parse(completed(f"r{number}")) for number in range(1001)]
    letters = sorted((Letter.of(event, now) for event in events), key=lambda one: one.id)
    for letter in letters:
        desk.stage.ledger.keep(letter)
    last = letters[-1].event.run
    desk.end(last)
    said = desk.type("why", last)
    assert (said.code, LIES in said.out) == (exits.NOT_YET, True)
