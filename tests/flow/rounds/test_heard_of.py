"""Since when a workspace is known: its first event, whichever of its events is written down first.

docs/adr/0010-the-sweep.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.memory import visits
from functions.core.memory.known_since import KnownSince
from local.serving.faults import Fault
from tests.flow.rounds.sweeps import DEFECT, milliseconds, settled, sweep
from tests.flow.rounds.test_sweep_memory import SECOND, started
from tests.flow.rounds.test_sweep_memory import second as second  # noqa: PLC0414 - a fixture
from tests.flow.rounds.test_sweep_races import Meanwhile, other
from tests.saying.wrapped import Wrapped
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.terms.runs import Key
    from local.aml.memory import MemoryAML
    from local.cloud import Cloud


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, second: MemoryAML) -> Stage:
    stage = settled(cloud, tmp_path, RETRY_FIRST_SECONDS="1800")
    lose_one(stage, second)
    return stage


def news(stage: Stage, aml: MemoryAML, run: str) -> dict[str, Any]:
    """It ends now, and this is its event."""
    at = stage.clock.now()
    ends = milliseconds(at)
    aml.add_run(run, experiment=DEFECT, start_time=ends - 1000, end_time=ends)
    return {**completed(run), "topic": SECOND, "eventTime": at.isoformat()}


def lose_one(stage: Stage, aml: MemoryAML) -> None:
    """What came first waits for its next attempt while a later one writes the workspace down."""
    aml.server.faults.add(Fault(path="*/runs/get", status=503, times=20))
    stage.deliver(news(stage, aml, "first"))
    aml.server.faults.clear()
    stage.clock.forward(minutes=2)
    news(stage, aml, "lost")
    stage.clock.forward(minutes=2)
    stage.deliver(news(stage, aml, "second"))
    stage.reconcile(minutes=9)
    assert started(stage) == ["second"]


def test_what_ended_between_two_events_is_owed_once_the_first_is_told(stage: Stage) -> None:
    sweep(stage)
    assert started(stage) == ["second"]  # nobody has told yet that the workspace was known before
    stage.reconcile(hours=1)
    sweep(stage)
    assert started(stage) == ["first", "lost", "second"]


def test_a_day_later_and_by_another_process_it_is_owed_as_well(stage: Stage) -> None:
    stage.deploy(SWEEP_HOURS="6")
    for _ in range(9):
        sweep(stage, hours=3)
    stage.deploy()
    stage.reconcile()
    sweep(stage)
    assert started(stage) == ["first", "lost", "second"]


def test_who_tells_of_the_first_event_during_a_sweep_is_not_overruled_by_it(
    stage: Stage, second: MemoryAML
) -> None:
    stage.clock.forward(hours=1)
    news(stage, second, "third")  # which the sweep finds
    stage.clock.forward(minutes=1)
    happens = other(stage).reconciler.reconcile
    stage.build(ledger=Meanwhile(stage.ledger, "of_run", happens, after=True))
    sweep(stage)
    stage.build()
    sweep(stage)
    assert started(stage) == ["first", "lost", "second", "third"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", ["shared", "share"])
def test_what_another_thread_of_the_round_meets_while_the_news_is_written_is_told_too(
    cloud: Cloud, tmp_path: Path, at: str, *, after: bool
) -> None:
    stage = settled(cloud, tmp_path)
    second = stage.clock.now()
    first = second - timedelta(minutes=9)
    happens = Meanwhile(stage.ledger, at, lambda: known.meet(SECOND, first), after=after)
    known = KnownSince(stage.ports._replace(ledger=happens))
    known.meet(SECOND, second)
    for claimed in (second, first):  # each thread, before it takes its own off the schedule
        known.keep_in_time(SECOND, claimed)
    visit = visits.recall(stage.ledger).of(SECOND.lower())
    assert visit is not None
    assert visit.since == first


class Dies(BaseException):
    """The process, on the spot."""


class Dying(Wrapped):
    """A ledger whose process dies as soon as the first is off the schedule."""

    def retire(self, key: Key, version: Any = None) -> None:
        self.real.retire(key, version)
        if key.run == "first":
            raise Dies


def test_who_dies_as_it_ends_the_first_has_told_since_when(
    cloud: Cloud, tmp_path: Path, second: MemoryAML, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had told of the second before, on the same day; and who started the first died, too."""

    def dies(*_: object) -> None:
        raise Dies

    stage = settled(cloud, tmp_path, RETRY_FIRST_SECONDS="1800")
    stage.build(ledger=Dying(stage.ledger))
    lose_one(stage, second)
    stage.clock.forward(hours=1)
    with monkeypatch.context() as patched:
        patched.setattr(KnownSince, "keep", dies)
        with pytest.raises(Dies):
            other(stage).reconciler.reconcile()
    stage.clock.forward(minutes=9)
    with pytest.raises(Dies):
        stage.app.reconciler.reconcile()
    stage.build()
    sweep(stage)
    assert started(stage) == ["first", "lost", "second"]


def made_anew(stage: Stage, aml: MemoryAML) -> None:
    """The workspace is deleted, and one of its name comes later; one claim waits all the time."""
    stage.deploy(PAUSED="1")
    stage.deliver(news(stage, aml, "before"))
    del stage.cloud.arm._workspaces[SECOND.lower()]  # noqa: SLF001
    stage.deploy(PAUSED="1", SWEEP_WORKSPACES=SECOND)
    for _ in range(5):
        sweep(stage, hours=23)
    stage.cloud.arm.add_workspace(SECOND, aml.tracking_uri)
    news(stage, aml, "brought-along")
    stage.clock.forward(minutes=5)
    stage.deliver(news(stage, aml, "after"))


def test_what_waits_since_before_a_workspace_was_made_anew_tells_nothing_of_that(
    cloud: Cloud, tmp_path: Path, second: MemoryAML
) -> None:
    stage = settled(cloud, tmp_path)
    made_anew(stage, second)
    for _ in range(3):
        stage.deploy(PAUSED="0")
        stage.reconcile(minutes=9)
    sweep(stage)
    assert started(stage) == ["after", "before"]


def test_a_sweep_that_still_finds_it_gone_does_not_overrule_the_news_of_it(
    cloud: Cloud, tmp_path: Path, second: MemoryAML, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = settled(cloud, tmp_path)
    made_anew(stage, second)
    del stage.cloud.arm._workspaces[SECOND.lower()]  # noqa: SLF001
    stage.deploy(PAUSED="0")
    conclude = visits.conclude

    def told_before(*given: Any) -> Any:
        stage.cloud.arm.add_workspace(SECOND, second.tracking_uri)
        other(stage).reconciler.reconcile()
        return conclude(*given)

    with monkeypatch.context() as patched:
        patched.setattr(visits, "conclude", told_before)
        sweep(stage, hours=25)
    news(stage, second, "lost")
    stage.deploy(SWEEP_WORKSPACES="")
    sweep(stage, hours=1)
    assert started(stage) == ["after", "before", "lost"]


def test_by_a_clock_that_is_behind_it_was_not_heard_of_before_the_event_was_sent(
    cloud: Cloud, tmp_path: Path, second: MemoryAML
) -> None:
    stage = settled(cloud, tmp_path)
    news(stage, second, "old")
    stage.clock.forward(minutes=20)
    event = news(stage, second, "first")
    stage.clock.moved -= timedelta(minutes=50)
    stage.deploy()
    stage.deliver(event)
    stage.reconcile(minutes=9)
    stage.clock.moved += timedelta(minutes=50)
    stage.deploy()
    sweep(stage)
    assert started(stage) == ["first"]
