"""The pattern `github`: a training run starts a workflow of GitHub Actions, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import trainings
from local.demo.app import RouteSeen
from local.demo.scene import became
from local.demo.stories.following import SETTINGS
from local.demo.stories.patterns import PatternStory
from local.deployment import ROOT
from local.serving.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from local.demo.app import Page
    from local.github.actions.runs import Run
    from local.trainings import Training

FILE = "register.yml"
DEPLOY = RouteSeen("deploy-model", "", FILE)
ROUTE = f"""
  - name: {DEPLOY.name}
    match: {{experiment: "defect-*"}}
    start:
      github: contoso/mlops
      workflow: {FILE}
      ref: main
      inputs: {{run_id: "{{{{ run.id }}}}", model_name: "{{{{ model.name }}}}"}}
      correlation: relay_id            # the workflow's run-name shows it
"""


def settings(directory: Path) -> dict[str, str]:
    """What the app needs for it: a route that starts a workflow, beside those of the example."""
    routes = directory / "routes.yaml"
    routes.write_text((ROOT / "routes.yaml").read_text("utf-8").rstrip() + "\n" + ROUTE, "utf-8")
    return {**SETTINGS, "ROUTES_FILE": str(routes)}


class GitHub(PatternStory):
    """A workflow that is started, one whose answer is lost, and one that fails."""

    def tell(self) -> None:
        """Two trainings; of the second GitHub's answer never comes."""
        self._screen.title("1. A training ends: a workflow starts at GitHub, beside the pipeline")
        training = self._trained(self.way("sync"), "ways.py sync", "FINISHED")
        event = trainings.run_completed(training)
        self._scene.published(event)
        found, run = self._started(training, 1)
        told = {"run_id": training.run, "model_name": (training.model or ("",))[0]}
        so = run is not None and told.items() <= run.inputs.items()
        self.expect("it got the run and its model", so, run)
        so = run is not None and run.inputs["relay_id"] in run.title
        self.expect("its name shows whose it is", so, run and run.title)
        pipelines = [build.pipeline_id for build in self._scene.devops.runs]
        self.expect("one pipeline of Azure DevOps, too", pipelines == [42], pipelines)
        self._scene.published(event, "the same event again", times=2)
        self._are(1)
        self._screen.title("2. It fails, and people and the ledger know")
        if run is not None:
            self._deployment.cloud.github.finish(run.id, "failure")
        found = self._scene.ended(training, DEPLOY)
        self._screen.told("end", found.ended if found else "none")
        so = found is not None and found.ended == "failed"
        self.expect("the ledger says that it failed", so, found and found.ended)
        self._screen.title("3. GitHub starts another one, and its answer is lost")
        lost = Fault(method="POST", path="*/dispatches", drop="after")
        self._deployment.cloud.github.server.faults.add(lost)
        training = self._trained(self.way("sync", "--seed", "2"), "ways.py sync", "FINISHED")
        self._scene.published(trainings.run_completed(training))
        found, _ = self._started(training, 2)
        so = found is not None and "(found)" in found.state
        self.expect("it was found by its name, and not asked for again", so, became(found))
        self.keeps_the_secret()
        seen = self._deployment.cloud.github.seen
        mixed = seen.of_azure(), seen.times(self._deployment.cloud.pat)
        self.expect("GitHub never saw a secret of Azure DevOps", mixed == ([], 0), mixed)

    def _started(self, training: Training, many: int) -> tuple[Page | None, Run | None]:
        found = self._scene.until(training, DEPLOY, lambda page: page.state.startswith("started"))
        self._screen.told("decision", f"{DEPLOY.name}: {became(found)}")
        self._are(many)
        runs = self._deployment.cloud.github.runs
        run = runs[-1] if runs else None
        if run is not None:
            self._screen.told("workflow", f"{run.repository.full_name}/{FILE}, run {run.id}")
            self._screen.told("", f"  {run.title}")
        known = found.pipeline_run if found else None
        self.expect("the ledger names that run", known == (run.id if run else 0), known)
        return found, run

    def _are(self, many: int) -> None:
        runs = [run.id for run in self._deployment.cloud.github.runs]
        self.expect(f"runs of the workflow so far: {many}", len(runs) == many, runs)
