"""An app whose routes start workflows at the local GitHub, beside pipelines of Azure DevOps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.pipelines import GITHUB
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from local.github.actions.runs import Run

DISPATCHES = "*/actions/workflows/register.yml/dispatches"
OWNER = f"{GITHUB}contoso"
START = """{github: contoso/mlops, workflow: register.yml, ref: main, correlation: relay_id,
      inputs: {run_id: "{{ run.id }}", experiment: "{{ run.experiment }}"}}"""
ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: register
    match: {{experiment: "defect-*"}}
    start: {START}
"""


class Hub(Stage):
    """A stage with GitHub, which goes by the stage's clock."""

    def __init__(self, cloud: Cloud, directory: Path, **given: str) -> None:
        self.hub = cloud.github
        super().__init__(cloud, directory, GITHUB_URL=self.hub.url, **given)
        cloud.github_clock = self.clock.now
        self.routes(ROUTES)

    def happen(self, run: str = "r1", **data: object) -> None:
        """A run ends, and its event comes."""
        self.aml.add_run(run, experiment="defect-detection")
        self.deliver(completed(run, **data))

    @property
    def runs(self) -> list[Run]:
        """What was started at GitHub."""
        return self.hub.runs

    def dispatches(self) -> int:
        """How many requests to start a workflow reached GitHub."""
        return len(self.hub.server.received("POST", "/dispatches"))
