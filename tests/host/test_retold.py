"""The host writes times anew: the app in it decides as the demo, a dead letter and a sweep do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.arm.jobs import Job
from local.cloud import WORKSPACE
from local.eventgrid.envelopes import EVENT_GRID
from relay.__main__ import app
from tests.stage.azure import as_cloud_event, completed, now
from tests.stage.dead_letters import given_up
from tests.stage.hosted import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage.azure import Stage

AT, IN_UTC = "2026-11-28T20:41:00.500+02:00", "2026-11-28T18:41:00.5+00:00"
RUNS = {"fits": AT, "other": IN_UTC, "letter": AT}
ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: dated
    match: {{tags: {{trainedUntil: "{AT}"}}, properties: {{dataUntil: "2026-11-28T20*"}}}}
    start:
      pipeline: 42
      parameters: {{run_id: "{{{{ run.tags.trainedUntil }}}} {{{{ run.properties.dataUntil }}}}"}}
  - name: drifted
    event: DatasetDriftDetected
    start:
      pipeline: 43
      parameters: {{run_id: "{{{{ drift.id }}}}", status: "{{{{ drift.end_time }}}}"}}
"""
DRIFT: dict[str, Any] = {
    "topic": WORKSPACE,
    "subject": "as it comes",
    "eventType": "Microsoft.MachineLearningServices.DatasetDriftDetected",
    "eventTime": "2026-11-28T18:41:00Z",
    "id": "e-1",
    "data": {"dataDriftId": "d-1", "startTime": "/Date(1793491200000)/", "endTime": AT},
    "dataVersion": "2",
    "metadataVersion": "1",
}


@pytest.fixture(params=["UTC", "Europe/Berlin"])
def host(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Hosted]:
    stage.routes(ROUTES)
    running = Hosted({**stage.environ, "LOCAL_ZONE": request.param})
    yield running
    running.stop()


def ended(stage: Stage, run: str, at: str) -> dict[str, Any]:
    """A run that has this time as a tag and as a property, and the event of its end."""
    stage.aml.add_run(run, experiment="defect-detection", tags={"trainedUntil": at})
    stage.cloud.arm.add_job(WORKSPACE, Job(run, properties={"dataUntil": at}))
    return completed(run, runTags={"trainedUntil": at}, runProperties={"dataUntil": at})


def replay(stage: Stage, folder: Path, event: dict[str, Any]) -> None:
    """Have Event Grid give the event up, and an operator replay what it left."""
    given_up(folder, EVENT_GRID, event | {"eventTime": now().isoformat()})
    replayed = CliRunner().invoke(app, ["replay", "--dead-letters", str(folder)], env=stage.environ)
    assert replayed.exit_code == 0, replayed.output


def test_a_filter_and_a_parameter_go_by_what_the_run_itself_has(
    stage: Stage, host: Hosted, tmp_path: Path
) -> None:
    fits, other, letter = (ended(stage, run, at) for run, at in RUNS.items())
    for event in (fits, as_cloud_event(fits), other):
        assert host.deliver("on_run_completed", event).status_code == 202
    replay(stage, tmp_path / "letters", fits)
    replay(stage, tmp_path / "more", letter)
    host.fire("reconcile")
    assert stage.started() == [(42, f"{AT} {AT}")] * 2
    assert stage.only("fits").state is stage.only("letter").state is State.STARTED
    assert stage.only("other").reason is Reason.NOT_MATCHED


def test_drift_and_its_dead_letter_start_one_pipeline(
    stage: Stage, host: Hosted, tmp_path: Path
) -> None:
    assert host.deliver("on_dataset_drift_detected", DRIFT).status_code == 202
    assert stage.started() == [(43, "d-1")]
    replay(stage, tmp_path / "letters", DRIFT)
    host.fire("reconcile")
    (run,) = stage.devops.runs
    assert run.template_parameters == {"run_id": "d-1", "status": IN_UTC}
