from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.relay.conftest import Desk
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud

ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    start:
      github: contoso/mlops
      workflow: register.yml
      ref: main
      inputs: {run_id: "{{ run.id }}", model_name: defects}
      correlation: relay_id
"""
DISPATCHES = "*/dispatches"


@pytest.fixture
def desk(cloud: Cloud, tmp_path: Path) -> Desk:
    """An operator before an app whose only route starts a workflow of GitHub Actions."""
    stage = Stage(cloud, tmp_path, GITHUB_URL=cloud.github.url, SWEEP_WORKSPACES=WORKSPACE)
    stage.routes(ROUTES)
    stage.reconcile()
    return Desk(stage)


@pytest.fixture
def doubted(desk: Desk) -> Callable[[str], int]:
    """Have a run go on whose answer was lost; the run that it became."""

    def make(run: str) -> int:
        github = desk.stage.cloud.github
        github.server.faults.add(Fault(method="POST", path=DISPATCHES, drop="after"))
        desk.stage.aml.add_run(run, experiment="defect-detection")
        desk.stage.deliver(completed(run))
        return github.runs[-1].id

    return make
