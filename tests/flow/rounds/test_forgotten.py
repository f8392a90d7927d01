"""What the ledger has forgotten is started by nobody: its date is remembered."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.ledger.places import PASSED
from functions.core.ledger.rowledger import RowLedger
from functions.core.memory.visits import VISITS
from functions.core.operators.dead_letters import DeadLetters, Fate
from functions.core.rounds.sweep import PRUNED_AT_ONCE
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, lines, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

TAGGED = ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}", 1)


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app that remembers three days, and has started a run that it then forgot."""
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE, LEDGER_RETENTION_DAYS="3")
    end(stage, "r1")
    stage.deliver(event(stage, "r1"))
    stage.devops.finish(stage.devops.runs[0].id)
    for _ in range(8):
        stage.reconcile(hours=12)
        sweep(stage)
    assert stage.of_run("r1") == {}
    assert stage.started() == [(42, "r1")]
    return stage


def event(stage: Stage, run: str, **data: Any) -> dict[str, Any]:
    return {**completed(run, **data), "eventTime": stage.clock.now().isoformat()}


def at(stage: Stage, days: float) -> str:
    return (stage.clock.now() - timedelta(days=days)).isoformat()


class Full(Wrapped):
    """A ledger with so much that is old that its removal takes long, on the app's clock."""

    def __init__(self, stage: Stage, many: int) -> None:
        super().__init__(stage.ledger)
        self._clock, self._left = stage.clock, many

    def prune(self, *given: Any) -> int:
        del given
        self._clock.forward(seconds=10)
        removed = min(PRUNED_AT_ONCE, self._left)
        self._left -= removed
        return removed


def test_what_takes_long_to_remove_leaves_time_for_what_is_over(stage: Stage) -> None:
    over = stage.ledger.shared("limit/register/2026-01-01T10")
    stage.ledger.share(over, {"taken": 1, "until": at(stage, 1)})
    stage.build(ledger=Full(stage, 9999))
    sweep(stage)
    assert stage.ledger.shared(over.name).version is None


