"""One training in three ways of running, and the last step of a pipeline job.

sync, async and thread: the run that ends leads to the same continuation. component: the step starts
the next pipeline by itself.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from local import trainings
from local.aml import node
from local.cloud import SUBSCRIPTION
from local.demo.scene import TRAINING_PATIENCE
from local.demo.story import Story
from local.deployment import ROOT, Broken
from local.serving.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.children import Child
    from local.trainings import Training

LONG = ("--epochs", "40")
ENDED = {"FINISHED", "FAILED", "KILLED"}
STEP = ROOT / "component" / "trigger_pipeline.yml"


class PatternStory(Story):
    """One pattern, told and checked."""

    def way(self, way: str, *options: str) -> Child:
        """The example training in one of its ways, started."""
        name = "-".join([way, *(o.strip("-") for o in options)])
        return self._deployment.program(name, "-m", "examples.training.ways", way, *options)

    def begun(self, child: Child) -> str:
        """The id of the run that a training began; raises Broken if there is none."""
        end = time.monotonic() + TRAINING_PATIENCE
        while time.monotonic() < end:
            gone = child.ended() is not None
            if (said := child.output.read_text("utf-8")).endswith("\n"):
                return said.strip()
            if gone:
                break
            time.sleep(0.05)
        raise Broken("\n".join(["The training began no run:", *child.tail()]))

    def run(self, run: str) -> Training:
        """The run as it is now."""
        return trainings.read(self._deployment.mlflow.url, run)

    def over(self, run: str, what: str, status: str) -> Training:
        """The run, once it has ended; Azure Machine Learning sees that, nobody else waits."""
        end = time.monotonic() + TRAINING_PATIENCE
        with self._screen.step(f"Meanwhile: {what}") as results:
            where = self._deployment.mlflow.url
            while trainings.status(where, run) not in ENDED and time.monotonic() < end:
                time.sleep(0.25)
            found = self.run(run)
            results.append(found.described)
        self.expect(f"MLflow shows the run as {status}", found.status == status, found.described)
        return found

    def expect(self, name: str, so: bool, seen: object) -> None:
        """Check; where it is not so, the folder with the logs is where to look."""
        self.checks.expect(name, so=so, seen=seen, look_at=self._deployment.directory)

    def step(self, number: int, given: Mapping[str, object]) -> tuple[int, dict[str, object]]:
        """Run the component's step on a node; its exit code and its output."""
        directory = self._deployment.directory / f"step-{number}"
        component, output = node.Component.load(STEP), directory / "pipeline_run"
        folder = component.upload(STEP.parent, directory / "wd")
        values = {**component.defaults, **given, "pipeline_run": output}
        command = node.rendered(component.command, values)
        path = node.with_python(directory, os.environ["PATH"])
        variables = {**_aml(number), "PATH": path, "RETRY_FIRST_SECONDS": "1"}
        with self._screen.step("The step runs: python -m trigger_pipeline") as results:
            child = self._deployment.step(f"step-{number}", command, folder, variables)
            code = child.ended(TRAINING_PATIENCE)
            results.append(f"exit code {code}")
        if code is None or not output.exists():
            raise Broken("\n".join([f"The step exited with {code}:", *child.tail()]))
        return code, json.loads(output.read_text("utf-8"))

    def mounted(self, training: Training) -> Path:
        """The folder of the training's model, which AML would mount."""
        for file in (self._deployment.mlflow.directory / "art").rglob("MLmodel"):
            if training.run in file.read_text("utf-8"):
                return file.parent
        raise Broken(f"run {training.run} left no MLmodel")


class Sync(PatternStory):
    """The caller waits for the training."""

    def tell(self) -> None:
        """A training that ends well, and one that does not."""
        self._screen.title("1. Who starts the training waits for it")
        self.starts(self._trained(self.way("sync"), "ways.py sync", "FINISHED"))
        self._screen.title("2. One that raises: the failure route")
        self.reports(self._trained(self.way("sync", "--fail"), "ways.py sync --fail", "FAILED"))
        self.keeps_the_secret()


