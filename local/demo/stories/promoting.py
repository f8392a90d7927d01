"""Somebody promotes a version of a model, as a story: no event tells it, and the sweep finds it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local import trainings
from local.cloud import WORKSPACE
from local.demo.app import RouteSeen
from local.demo.scene import OUTCOME_PATIENCE
from local.demo.stories.patterns import PatternStory
from local.deployment import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = RouteSeen("deploy-model", "", 47)
ROUTE = f"""
  - name: {DEPLOY.name}
    event: ModelPromoted
    promoted: {{alias: production}}
    start:
      pipeline: {DEPLOY.pipeline}
      parameters:
        name: "{{{{ model.name }}}}"
        version: "{{{{ model.version }}}}"
        promotion: "{{{{ event.id }}}}"  # tells this start from every other: keep it
"""
SWEEPS = "*/2 * * * * *"  # as in an hour of a deployed app


def settings(directory: Path) -> dict[str, str]:
    """What the app needs for it: a route on promotions, and a sweep that looks often."""
    routes = directory / "routes.yaml"
    routes.write_text((ROOT / "routes.yaml").read_text("utf-8").rstrip() + "\n" + ROUTE, "utf-8")
    where = {"SWEEP_WORKSPACES": WORKSPACE, "SWEEP_SCHEDULE": SWEEPS}
    return {**where, "ROUTES_FILE": str(routes)}


class Promotion(PatternStory):
    """Two versions, of which each is promoted, and the first one once more."""

    def tell(self) -> None:
        """An alias moves from one version to the other and back."""
        self._scene.devops.add_pipeline(
            *("contoso", "mlops", int(DEPLOY.pipeline), DEPLOY.name),
            parameters={"name": None, "version": None, "promotion": None},
        )
        self._screen.title("1. Two trainings register a model, and nobody has promoted it")
        children = [self.way("sync", "--seed", seed) for seed in ("1", "2")]
        models = [self._trained(child, "ways.py sync", "FINISHED").model for child in children]
        versions = sorted((model[1] for model in models if model), key=int)
        name = next(model[0] for model in models if model)
        lines = self._scene.logged(r"sweep=promotions .*first=yes.*")
        self._screen.told("log", lines[0] if lines else "nothing")
        self.expect("the first look remembers what is promoted", len(lines) == 1, lines)
        self._are([])
        old, new = versions
        self._screen.title(f"2. Version {old} gets the alias production")
        self._promoted(name, old, [old])
        self._screen.title(f"3. Version {new} takes its place, and {old} gets another alias")
        trainings.give_alias(self._deployment.mlflow.url, name, old, "before")
        self._promoted(name, new, [old, new])
        self._screen.title(f"4. It is no good: version {old} is promoted again")
        self._promoted(name, old, [old, new, old])
        self._sweeps_on()
        self._are([old, new, old])
        self.keeps_the_secret()

    def _promoted(self, name: str, version: str, so_far: list[str]) -> None:
        trainings.give_alias(self._deployment.mlflow.url, name, version, "production")
        with self._screen.step("The next sweep looks into the registry") as results:
            end = time.monotonic() + OUTCOME_PATIENCE
            while len(self._versions()) < len(so_far) and time.monotonic() < end:
                time.sleep(0.1)
            results.append(", ".join(self._versions()))
        lines = self._scene.logged(rf"continuation=started route={DEPLOY.name} .*", len(so_far))
        self._screen.told("log", lines[-1] if lines else "nothing")
        self._are(so_far)

    def _sweeps_on(self) -> None:
        """Let two more sweeps go by."""
        ended = len(self._scene.logged(r"sweep=start .*"))
        self._scene.logged(r"sweep=start .*", ended + 2)

    def _versions(self) -> list[str]:
        runs = self._scene.devops.runs
        those = (run for run in runs if run.pipeline_id == DEPLOY.pipeline)
        return [run.template_parameters["version"] for run in those]

    def _are(self, versions: list[str]) -> None:
        seen = self._versions()
        named = ", ".join(versions) or "none"
        self.expect(f"deployed so far, each once: {named}", seen == versions, seen)
