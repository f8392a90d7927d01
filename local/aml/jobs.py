"""Jobs with runs below them, as AML shows them: sweeps, AutoML, and pipelines of such steps.

Each method adds the runs to MLflow and the job to Resource Manager, and returns the data of the
event that tells of its end. A sweep tells its best trial among its properties, which the event
and the job have and MLflow has not; AutoML in a tag, which all have. Of a step Resource Manager
tells no properties, so that a sweep which is a step tells nothing, unless it is `tagged`.

https://learn.microsoft.com/azure/machine-learning/how-to-train-keras
https://learn.microsoft.com/azure/machine-learning/how-to-auto-train-image-models
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from local.arm.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.aml.memory import MemoryAML
    from local.arm.front import ARM

BEST, BEST_OF_AUTOML = "best_child_run_id", "automl_best_child_run_id"


class Place(NamedTuple):
    """Where a job stands: below a run, and below which root; nothing: it is a root itself."""

    parent: str | None = None
    root: str | None = None

    def tags(self, run: str) -> dict[str, str]:
        """What AML's MLflow says of it in the run's tags."""
        return {"mlflow.rootRunId": self.root or self.parent or run}


ROOT = Place()


class Jobs:
    """Adds jobs of one experiment to a workspace."""

    def __init__(self, aml: MemoryAML, arm: ARM, experiment: str) -> None:
        self._aml, self._arm, self._experiment = aml, arm, experiment

    def sweep(
        self,
        name: str,
        trials: Sequence[Mapping[str, float]],
        *,
        best: int | None,
        place: Place = ROOT,
        status: str = "Completed",
        display: str | None = None,
        tagged: bool = False,
    ) -> dict[str, Any]:
        """A sweep whose trials have these metrics; `best` is one of them, None: not told (yet)."""
        told = {} if best is None else {BEST: f"{name}_{best}", "best_metric_status": "Succeeded"}
        properties = {
            "primary_metric_config": json.dumps({"name": "Accuracy", "goal": "maximize"}),
            "runTemplate": "HyperDrive",
            "azureml.runsource": "hyperdrive",
            "platform": "AML",
            **told,
        }
        tags = told if tagged else {}
        self._job(name, "Sweep", place, status, display, tags, properties)
        self._trials(name, trials, place)
        return self._event(name, "azureml.HyperDriveRun", tags, properties)

    def automl(
        self,
        name: str,
        trials: Sequence[Mapping[str, float]],
        *,
        best: int | None,
        place: Place = ROOT,
        display: str | None = None,
    ) -> dict[str, Any]:
        """AutoML whose trials have these metrics; `best` is one of them, None: not told (yet)."""
        tags = {} if best is None else {BEST_OF_AUTOML: f"{name}_{best}"}
        properties = {"runTemplate": "AutoML", "azureml.runsource": "automl"}
        self._job(name, "AutoML", place, "Completed", display, tags, properties)
        self._trials(name, trials, place)
        return self._event(name, "automl", tags, properties)

    def pipeline(
        self,
        name: str,
        steps: Mapping[str, Mapping[str, float]] = {},
        *,
        place: Place = ROOT,
        display: str | None = None,
    ) -> dict[str, Any]:
        """A pipeline job whose steps have these names and metrics."""
        properties = {"azureml.runsource": "azureml.PipelineRun"}
        self._job(name, "Pipeline", place, "Completed", display, {}, properties)
        for step, metrics in steps.items():
            self.step(f"{name}-{step}", self.below(name, place), display=step, metrics=metrics)
        return self._event(name, "azureml.PipelineRun", {}, properties)

    def step(self, name: str, place: Place, *, display: str, **facts: Any) -> None:
        """A step of a pipeline job."""
        tags = {**place.tags(name), **facts.pop("tags", {})}
        more: dict[str, Any] = {"name": display, "experiment": self._experiment}
        self._aml.add_run(name, parent=place.parent, tags=tags, **more, **facts)

    @staticmethod
    def below(name: str, place: Place = ROOT) -> Place:
        """The place of what is right below a run in this place."""
        return Place(name, place.root or place.parent or name)

    def _trials(self, name: str, trials: Sequence[Mapping[str, float]], place: Place) -> None:
        for number, metrics in enumerate(trials):
            trial = f"{name}_{number}"
            self.step(trial, self.below(name, place), display=trial, metrics=metrics)

    def _job(
        self,
        name: str,
        kind: str,
        place: Place,
        status: str,
        display: str | None,
        tags: Mapping[str, str],
        properties: Mapping[str, str],
    ) -> None:
        facts = {"status": status, "tags": tags}
        self.step(name, place, display=display or name, **facts)
        job = Job(
            name,
            status,
            kind,
            self._experiment,
            tags=tags,
            properties=properties,
            is_step=place.parent is not None,
        )
        self._arm.add_job(self._aml.workspace_id, job)

    def _event(
        self, name: str, kind: str, tags: Mapping[str, str], properties: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "experimentName": self._experiment,
            "runId": name,
            "runType": kind,
            "runTags": dict(tags),
            "runProperties": dict(properties),
        }
