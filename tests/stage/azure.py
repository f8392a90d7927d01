"""The app over the local Azure, in process: what a test says happened, and what came of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions import bootstrap, connections
from functions.adapters.clock import SystemClock
from functions.configuration import settings
from local.cloud import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from local.cloud import Cloud

ROUTES = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: register
    match: {experiment: "defect-*"}
    start:
      pipeline: 42
      parameters: {run_id: "{{ run.id }}"}
  - name: report
    match: {experiment: "defect-*"}
    outcome: [Failed, Canceled]
    start: {pipeline: 43, parameters: {run_id: "{{ run.id }}", status: "{{ run.status }}"}}
"""
ONLY = ROUTES.partition("  - name: report")[0]  # the first of them


class MovableClock(SystemClock):
    """The machine's clock, moved on by hand."""

    def __init__(self) -> None:
        self.moved = timedelta(0)
        self._stands: datetime | None = None

    def now(self) -> datetime:
        return (self._stands or super().now()) + self.moved

    def stand(self) -> None:
        """Let the time of day move by hand only, so that nothing depends on how fast a test is."""
        self._stands = super().now()

    def monotonic(self) -> float:
        return super().monotonic() + self.moved.total_seconds()

    def forward(self, **by: float) -> None:
        self.moved += timedelta(**by)


class Stage:
    """One deployed app: events go in, requests and ledger rows come out."""

    def __init__(self, cloud: Cloud, directory: Path, **given: str) -> None:
        self.cloud = cloud
        self.devops = cloud.devops
        self.aml = cloud.aml
        self.clock = MovableClock()
        cloud.identity.clock = lambda: self.clock.now().timestamp()  # a token ends by it, too
        self.routes_file = directory / "routes.yaml"
        self.environ = {
            **cloud.settings(),
            "LEDGER_URL": f"sqlite:///{directory / 'ledger.db'}",
            "ROUTES_FILE": str(self.routes_file),
            **given,
        }
        self.routes(ROUTES)
        self.deploy()

    def routes(self, text: str) -> None:
        """Deploy this route file."""
        self.routes_file.write_text(text, "utf-8")

    def deploy(self, **given: str) -> None:
        """Start a new process of the app: nothing it held in memory is left."""
        self.environ |= given
        self.read = settings.read(self.environ)
        self.ports = connections.connect(self.read, self.clock)
        self.build()

    def build(self, **other: Any) -> None:
        """Put the app together again, with other ports."""
        self.app = bootstrap.App(self.read, self.ports._replace(**other))

    @property
    def ledger(self) -> Ledger:
        """The ledger as the app sees it."""
        return self.ports.ledger

    def deliver(self, payload: object) -> None:
        """Deliver one payload, as Event Grid would."""
        self.app.deliver(payload)

    def reconcile(self, **later: float) -> None:
        """Let the clock move on and the timer fire."""
        self.clock.forward(**later)
        self.app.reconciler.reconcile()

    def mid_hour(self) -> None:
        """Let the clock stand near half past, so that no window of a limit ends meanwhile."""
        self._ahead(minutes=(90 - self.clock.now().minute) % 60)

    def mid_day(self) -> None:
        """Let the clock stand near half past noon, so that neither an hour nor a day ends."""
        self.mid_hour()
        self._ahead(hours=(36 - self.clock.now().hour) % 24)

    def _ahead(self, **by: float) -> None:
        """Move the clock, and with it the times that Azure DevOps tells."""
        self.clock.forward(**by)
        self.devops.clock_skew += timedelta(**by).total_seconds()

    def use_up(self, route: str, window: str, **lasts: float) -> None:
        """Have the route's limit used up in the window (as strftime has it) and in the next.

        So it holds for who looks at another clock, too, and if the window ends meanwhile.
        """
        now = self.clock.now()
        for at in (now, now + timedelta(**lasts)):
            row = self.ledger.shared(f"limit/{route}/{at:{window}}")
            until = (at + timedelta(**lasts)).isoformat()
            self.ledger.share(row, {"taken": 1000, "until": until})

    def of_run(self, run: str) -> dict[str, Continuation]:
        """The run's continuations by route (and outcome, where a route has several)."""
        found = self.ledger.of_run(WORKSPACE.lower(), run)
        return {c.key.route: c for c in sorted(found, key=lambda c: c.created_at)}

    def only(self, run: str) -> Continuation:
        """The run's only continuation."""
        (found,) = self.ledger.of_run(WORKSPACE.lower(), run)
        return found

    def started(self) -> list[tuple[int, str]]:
        """Pipeline and run id of every pipeline run that Azure DevOps queued."""
        return [(r.pipeline_id, r.template_parameters["run_id"]) for r in self.devops.runs]

    def posts(self) -> int:
        """How many requests to run a pipeline reached Azure DevOps."""
        return len(self.devops.server.received("POST", "/runs"))

    def outgoing(self) -> list[str]:
        """Every request that reached any service."""
        clouds = self.cloud
        services = (clouds.identity, clouds.vault, clouds.arm, clouds.aml, clouds.devops)
        return [f"{r.method} {r.path}" for s in services for r in s.server.requests]


def completed(run: str, **data: Any) -> dict[str, Any]:
    """RunCompleted in the Event Grid schema, as a captured delivery looks."""
    return {
        "topic": WORKSPACE,
        "subject": f"experiments/0001/runs/{run}",
        "eventType": "Microsoft.MachineLearningServices.RunCompleted",
        "eventTime": "2026-11-21T18:41:00.9584103Z",
        "id": f"event-{run}-completed",
        "data": {
            "experimentId": "0001",
            "experimentName": "defect-detection",
            "runId": run,
            "runType": "azureml.PipelineRun",
            "runTags": {},
            "runProperties": {"azureml.runsource": "azureml.PipelineRun"},
            **data,
        },
        "dataVersion": "2",
        "metadataVersion": "1",
    }


def changed(run: str, status: str, **data: Any) -> dict[str, Any]:
    """RunStatusChanged in the Event Grid schema."""
    event = completed(run, **{"runStatus": status, **data})
    event["eventType"] = "Microsoft.MachineLearningServices.RunStatusChanged"
    event["id"] = f"event-{run}-{status}"
    return event


def as_cloud_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same news in the CloudEvents schema."""
    return {
        "specversion": "1.0",
        "id": f"{event['id']}-cloud",
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": event["data"],
    }


def in_bytes(event: Mapping[str, Any], encoding: str = "utf-8") -> dict[str, Any]:
    """The same as a CloudEvent whose data is bytes, as a publisher may send JSON."""
    told = as_cloud_event(event)
    data = json.dumps(told.pop("data")).encode(encoding)
    return {**told, "data_base64": base64.b64encode(data).decode()}


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)
