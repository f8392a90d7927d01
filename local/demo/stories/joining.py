"""Several trainings are joined, as a story: one pipeline is started once all of them have ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local import trainings
from local.demo.app import RouteSeen
from local.demo.scene import became
from local.demo.stories.patterns import PatternStory
from local.deployment import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from local.children import Child
    from local.devops import QueuedRun
    from local.trainings import Training

COMPARE = RouteSeen("compare-seeds", "", 46)
ROUTE = f"""
  - name: {COMPARE.name}
    match: {{experiment: "defect-*"}}
    join: {{by: run.params.epochs, all_of: 3, within: 12h}}
    start:
      pipeline: {COMPARE.pipeline}
      parameters: {{epochs: "{{{{ join.by }}}}", runs: "{{{{ join.runs }}}}"}}
"""
EPOCHS = "12"  # by which they are joined


def settings(directory: Path) -> dict[str, str]:
    """What the app needs for it: a route that joins the three seeds of one training."""
    routes = directory / "routes.yaml"
    routes.write_text((ROOT / "routes.yaml").read_text("utf-8").rstrip() + "\n" + ROUTE, "utf-8")
    return {"ROUTES_FILE": str(routes)}


class Join(PatternStory):
    """Three seeds of one training, of which the last fails at first."""

    def tell(self) -> None:
        """Two end well, the third fails, and is trained again."""
        self._scene.devops.add_pipeline(
            *("contoso", "mlops", int(COMPARE.pipeline), COMPARE.name),
            parameters={"epochs": None, "runs": None},
        )
        self._screen.title("1. Two of three seeds of a training end: the third is waited for")
        first, second, fails = self._seed("1"), self._seed("2"), self._seed("3", "--fail")
        runs = [self._ends(first, "the first seed"), self._ends(second, "the second seed")]
        again = self._seed("3")
        self._stands("open (incomplete)", "2 of 3", "it waits, and says for how many")
        self._are(0)
        self._screen.title("2. The third fails: the comparison is held")
        failed = self._ends(fails, "the third seed", "FAILED")
        self._stands("held (incomplete)", failed.run, "it is held, and says who failed")
        self._are(0)
        self._screen.title("3. It is trained again: all have ended well, and one pipeline starts")
        runs.append(self._ends(again, "the third seed, tried again"))
        self._stands("started (answered)", "", "it is started with the one that ended well")
        self._compares(self._are(1), runs)
        self.keeps_the_secret()

    def _seed(self, seed: str, *more: str) -> Child:
        return self.way("sync", "--epochs", EPOCHS, "--seed", seed, *more)

    def _ends(self, child: Child, what: str, status: str = "FINISHED") -> Training:
        training = self._trained(child, what, status)
        well = status == "FINISHED"
        made = trainings.run_completed(training) if well else None
        event = made or trainings.status_changed(training, "Failed")
        self._scene.published(event, f"the end of {what}")
        found = self._scene.outcome(training, COMPARE)
        self._screen.told("member", became(found))
        so = found is not None and found.state == "skipped (joined)"
        self.expect("the run is one of those that are joined", so, became(found))
        return training

    def _stands(self, state: str, named: str, what: str) -> None:
        found = self._scene.shown(EPOCHS, COMPARE, lambda page: page.state == state)
        self._screen.told("join", became(found))
        so = found is not None and found.state == state and named in found.became
        self.expect(what, so, became(found))

    def _are(self, many: int) -> list[QueuedRun]:
        """The pipeline runs that compare, which are so many."""
        runs = [run for run in self._scene.devops.runs if run.pipeline_id == COMPARE.pipeline]
        self.expect(f"pipeline runs that compare so far: {many}", len(runs) == many, runs)
        return runs

    def _compares(self, runs: Sequence[QueuedRun], those: Sequence[Training]) -> None:
        asked = runs[-1].template_parameters
        for name, value in asked.items():
            self._screen.told("", f"{name}: {value}")
        wanted = sorted(training.run for training in those)
        so = asked["epochs"] == EPOCHS and sorted(json.loads(asked["runs"])) == wanted
        self.expect("it got the ids of those three runs", so, asked)
