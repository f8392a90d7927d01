"""A training's run as MLflow tells it, and the events that Azure Machine Learning raises for it.

https://learn.microsoft.com/azure/event-grid/event-schema-machine-learning
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from local.cloud import WORKSPACE

if TYPE_CHECKING:
    from local.eventgrid.topic import Topic

COMPLETED = "Microsoft.MachineLearningServices.RunCompleted"
STATUS_CHANGED = "Microsoft.MachineLearningServices.RunStatusChanged"
EXPERIMENT = "defect-detection"
AnyEvent = EventGridEvent | CloudEvent[dict[str, Any]]


@dataclass(frozen=True)
class Training:
    """A run that ended. `status` is MLflow's word; `model` is name and version, if registered."""

    run: str
    experiment_id: str
    status: str
    metrics: dict[str, float]
    model: tuple[str, str] | None

    @property
    def described(self) -> str:
        """The run in one line."""
        accuracy = self.metrics.get("accuracy")
        model = " version ".join(self.model) if self.model else "none"
        return f"run {self.run} {self.status}, accuracy {accuracy}, model {model}"


def read(tracking_uri: str, run: str) -> Training:
    """The run and the model it registered; raises requests.RequestException."""
    found = _run(tracking_uri, run)
    versions = _get(tracking_uri, "model-versions/search", filter=f"run_id='{run}'")
    models = [(v["name"], v["version"]) for v in versions.get("model_versions", [])]
    return Training(
        run=run,
        experiment_id=found["info"]["experiment_id"],
        status=found["info"]["status"],
        metrics={m["key"]: m["value"] for m in found["data"].get("metrics", [])},
        model=models[0] if models else None,
    )


def status(tracking_uri: str, run: str) -> str:
    """MLflow's word for what the run does now; one request. Raises as `read` does."""
    return str(_run(tracking_uri, run)["info"]["status"])


def give_alias(tracking_uri: str, model: str, version: str, alias: str) -> None:
    """A person gives a version an alias, which no other one has then. Raises as `read` does."""
    with requests.Session() as session:
        session.trust_env = False
        url = f"{tracking_uri}/api/2.0/mlflow/registered-models/alias"
        told = {"name": model, "alias": alias, "version": version}
        session.post(url, json=told, timeout=10).raise_for_status()


def run_completed(training: Training) -> EventGridEvent:
    """RunCompleted in the Event Grid schema."""
    return EventGridEvent(
        subject=_subject(training),
        event_type=COMPLETED,
        data=_data(training),
        data_version="2",
        event_time=datetime.now(UTC),
        id=str(uuid.uuid4()),
    )


def status_changed(training: Training, status: str) -> CloudEvent[dict[str, Any]]:
    """RunStatusChanged as a CloudEvent; `status` is AML's word, such as Completed."""
    return CloudEvent(
        source=WORKSPACE,
        type=STATUS_CHANGED,
        subject=_subject(training),
        data={**_data(training), "runStatus": status},
        time=datetime.now(UTC),
        id=str(uuid.uuid4()),
    )


def publish(topic: Topic, key: str, event: AnyEvent) -> None:
    """Publish with Microsoft's client; raises azure.core.exceptions.AzureError."""
    credential = AzureKeyCredential(key)
    with EventGridPublisherClient(topic.endpoint, credential, use_env_settings=False) as client:
        client.send(event)


def news(event: AnyEvent) -> str:
    """What an event says, as people write it: RunStatusChanged(Failed)."""
    if isinstance(event, CloudEvent):
        status = event.data["runStatus"] if isinstance(event.data, dict) else ""
        return f"{event.type.rpartition('.')[2]}({status})"
    return str(event.event_type).rpartition(".")[2]


def _subject(training: Training) -> str:
    return f"experiments/{training.experiment_id}/runs/{training.run}"


def _data(training: Training) -> dict[str, Any]:
    return {
        "experimentId": training.experiment_id,
        "experimentName": EXPERIMENT,
        "runId": training.run,
        "runType": "azureml.scriptrun",
        "runTags": {"stage": "demo"},
        "runProperties": {"azureml.runsource": "azureml.scriptrun"},
    }


def _run(tracking_uri: str, run: str) -> dict[str, Any]:
    found: dict[str, Any] = _get(tracking_uri, "runs/get", run_id=run)["run"]
    return found


def _get(tracking_uri: str, call: str, **arguments: str) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        url = f"{tracking_uri}/api/2.0/mlflow/{call}"
        answer = session.get(url, params=arguments, timeout=10)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
