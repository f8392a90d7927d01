"""What the sweep must leave alone, though all it reads at that moment says otherwise."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import end, lines, milliseconds, settled, sweep
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud

MOVED = WORKSPACE.replace("rg-ml", "rg-moved")
TAGGED = ROUTES.replace('{experiment: "defect-*"}', "{tags: {stage: production}}", 1)
ONLY_EVENT = TAGGED.replace("{{ run.id }}", '{{ run.id }}", kind: "{{ run.properties.kind }}', 1)
FAILURES_TAGGED = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    start: {pipeline: 42, parameters: {run_id: "{{ run.id }}"}}
  - name: report
    match: {tags: {stage: production}}
    outcome: [Failed, Canceled]
    start: {pipeline: 43, parameters: {run_id: "{{ run.id }}"}}
"""
SHADOW = ROUTES.replace("name: register", "name: register\n    mode: shadow")


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app that has been there for two days, with a workspace that is swept."""
    return settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)


def live_for_an_hour(stage: Stage, routes: str) -> None:
    stage.routes(routes)
    stage.reconcile()
    stage.clock.forward(hours=1)


def tag(stage: Stage, run: str, value: str) -> None:
    stage.aml._runs[run].tags["stage"] = value  # noqa: SLF001


# --- workspaces


def test_a_workspace_that_is_named_before_it_moves_there_is_new_once_it_is_there(
    cloud: Cloud, tmp_path: Path
) -> None:
    """Its runs come along, under another id: what was started for them was started."""
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=f"{WORKSPACE} {MOVED}")
    stage.reconcile()
    sweep(stage, hours=1)
    end(stage, "r1")
    stage.deliver(completed("r1"))
    cloud.arm.add_workspace(MOVED, cloud.aml.tracking_uri)
    del cloud.arm._workspaces[WORKSPACE.lower()]  # noqa: SLF001
    stage.deploy()
    sweep(stage, hours=1)
    end(stage, "lost")
    sweep(stage, hours=1)
    assert [run for _, run in stage.started()] == ["r1", "lost"]


# --- routes


def test_a_route_that_leaves_the_shadow_starts_nothing_that_ended_in_it(stage: Stage) -> None:
    live_for_an_hour(stage, SHADOW)
    end(stage, "r1")
    stage.routes(ROUTES)
    stage.reconcile(minutes=1)
    end(stage, "r2", timedelta(minutes=-1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r2")]


def test_a_route_that_can_be_swept_from_now_on_starts_nothing_that_was_decided(
    stage: Stage,
) -> None:
    """While it could not be swept, an event that it nearly fitted left no trace."""
    live_for_an_hour(stage, ONLY_EVENT)
    end(stage, "r1", tags={"stage": "test"})
    stage.deliver(completed("r1", runTags={"stage": "test"}))
    stage.routes(TAGGED)
    stage.reconcile(minutes=1)
    tag(stage, "r1", "production")
    sweep(stage, hours=1)
    assert stage.started() == []


# --- decisions


def test_a_run_that_ended_otherwise_than_its_event_said_is_decided_for_its_true_end(
    stage: Stage,
) -> None:
    live_for_an_hour(stage, FAILURES_TAGGED)
    end(stage, "r1", status="Failed", tags={"stage": "test"})
    stage.deliver(completed("r1", runTags={"stage": "test"}))
    tag(stage, "r1", "production")
    sweep(stage, hours=1)
    assert stage.started() == []


def test_a_run_without_an_end_is_decided_too_when_the_sweep_looks(stage: Stage) -> None:
    live_for_an_hour(stage, FAILURES_TAGGED)
    at = stage.clock.now()
    sweep(stage, hours=5)
    end(stage, "r1", status="Canceled", start_time=milliseconds(at), tags={"stage": "test"})
    stage.aml._runs["r1"].end_time = None  # noqa: SLF001
    sweep(stage, hours=1)
    tag(stage, "r1", "production")
    sweep(stage, hours=1)
    assert stage.started() == []


# --- times


def test_an_end_that_is_still_to_come_is_not_believed(cloud: Cloud, tmp_path: Path) -> None:
    """Whoever ends a run says when; it ended long before the app was there."""
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    end(stage, "r1", timedelta(days=-400), start_time=milliseconds(stage.clock.now()) - 9000)
    for _ in range(3):
        sweep(stage, hours=1)
    assert stage.started() == []


def test_a_run_that_says_a_later_end_is_found_by_its_start(stage: Stage) -> None:
    begun = milliseconds(stage.clock.now() - timedelta(hours=1))
    end(stage, "r1", timedelta(hours=-9), start_time=begun)
    sweep(stage)
    sweep(stage, hours=12)
    assert stage.started() == [(42, "r1")]


def test_an_end_that_is_still_to_come_outlasts_no_ledger(cloud: Cloud, tmp_path: Path) -> None:
    stage = Stage(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE, LEDGER_RETENTION_DAYS="3")
    stage.reconcile()
    sweep(stage, hours=1)
    end(stage, "r1", timedelta(days=-400), start_time=milliseconds(stage.clock.now()))
    stage.deliver(completed("r1"))
    stage.devops.finish(stage.devops.runs[0].id)
    for _ in range(9):
        stage.reconcile(hours=12)
        sweep(stage)
    assert stage.of_run("r1") == {}
    assert stage.started() == [(42, "r1")]


# --- switched off


def test_what_ended_while_it_was_off_is_not_started_afterwards(stage: Stage) -> None:
    sweep(stage)
    stage.deploy(SWEEP="off")
    sweep(stage, hours=1)
    end(stage, "r1")
    sweep(stage, hours=1)
    stage.deploy(SWEEP="start")
    end(stage, "r2", timedelta(minutes=-1))
    sweep(stage, hours=1)
    assert stage.started() == [(42, "r2")]


def test_apps_that_name_other_workspaces_on_one_ledger_are_told(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each forgets what the other names, so that neither is swept."""
    caplog.set_level(logging.INFO)
    cloud.arm.add_workspace(MOVED, cloud.aml.tracking_uri)
    apps = [Stage(cloud, tmp_path, SWEEP_WORKSPACES=named) for named in (WORKSPACE, MOVED)]
    for app in apps * 3:
        sweep(app, hours=1)
    assert lines(caplog, "chronicle")[1:] == ["chronicle=workspaces gone=1"] * 5
