"""The doctor looks whether parts of the schedule are worked off, where it has several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.rounds.parts.working import LEFT_TO_PARTS
from relay.deployment.signin import SignedIn
from relay.doctor.app.parts import worked_off
from relay.doctor.case import Case
from tests.flow.asking import parked

if TYPE_CHECKING:
    from relay.doctor.findings import Finding
    from tests.stage.azure import Stage


def found(stage: Stage, of: int) -> Finding:
    read = replace(stage.read, policy=replace(stage.read.policy, parts=of))
    case = Case(read, SignedIn())
    case.clock = stage.clock
    (finding,) = worked_off(case)
    return finding


def test_parts_that_nobody_works_off_are_told_with_where_to_look(stage: Stage) -> None:
    stage.devops.throttle(1, 60)
    parked(stage)
    assert (found(stage, 4).status, found(stage, 1).status) == ("ok", "ok")
    stage.clock.forward(seconds=60 + 1 + LEFT_TO_PARTS.total_seconds())
    told = found(stage, 4)
    assert told.status == "warning"
    assert told.said == "something has been due for 3 minutes in 1 of 4 parts"
    assert "the queue parts-continuations" in told.do
    assert found(stage, 1).said == "the schedule has one part, and there is no queue"