def test_what_the_sweep_needs_no_time_for_is_there_for_removing_what_is_old(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.build(ledger=Full(stage, 8 * PRUNED_AT_ONCE))
    sweep(stage)
    (line,) = lines(caplog, "pruned")
    assert line.startswith(f"pruned={8 * PRUNED_AT_ONCE} ")


def test_a_longer_window_starts_nothing_that_was_forgotten(stage: Stage) -> None:
    end(stage, "r2", timedelta(hours=30))
    stage.deploy(SWEEP_HOURS="168", LEDGER_RETENTION_DAYS="400")
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r1"), (42, "r2")]


def test_a_dead_letter_of_what_was_forgotten_is_refused_whatever_is_kept_today(
    stage: Stage,
) -> None:
    inbox = DeadLetters(stage.ledger, stage.clock, timedelta(days=400))
    old = {**completed("r1"), "eventTime": at(stage, 4)}
    new = {**completed("r2"), "eventTime": at(stage, 1)}
    refused, kept = inbox.take([old, new])
    assert (refused.fate, kept.fate) == (Fate.REFUSED, Fate.KEPT)
    assert "the ledger has forgotten what ended before" in refused.why


def test_a_letter_of_what_was_forgotten_is_told_and_not_started(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The routes were broken for so long that what another event had started was pruned."""
    stage.routes("version: 7")
    stage.deliver({**completed("r1"), "eventTime": at(stage, 4)})
    stage.routes(ROUTES)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1")]
    (told,) = lines(caplog, "letter")
    assert told.startswith("letter=refused run=r1 outcome=Completed ")
    assert list(stage.ledger.letters(9)) == []


class Stuck(Wrapped):
    """A store that removes nothing."""

    def drop(self, place: Any, version: Any = None) -> None:
        raise LedgerUnavailable(f"an outage: {place} {version}")


def test_the_date_is_written_before_anything_is_removed(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, SWEEP="off")
    end(stage, "r1")
    stage.deliver(completed("r1"))
    stage.reconcile(minutes=3)
    stage.clock.forward(days=401)
    rows = Stuck(stage.ledger._rows())  # type: ignore[attr-defined]  # noqa: SLF001
    stage.build(ledger=RowLedger(lambda: rows))
    with pytest.raises(LedgerUnavailable):
        stage.app.sweep.sweep()
    pruned = stage.ledger.shared(VISITS).value["pruned"]
    assert pruned > stage.only("r1").created_at.isoformat()


def test_the_date_is_never_within_what_the_sweep_looks_at(stage: Stage) -> None:
    for hours in range(30):
        end(stage, f"n{hours}", timedelta(hours=24))
        sweep(stage, hours=1)
    assert len(stage.started()) == 31


def test_a_trace_is_forgotten_like_all_that_ended(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.routes(TAGGED)
    stage.deliver(event(stage, "r2", runTags={"stage": "test"}))
    sweep(stage, days=2)
    assert len(stage.of_run("r2")) == 1
    sweep(stage, days=2)
    assert stage.of_run("r2") == {}
    assert list(stage.ledger._rows().find(PASSED)) == []  # type: ignore[attr-defined]  # noqa: SLF001
    assert "pruned=1" in caplog.text


def test_a_trace_that_an_event_took_over_is_forgotten_as_what_it_became(stage: Stage) -> None:
    stage.routes(TAGGED)
    end(stage, "r2", tags={"stage": "production"})
    stage.deliver(event(stage, "r2", runTags={"stage": "test"}))
    stage.clock.forward(days=2)
    stage.deliver(event(stage, "r2", runTags={"stage": "production"}))
    stage.reconcile(hours=12)
    sweep(stage, days=1)
    assert stage.only("r2").pipeline_run is not None
    sweep(stage, days=3)
    assert stage.of_run("r2") == {}


def test_no_list_shows_a_trace(stage: Stage) -> None:
    stage.routes(TAGGED)
    stage.deliver(event(stage, "r2", runTags={"stage": "test"}))
    since = stage.clock.now() - timedelta(days=1)
    stage.reconcile(hours=1)
    assert list(stage.ledger.listed(since, 100)) == []
    assert list(stage.ledger.recent(since, 100)) == []
    assert stage.ledger.backlog(stage.clock.now()).open == 0


def test_a_dead_letter_that_only_event_grid_has_dated_keeps_that_date_in_the_inbox(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """It lies there while no route can be read, until what it would start anew is forgotten."""
    good = stage.routes_file.read_text()
    end(stage, "r2")
    stage.deliver(event(stage, "r2"))
    stage.devops.finish(stage.devops.runs[-1].id)
    letter = event(stage, "r2")
    letter["publishTime"] = letter.pop("eventTime")
    stage.reconcile(hours=1)
    stage.reconcile(hours=42)
    (fate,) = DeadLetters(stage.ledger, stage.clock, timedelta(days=3)).take(letter)
    assert fate.fate is Fate.KNOWN
    stage.routes("routes: [")
    for _ in range(6):
        stage.reconcile(hours=6)
        sweep(stage)
    assert stage.of_run("r2") == {}
    stage.routes(good)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r1"), (42, "r2")]
    assert any("letter=refused run=r2" in message for message in caplog.messages)


def test_what_a_copy_of_the_ledger_has_open_is_let_go_by_routes_in_shadow(
    cloud: Cloud, tmp_path: Path
) -> None:
    """As docs/operations.md says of a ledger that is put back: it was started meanwhile."""
    stage = Stage(cloud, tmp_path, PAUSED="1")
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(event(stage, "r1"))
    kept = {path: path.read_bytes() for path in tmp_path.glob("ledger.db*")}
    stage.deploy(PAUSED="0")
    stage.reconcile(hours=3)
    assert stage.started() == [(42, "r1")]
    for path in tmp_path.glob("ledger.db*"):
        path.unlink()
    for path, copy in kept.items():
        path.write_bytes(copy)
    good = stage.routes_file.read_text()
    stage.routes(good.replace("    match:", "    mode: shadow\n    match:"))
    stage.deploy(SWEEP="off")
    stage.reconcile(hours=3)
    sweep(stage)
    assert stage.only("r1").reason is Reason.SHADOW
    stage.routes(good)
    stage.deploy(SWEEP="start")
    stage.reconcile(hours=3)
    sweep(stage)
    assert stage.started() == [(42, "r1")]
