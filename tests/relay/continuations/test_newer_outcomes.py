"""Rows of a newer version of the app that are about an outcome which this one does not know."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from functions.core.ledger.places import INBOX
from functions.core.terms.errors import Unreadable
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from relay import exits
from tests.relay.continuations.test_other_versions import KEY, becomes, database, rows
from tests.relay.continuations.test_other_versions import waits as waits  # noqa: PLC0414 - the fixture
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.relay.conftest import Desk
    from tests.stage.azure import Stage

OTHER = "TimedOut"
THEIRS = KEY.replace("Completed", OTHER)


def is_about(stage: Stage, outcome: str, was: str = "Completed") -> None:
    """As if another version had claimed, or kept, what is there for another outcome."""
    change = """UPDATE ledger SET key = replace(key, ?, ?), columns = replace(columns, ?, ?)
        WHERE partition <> 'shared'"""
    with closing(database(stage)) as file:
        file.execute(change, (was, outcome) * 2)
        file.commit()


def test_the_reconciler_changes_nothing_of_it_and_tells_once(
    waits: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    is_about(waits.stage, OTHER)
    before = rows(waits.stage)
    for _ in range(3):
        waits.stage.reconcile(minutes=1)
    assert rows(waits.stage) == before
    assert waits.stage.started() == []
    (line,) = [m for m in caplog.messages if "left to the version that knows that" in m]
    assert f"{THEIRS} is {OTHER}" in line


def test_the_version_that_knows_it_goes_on_with_the_next_round(waits: Desk) -> None:
    is_about(waits.stage, OTHER)
    waits.stage.reconcile(minutes=1)
    is_about(waits.stage, "Completed", was=OTHER)
    waits.stage.reconcile(minutes=1)
    assert waits.stage.started() == [(42, "r1")]


def test_many_of_them_leave_room_for_what_is_known(waits: Desk) -> None:
    is_about(waits.stage, OTHER)
    waits.stage.aml.add_run("r2", experiment="defect-detection", status="Running")
    waits.stage.deliver(completed("r2"))
    keys = waits.stage.ledger.due(waits.stage.clock.now().replace(year=2999), 1)
    assert [key.run for key in keys] == ["r2"]


def test_none_of_them_is_called_from_a_line(waits: Desk) -> None:
    assert [key.run for key in waits.stage.ledger.waiting_on("paused", 9)] == ["r1"]
    is_about(waits.stage, OTHER)
    assert waits.stage.ledger.waiting_on("paused", 9) == []


def test_it_is_listed_shown_and_explained(waits: Desk) -> None:
    is_about(waits.stage, OTHER)
    (one,) = json.loads(waits.type("list", "--json").out)["continuations"]
    assert (one["state"], one["key"]) == ("open", f"{THEIRS}@{WORKSPACE.lower()}")
    for words in (("show", THEIRS), ("show", f"{THEIRS}@{WORKSPACE}"), ("why", "r1")):
        said = waits.type(*words)
        assert "another version of the app knows what this means" in said.out
        assert said.code == (exits.NOT_YET if "why" in words else 0)


@pytest.mark.parametrize("state", ["open", "held", "failed"])
@pytest.mark.parametrize("more", [(), ("--ignore-gate",), ("--again",), ("--as-started", "1042")])
def test_no_replay_touches_it(waits: Desk, state: str, more: tuple[str, ...]) -> None:
    becomes(waits.stage, state)
    is_about(waits.stage, OTHER)
    before = rows(waits.stage)
    said = waits.type("replay", THEIRS, *more)
    assert said.code == 1
    assert rows(waits.stage) == before


def test_what_ended_so_is_no_continuation_to_write(waits: Desk) -> None:
    is_about(waits.stage, OTHER)
    (c,) = waits.stage.ledger.of_run(WORKSPACE.lower(), "r1")
    assert (c.key.outcome, c.key.outcome.is_known, c.is_open) == (OTHER, False, False)
    entry = waits.stage.ledger.read(c.key)
    assert entry is not None
    for write in (
        lambda: waits.stage.ledger.write(entry, c),
        lambda: waits.stage.ledger.schedule(c),
    ):
        with pytest.raises(Unreadable):
            write()


def test_a_typo_in_a_key_is_still_told_as_one(waits: Desk) -> None:
    said = waits.type("show", KEY.replace("Completed", "Compleeted"))
    assert said.code == 2
    assert "is no KEY" in said.err


def test_what_has_ended_is_forgotten_as_all_else_is(waits: Desk) -> None:
    stage = waits.stage
    stage.aml.delete_run("r1")
    stage.reconcile()
    stage.reconcile(minutes=1)
    is_about(stage, OTHER)
    (c,) = stage.ledger.of_run(WORKSPACE.lower(), "r1")
    assert (c.state, c.key.outcome) == (State.HELD, OTHER)
    stage.clock.forward(days=500)
    stage.app.sweep.sweep()
    assert stage.ledger.of_run(WORKSPACE.lower(), "r1") == []


def test_a_letter_stays_in_the_inbox_for_the_version_that_knows_it(desk: Desk) -> None:
    """Taking it out would be losing it: no route of this version wants such an outcome."""
    stage = desk.stage
    good = stage.routes_file.read_text()
    for run in ("r1", "r2"):
        desk.end(run)
        stage.routes("version: [")
        stage.deploy()
        stage.deliver(completed(run))
        stage.routes(good)
        stage.deploy()
        if run == "r1":
            is_about(stage, OTHER)
    kept = [row for row in rows(stage) if row[0] == INBOX]
    for _ in range(2):
        stage.reconcile(minutes=1)
    (left,) = [row for row in rows(stage) if row[0] == INBOX]
    assert left in kept
    assert OTHER in str(left)
    assert stage.started() == [(42, "r2")]
