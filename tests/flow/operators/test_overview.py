"""What an operator is shown of what the app did, while it does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.operators.lists.wanted import Wanted
from functions.core.terms.words import State
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.operators.overview import Seen
    from tests.stage.azure import Stage

EXPERIMENT = "defect-detection"


def look(stage: Stage, **query: str) -> Seen:
    return stage.app.overview.look(Wanted.of(query))


def run(stage: Stage, *names: str) -> None:
    for name in names:
        stage.aml.add_run(name, experiment=EXPERIMENT)
        stage.deliver(completed(name))


def test_a_start_is_shown_as_one_at_once(stage: Stage) -> None:
    run(stage, "r1")
    (one,) = look(stage, state="started").listed
    assert (one.state, one.pipeline_run) == (State.STARTED, stage.only("r1").pipeline_run)
    stage.reconcile(minutes=3)
    assert [one.state for one in look(stage).listed] == [State.STARTED]


def test_what_is_parked_is_shown_with_its_reason_and_when_it_is_due(stage: Stage) -> None:
    stage.deploy(PAUSED="1")
    run(stage, "r1")
    seen = look(stage)
    (one,) = seen.listed
    assert seen.paused
    assert (one.state, one.reason, one.due_at) == ("open", "paused", stage.only("r1").due_at)


def test_what_has_started_since_it_was_parked_is_shown_as_started(stage: Stage) -> None:
    stage.devops.throttle(1, 0)
    run(stage, "r1")
    assert [one.state for one in look(stage).listed] == [State.OPEN]
    stage.reconcile(minutes=31)
    (one,) = look(stage).listed
    assert (one.state, one.attempts) == (State.STARTED, 1)


def test_until_when_the_secrets_are_valid_is_shown_after_a_sweep(stage: Stage) -> None:
    assert look(stage).ends == {}
    stage.app.sweep.sweep()
    assert set(look(stage).ends) == {"azure-devops-pat"}