class Async(PatternStory):
    """A job that nobody waits for."""

    def tell(self) -> None:
        """A job that ends well, and one that does not."""
        self._screen.title("1. A job is submitted, and nobody waits for it")
        self.starts(self.over(self._submitted(*LONG), "the job trains", "FINISHED"))
        self._screen.title("2. One that raises: the failure route")
        self.reports(self.over(self._submitted("--fail"), "the job fails", "FAILED"))
        self.keeps_the_secret()

    def _submitted(self, *options: str) -> str:
        submitter = self.way("async", *options)
        with self._screen.step(f"Submitting: ways.py async {' '.join(options)}") as results:
            run, code = self.begun(submitter), submitter.ended(TRAINING_PATIENCE)
            found = self.run(run)
            results.append(found.described)
        goes_on = code == 0 and found.status == "RUNNING"
        self.expect("who submitted it has ended, and the run goes on", goes_on, found.described)
        return run


class Thread(PatternStory):
    """A background thread of a process that goes on."""

    def tell(self) -> None:
        """A thread that ends well, and one that dies."""
        self._screen.title("1. A thread trains, and the main thread goes on")
        self.starts(self._beside("FINISHED", *LONG))
        self._screen.title("2. The thread dies: the failure route")
        self.reports(self._beside("FAILED", "--fail"))
        self.keeps_the_secret()

    def _beside(self, status: str, *options: str) -> Training:
        child = self.way("thread", *options)
        training = self.over(self.begun(child), f"ways.py thread {' '.join(options)}", status)
        child.ended(TRAINING_PATIENCE)
        said = child.log.read_text("utf-8")
        first, last = said.find("the main thread goes on"), said.rfind("epoch ")
        self.expect("the main thread went on meanwhile", 0 <= first < last, child.log)
        return training


class Component(PatternStory):
    """The last step of a pipeline job."""

    def tell(self) -> None:
        """A step that starts the pipeline, and one whose answer is lost."""
        self._screen.title("1. The last step of a pipeline job starts the next pipeline: no event")
        train = self._deployment.training("training")
        training = self._trained(train, "examples/training/train.py", "FINISHED")
        self._starts(1, training)
        self._screen.title("2. Azure DevOps starts it, and its answer is lost")
        lost = Fault(method="POST", path="*/_apis/pipelines/42/runs", drop="after")
        self._deployment.cloud.devops.server.faults.add(lost)
        self._starts(2, training)
        requests = self._scene.requests_to_start()
        self.expect("the step looked for it, and did not ask again", requests == 2, requests)  # noqa: PLR2004

    def _starts(self, number: int, training: Training) -> None:
        cloud = self._deployment.cloud
        code, told = self.step(
            number,
            {
                "model": self.mounted(training),
                "model_name": training.model[0] if training.model else "",
                "vault": cloud.vault.url,
                "organization": "contoso",
                "project": "mlops",
                "pipeline_id": 42,
                "correlation_parameter": "relay_id",
            },
        )
        for name, value in told.items():
            self._screen.told(name, str(value))
        ids = [run.id for run in cloud.devops.runs]
        asked = cloud.devops.runs[-1].template_parameters if ids else {}
        so = code == 0 and len(ids) == number and told["pipeline_run"] == ids[-1]
        self.expect("it started the pipeline once, and says which run that is", so, (told, ids))
        so = asked.get("run_id") == training.run
        self.expect("the pipeline got the run that the model's MLmodel names", so, asked)


def _aml(number: int) -> dict[str, str]:
    """The variables that Azure Machine Learning sets for a job."""
    return {
        "AZUREML_RUN_ID": f"keen_plum_{number}",
        "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION,
        "AZUREML_ARM_RESOURCEGROUP": "rg-ml",
        "AZUREML_ARM_WORKSPACE_NAME": "ml-prod",
        "AZUREML_ARM_PROJECT_NAME": trainings.EXPERIMENT,
    }
