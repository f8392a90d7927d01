"""The demo's story in four acts, told from what really happened and checked as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import trainings
from local.demo.checks import Checks
from local.demo.scene import ROUTES, Scene, became

if TYPE_CHECKING:
    from azure.eventgrid import EventGridEvent

    from local.children import Child
    from local.demo.app import Page, RouteSeen
    from local.deployment import Deployment
    from local.devops import QueuedRun
    from local.screen import Screen
    from local.trainings import AnyEvent, Training

TOO_FEW_EPOCHS = "4"


class Story:
    """Tells it on a screen. Everything raises NotSo and Broken."""

    def __init__(self, deployment: Deployment, screen: Screen) -> None:
        self.checks = Checks(screen)
        self._screen, self._scene = screen, Scene(deployment, screen)
        self._good = self._scene.route("register-model")
        self._bad = self._scene.route("report-failure")
        self._deployment, self._log = deployment, deployment.host.log

    def tell(self) -> None:
        """All four acts; the later trainings run while the second act is told."""
        train = self._deployment.training
        first = train("training")
        self._screen.title("1. A training ends well: the next pipeline starts")
        good = self._trained(first, "examples/training/train.py", "FINISHED")
        weak = train("weak-training", "--epochs", TOO_FEW_EPOCHS)
        failing = train("failing-training", "--fail")
        event = self.starts(good)
        self._screen.title("2. The same news twice more: nothing starts")
        self.starts_nothing_again(good, event)
        self._screen.title("3. A training ends with a weak model: the gate holds it")
        self.is_held(self._trained(weak, f"train.py --epochs {TOO_FEW_EPOCHS}", "FINISHED"))
        self._screen.title("4. A training fails: the failure route's pipeline starts")
        self.reports(self._trained(failing, "train.py --fail", "FAILED"))
        self._screen.title("Throughout")
        self.keeps_the_secret()

    def starts(self, training: Training) -> EventGridEvent:
        """RunCompleted starts the good route's pipeline with the model that was trained."""
        event = trainings.run_completed(training)
        started = self._leads_to(event, training, self._good)
        name, version = training.model or ("", "")
        wanted = {"model_name": name, "model_version": version, "run_id": training.run}
        wanted["accuracy"] = str(training.metrics["accuracy"])
        asked = started[0].template_parameters
        self.checks.expect(
            "it got the trained model's name, version and accuracy, and the run's id",
            so=bool(name) and asked == wanted,
            seen=f"{asked} instead of {wanted}",
            look_at=ROUTES,
        )
        return event

    def starts_nothing_again(self, training: Training, event: EventGridEvent) -> None:
        """The same event once more, and the same news as RunStatusChanged."""
        self._scene.published(event, "the same event again", times=2).tell(self._screen, None)
        self._acknowledged(event, times=2)
        changed = trainings.status_changed(training, "Completed")
        self._scene.published(changed, "the same news").tell(self._screen, None)
        self._acknowledged(changed)
        runs = len(self._scene.devops.runs)
        posts = self._scene.requests_to_start()
        self.checks.expect(
            "three deliveries of one outcome: one request to Azure DevOps, one pipeline run",
            so=runs == posts == 1,
            seen=f"{runs} pipeline runs, {posts} requests to start one",
            look_at=self._log,
        )

    def is_held(self, training: Training) -> None:
        """The gate says no: that is recorded, and nothing starts."""
        event = trainings.run_completed(training)
        timeline = self._scene.published(event)
        found = self._scene.outcome(training, self._good)
        started = self._scene.started(training, self._good)
        self._scene.tell(timeline, self._good, found, started)
        self._acknowledged(event)
        self.checks.expect(
            "the gate held it, and no pipeline started",
            so=found is not None and found.state == "held (gate)" and not started,
            seen=f"{became(found)}; pipeline runs: {[run.id for run in started]}",
            look_at=self._log,
        )

    def reports(self, training: Training) -> None:
        """RunStatusChanged(Failed) starts the failure route's pipeline, and it alone."""
        event = trainings.status_changed(training, "Failed")
        started = self._leads_to(event, training, self._bad)
        asked = started[0].template_parameters
        self.checks.expect(
            f"it was told that the run Failed, and {self._good.name} was left alone",
            so=asked.get("status") == "Failed" and not self._scene.started(training, self._good),
            seen=asked,
            look_at=ROUTES,
        )

    def keeps_the_secret(self) -> None:
        """The access token was used and is written nowhere."""
        leaks = self._scene.leaks()
        self.checks.expect(
            "the access token is in no log line and in no row of the ledger",
            so=not leaks,
            seen=leaks,
            look_at=self._deployment.directory,
        )

    def _trained(self, child: Child, what: str, status: str) -> Training:
        training = self._scene.trained(child, what)
        self.checks.expect(
            f"MLflow shows the run as {status}",
            so=training.status == status,
            seen=training.described,
            look_at=child.log,
        )
        return training

    def _acknowledged(self, event: AnyEvent, times: int = 1) -> None:
        attempts = self._scene.attempts(event)
        self.checks.expect(
            "the function acknowledged the delivery",
            so=attempts.count("Delivered") == times,
            seen=f"deliveries of {event.id}: {attempts}",
            look_at=self._log,
        )

    def _leads_to(self, event: AnyEvent, training: Training, route: RouteSeen) -> list[QueuedRun]:
        """The one pipeline run that the event starts."""
        timeline = self._scene.published(event)
        found = self._scene.outcome(training, route)
        started = self._scene.started(training, route)
        self._scene.tell(timeline, route, found, started)
        self._acknowledged(event)
        self._is_started(route, found, started)
        return started

    def _is_started(self, route: RouteSeen, found: Page | None, started: list[QueuedRun]) -> None:
        ids = [run.id for run in started]
        self.checks.expect(
            f"{route.name} started its pipeline once, and the ledger knows which run that is",
            so=found is not None and len(ids) == 1 and found.pipeline_run == ids[0],
            seen=f"pipeline runs {ids}; the ledger says: {became(found)}",
            look_at=self._log,
        )
