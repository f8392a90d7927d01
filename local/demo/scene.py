"""What the story does and sees: trainings awaited, events published, outcomes found."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from azure.core.messaging import CloudEvent

from local import trainings
from local.cloud import WORKSPACE
from local.demo.app import App
from local.demo.timeline import Timeline
from local.deployment import ROOT, Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.children import Child
    from local.demo.app import Page, RouteSeen
    from local.deployment import Deployment
    from local.devops import QueuedRun
    from local.screen import Screen
    from local.trainings import AnyEvent, Training

PATIENCE = 60.0
OUTCOME_PATIENCE = 30.0
TRAINING_PATIENCE = 120.0
ROUTES = ROOT / "routes.yaml"


class Scene:
    """A deployment with somebody who trains, publishes and looks. `screen` is told of it."""

    def __init__(self, deployment: Deployment, screen: Screen) -> None:
        self.deployment, self.screen = deployment, screen
        self.devops = deployment.cloud.devops
        self._app = App(ROUTES, deployment.ledger)

    def route(self, name: str) -> RouteSeen:
        """The route of that name. Raises Broken if there is none."""
        try:
            return self._app.route(name)
        except KeyError:
            why = f"{ROUTES} has no route {name!r} that starts a pipeline"
            raise Broken(f"{why}: the demo tells of it") from None

    def trained(self, child: Child, what: str) -> Training:
        """The training, once its process has ended. Raises Broken if it left no run."""
        with self.screen.step(f"Training: {what}") as results:
            code = child.ended(TRAINING_PATIENCE)
            run = child.output.read_text("utf-8").strip()
            if not run or code is None:
                raise Broken("\n".join([f"{what} exited with {code}:", *child.tail()]))
            training = trainings.read(self.deployment.mlflow.url, run)
            results.append(training.described)
        return training

    def published(self, event: AnyEvent, note: str = "", times: int = 1) -> Timeline:
        """Publish and wait until it was delivered, `times` counting earlier ones of that id.

        What happened in any case is told by the timeline.
        """
        cloud = isinstance(event, CloudEvent)
        told = [trainings.news(event), note, "CloudEvents" if cloud else "Event Grid schema"]
        what = ", ".join(filter(None, told))
        self.screen.say(f"Publishing {what}")
        timeline = Timeline(self.deployment, event.id, f"{what}, {event.id}")
        trainings.publish(self.deployment.topic, self.deployment.key, event)
        try:
            self.deployment.topic.wait_delivered(event.id, times, PATIENCE)
        except TimeoutError:
            self.screen.say(f"  not delivered after {PATIENCE:.0f} s")
        return timeline

    def attempts(self, event: AnyEvent) -> list[str]:
        """How every delivery of the event ended."""
        return [a.outcome for a in self.deployment.topic.attempts if a.event_id == event.id]

    def outcome(self, training: Training, route: RouteSeen) -> Page | None:
        """What the ledger says once that is settled, or else after a while."""
        return self.until(training, route, lambda page: page.settled)

    def ended(self, training: Training, route: RouteSeen) -> Page | None:
        """What the ledger says once the pipeline run has ended, or else after a while."""
        return self.until(training, route, lambda page: bool(page.ended))

    def until(
        self, training: Training, route: RouteSeen, so: Callable[[Page], bool]
    ) -> Page | None:
        """What the ledger says once that is so, or else after a while."""
        return self.shown(training.run, route, so)

    def shown(self, of: str, route: RouteSeen, so: Callable[[Page], bool]) -> Page | None:
        """The same of what has this in the place of a run's id."""
        end, found = time.monotonic() + OUTCOME_PATIENCE, None
        while time.monotonic() < end and not (found and so(found)):
            found = self._app.page(WORKSPACE, of, route.name)
            time.sleep(0.05)
        return found

    def logged(self, pattern: str, times: int = 1) -> list[str]:
        """What the app's log has of this pattern, once it is there so often, or after a while."""
        end, found = time.monotonic() + OUTCOME_PATIENCE, list[str]()
        while time.monotonic() < end and len(found) < times:
            found = re.findall(pattern, self.deployment.host.log.read_text("utf-8"))
            time.sleep(0.05)
        return found

    def started(self, training: Training, route: RouteSeen) -> list[QueuedRun]:
        """The runs of the route's pipeline that name the training's run."""
        return [
            run
            for run in self.devops.runs
            if run.pipeline_id == route.pipeline
            and training.run in run.template_parameters.values()
        ]

    def requests_to_start(self) -> int:
        """How many requests to run any pipeline reached Azure DevOps."""
        return len(self.devops.server.received("POST", "/runs"))

    def tell(
        self,
        timeline: Timeline,
        route: RouteSeen,
        found: Page | None,
        started: Sequence[QueuedRun],
    ) -> None:
        """What happened since the event, what was read and decided, and what was started."""
        timeline.tell(self.screen, found)
        told = self.screen.told
        if facts := read(found, started):
            told("read", facts)
        told(
            "decision",
            f"{route.name}: {f'when {route.when}: ' if route.when else ''}{became(found)}",
        )
        for run in started:
            where = f"{run.organization}/{run.project}/{run.pipeline_id} ({run.pipeline.name})"
            told("pipeline", f"{where}, run {run.id}, with the parameters")
            for name, value in run.template_parameters.items():
                told("", f"  {name}: {value}")

    def leaks(self) -> list[str]:
        """The files of log and ledger in which the access token occurs."""
        files = [self.deployment.host.log, *self.deployment.directory.glob("ledger.db*")]
        pat = self.deployment.cloud.pat.encode()
        return [file.name for file in files if pat in file.read_bytes()]


def read(page: Page | None, started: Sequence[QueuedRun]) -> str:
    """The facts that the app read: those that the gate saw, and the model's."""
    model = [
        f"{name.replace('_', '.', 1)} = {value}"
        for run in started
        for name, value in run.template_parameters.items()
        if name.startswith("model_")
    ]
    saw = page.saw.partition("; when: ")[0] if page else ""  # the decision tells the gate's text
    return ", ".join(filter(None, [saw, *model]))


def became(page: Page | None) -> str:
    """What became of a continuation, in words."""
    return page.became if page else "the ledger knows nothing of it"
