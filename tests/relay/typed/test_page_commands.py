"""Every command that the operations page prints, typed as it is printed, does what it says."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.starts import steps
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.ledger import samples
from tests.page import scene
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.relay.conftest import Desk

ALIKE = """
version: 1
routes:
- {name: register, start: {organization: contoso, project: mlops, pipeline: 42}}
"""
APP = "/subscriptions/5f1c/resourceGroups/rg-relay/providers/Microsoft.Web/sites/relay"
HALF = timedelta(minutes=30)
WITHOUT_GATE = {Reason.GATE, Reason.NOT_A_NUMBER, Reason.INCOMPLETE}
IN_ITS_TURN = {
    *(Reason.WORKING, Reason.PAUSED, Reason.LIMIT, Reason.CONCURRENCY, Reason.THROTTLED),
    Reason.INCOMPLETE,
}
LOOKED_FOR = {Reason.IN_DOUBT, Reason.LOOK_FAILED}
ENDS = (State.HELD, State.FAILED)


def printed(desk: Desk, c: Continuation) -> str:
    return str(desk.asked(key=f"{c.key.text}@{c.key.workspace}")["command"])


def typed(desk: Desk, command: str) -> int:
    program, *words = shlex.split(command)
    assert program == "bin/relay"
    return desk.type(*words).code


def now(desk: Desk, c: Continuation) -> Continuation:
    entry = desk.stage.ledger.read(c.key)
    assert entry
    return entry.continuation


def ended(desk: Desk, run: str, state: State, reason: Reason) -> Continuation:
    at = desk.stage.clock.now() - HALF
    c = steps.ended(samples.opened(run, at=at), at, state, reason, f"of {reason}")
    scene.put(desk.stage.ledger, c)
    return c


def parked(desk: Desk, reason: Reason) -> Continuation:
    at = desk.stage.clock.now() - HALF
    c = steps.parked(samples.opened(str(reason), at=at), at, reason, "", at + 2 * HALF)
    scene.put(desk.stage.ledger, c)
    return c


@pytest.mark.parametrize("state", ENDS)
def test_what_has_ended_is_opened_again_with_its_gate_or_without(desk: Desk, state: State) -> None:
    for reason in Reason:
        c = ended(desk, str(reason), state, reason)
        assert typed(desk, printed(desk, c)) == 0, reason
        opened = now(desk, c)
        assert (opened.state, opened.due_at <= desk.stage.clock.now()) == (State.OPEN, True)
        assert opened.ignore_gate is (reason in WITHOUT_GATE), reason


def test_what_is_in_doubt_is_settled_by_what_was_found(desk: Desk) -> None:
    desk.stage.routes(ALIKE)
    desk.stage.devops.add_pipeline("contoso", "mlops", 42, "next")
    for run in ("r1", "r2"):
        desk.stage.devops.server.faults.add(Fault("POST", "*/pipelines/42/runs", drop="after"))
        desk.end(run)
        desk.stage.deliver(completed(run))
    first, second = desk.stage.only("r1"), desk.stage.only("r2")
    assert {first.state, second.state} == {State.HELD}
    build = desk.stage.devops.runs[0].id
    assert typed(desk, printed(desk, first).replace("BUILD_ID", str(build))) == 0
    assert (now(desk, first).state, now(desk, first).pipeline_run) == (State.STARTED, build)
    otherwise = desk.asked(key=f"{second.key.text}@{second.key.workspace}")["otherwise"]
    assert typed(desk, otherwise) == 0
    assert now(desk, second).state is State.OPEN


def test_what_was_started_or_skipped_has_nothing_to_type(desk: Desk) -> None:
    for state, reason in ((State.STARTED, Reason.ANSWERED), (State.SKIPPED, Reason.SHADOW)):
        assert printed(desk, ended(desk, str(state), state, reason)) == ""
    assert desk.asked()["wants"] == []


def test_what_goes_on_by_itself_has_nothing_to_type(desk: Desk) -> None:
    for reason in IN_ITS_TURN:
        assert printed(desk, parked(desk, reason)) == "", reason


def test_the_app_stands_in_every_command_where_it_is_known(desk: Desk) -> None:
    c = ended(desk, "r1", State.HELD, Reason.GATE)
    key = f"{c.key.text}@{c.key.workspace}"
    for command in (desk.asked(APP, key=key)["command"], desk.asked(APP)["wants"][0]["command"]):
        words = shlex.split(command)
        assert words[words.index("--app") + 1] == APP
        assert "--ignore-gate" in words


def test_a_cause_of_one_has_its_key_and_of_those_in_doubt_none_for_all(desk: Desk) -> None:
    c = ended(desk, "r1", State.HELD, Reason.DELETED)
    (group,) = desk.asked()["wants"]
    assert shlex.split(group["command"])[2] == f"{c.key.text}@defects"
    assert typed(desk, group["command"]) == 0
    assert now(desk, c).state is State.OPEN
    for run in ("r2", "r3"):
        ended(desk, run, State.HELD, Reason.IN_DOUBT)
    (group,) = desk.asked()["wants"]
    assert (group["continuations"], group["command"]) == (2, "")


@pytest.mark.parametrize("state", ENDS)
def test_the_command_of_a_cause_is_for_all_of_it_and_for_nothing_else(
    desk: Desk, state: State
) -> None:
    every = [ended(desk, f"{reason}-{n}", state, reason) for reason in Reason for n in (1, 2)]
    groups = {group["reason"]: group for group in desk.asked()["wants"]}
    assert groups.keys() == {*Reason}
    opened: set[Reason] = set()
    for reason in {*Reason} - LOOKED_FOR:
        assert groups[reason]["continuations"] == 2
        assert typed(desk, groups[reason]["command"]) == 0, reason
        opened |= {reason}
        for c in every:
            assert (now(desk, c).state is State.OPEN) is (c.reason in opened), (reason, c.reason)


def test_what_is_parked_is_due_at_once(desk: Desk) -> None:
    for reason in {*Reason} - IN_ITS_TURN:
        c = parked(desk, reason)
        assert typed(desk, printed(desk, c)) == 0, reason
        assert now(desk, c).due_at <= desk.stage.clock.now(), reason
