"""The doctor looks whether anybody waits for a group in which only a person can free a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.serving.faults import Fault
from relay.deployment.signin import SignedIn
from relay.doctor.app import groups
from relay.doctor.app.groups import going_on
from relay.doctor.case import Case
from tests.flow.limits.groups import ONE, rounds, trained

if TYPE_CHECKING:
    import pytest

    from relay.doctor.findings import Finding
    from tests.stage.azure import Stage


def found(stage: Stage) -> list[Finding]:
    case = Case(stage.read, SignedIn())
    case.clock = stage.clock
    return list(going_on(case))


def test_who_waits_for_one_that_a_person_has_to_decide_is_told_with_what_to_type(
    stage: Stage,
) -> None:
    stage.routes(ONE.replace('{run_id: "{{ run.id }}"}', '{run_id: "of {{ run.id }}"}'))
    stage.deploy()
    trained(stage, "goes-on", "waits", model="cracks")
    (well,) = found(stage)
    assert (well.status, well.said) == ("ok", "1 group waited for, by nobody in vain")
    stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop="after"))
    trained(stage, "a")
    rounds(stage)
    assert [one.status for one in found(stage)] == ["ok"]  # nobody waits for it
    trained(stage, "b")
    (told,) = found(stage)
    assert told.status == "warning"
    assert told.said.startswith("the group defects is waited for, and register/a/Completed (held, ")
    assert "--as-started BUILD_ID register/a/Completed" in told.do


def test_of_more_groups_than_it_looks_at_it_says_at_how_many(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 1)
    stage.routes(ONE)
    stage.deploy()
    trained(stage, "r1", "r2", model="cracks")
    trained(stage, "r3", "r4", model="dents")
    assert [one.said for one in found(stage)] == [
        "the first 1 of 2 groups waited for, by nobody in vain"
    ]
