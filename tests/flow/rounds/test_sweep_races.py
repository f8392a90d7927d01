"""A sweep and a delivery of one run at once, at each moment of what the other writes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

TAGGED = ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}", 1)
SHADOW = TAGGED.replace("    match:", "    mode: shadow\n    match:", 1)
RENAMED = TAGGED.replace("name: register", "name: other")
NOT_YET, SET = {"stage": "test"}, {"stage": "production"}


class Meanwhile(Wrapped):
    """The ledger, where something else happens once, before or after the call of this name."""

    def __init__(self, real: Any, name: str, happens: Callable[[], None], *, after: bool) -> None:
        super().__init__(real)
        self._name, self._happens, self._after = name, happens, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if name != self._name:
            return found

        def call(*given: Any, **named: Any) -> Any:
            happens, self._happens = self._happens, lambda: None
            if not self._after:
                happens()
            answer = found(*given, **named)
            if self._after:
                happens()
            return answer

        return call


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(TAGGED)
    sweep(stage)
    sweep(stage, hours=1)
    return stage


def other(stage: Stage) -> Any:
    """Another process of the same app."""
    return stage.app.__class__(stage.read, stage.ports)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["of_run", "claim"])
def test_what_an_event_decides_beside_a_sweep_is_not_started_by_it(
    stage: Stage, at: str, *, after: bool
) -> None:
    """A tag was set since the event was sent, and the sweep reads the run with it."""
    end(stage, "r1", timedelta(minutes=-30), tags=SET)
    event = completed("r1", runTags=NOT_YET)
    second = other(stage)
    ledger = Meanwhile(stage.ledger, at, lambda: second.deliver(event), after=after)
    stage.build(ledger=ledger)
    sweep(stage, hours=1)
    came_first = (at, after) == ("claim", True)  # then there was nothing to decide any more
    assert len(stage.started()) == came_first
    stage.build()
    sweep(stage, hours=1)
    assert len(stage.started()) == came_first


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["of_run", "record"])
def test_what_a_sweep_passes_over_beside_an_event_that_fits_is_started_once(
    stage: Stage, at: str, *, after: bool
) -> None:
    """A tag was taken away since the event was sent."""
    end(stage, "r1", timedelta(minutes=-30), tags=NOT_YET)
    event = completed("r1", runTags=SET)
    second = other(stage)
    ledger = Meanwhile(stage.ledger, at, lambda: second.deliver(event), after=after)
    stage.build(ledger=ledger)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]
    stage.build()
    stage.deliver(event)
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1")]


def test_two_events_that_fit_beside_each_other_take_a_trace_over_once(stage: Stage) -> None:
    end(stage, "r1", timedelta(minutes=-30), tags=NOT_YET)
    sweep(stage, hours=1)
    assert (stage.only("r1").state, stage.only("r1").reason) == (State.SKIPPED, Reason.NOT_MATCHED)
    second, event = other(stage), completed("r1", runTags=SET)
    ledger = Meanwhile(stage.ledger, "claim", lambda: second.deliver(event), after=True)
    stage.build(ledger=ledger)
    stage.deliver(event)
    assert stage.started() == [(42, "r1")]


@pytest.mark.parametrize("changed", [SHADOW, RENAMED])
def test_a_route_that_was_changed_while_a_sweep_stood_still_is_gone_by_as_it_is(
    stage: Stage, changed: str
) -> None:
    end(stage, "r1", tags=SET)
    happens = Meanwhile(stage.ledger, "of_run", lambda: stage.routes(changed), after=True)
    stage.build(ledger=happens)
    sweep(stage, minutes=30)
    assert stage.started() == []
