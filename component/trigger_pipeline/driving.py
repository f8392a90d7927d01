"""One continuation, driven to its end by the function app's own core over a ledger of its own.

    accept ──► started | failed | held
           └──► parked: throttled, no answer, in doubt ──► taken up when due, while patience lasts

So a sign-in page, a Retry-After and an answer that never came mean here what they mean there.
"""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions import bootstrap, connections
from functions.adapters.clock import SystemClock
from functions.adapters.devops import DevOpsPipelines
from functions.adapters.http.transport import Transport
from functions.configuration import settings
from functions.core.ports.services import Level
from functions.core.terms.deadline import Deadline
from functions.core.terms.policy import CLOCKS_DIFFER
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key, RunEvent, Workspace
from functions.core.terms.words import Outcome

from .standing import ModelRuns, OneRoute, StartedBefore, route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.services import Pipelines, Ports
    from functions.core.terms.deadline import Clock
    from functions.core.terms.runs import Model

    from .arguments import Wanted

FIRST_SECONDS = 60.0
STARTED_SINCE = timedelta(days=7)  # a job lasts no longer on most compute
MOST_SECRET_READS = 3
PASSED_ON = (
    *("AZURE_CLOUD", "DEVOPS_URL", "DEVOPS_AUTH"),
    *("RETRY_FIRST_SECONDS", "IN_DOUBT_GRACE_SECONDS"),
)
FOR_A_PERSON = frozenset({Reason.CREDENTIAL_REFUSED, Reason.REFUSED, Reason.SECRET_EXPIRED})


class Hours(NamedTuple):
    """How time passes: the clock, and how to wait so many seconds."""

    clock: Clock = SystemClock()
    wait: Callable[[float], None] = time.sleep


OURS = Hours()


class Where(NamedTuple):
    """The step's own run, as AML's variables tell it."""

    workspace: Workspace
    run: str
    experiment: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Where:
        """From the environment; outside AML there is a run id all the same."""
        named = ("AZUREML_ARM_SUBSCRIPTION", "AZUREML_ARM_RESOURCEGROUP")
        parts = (environ.get(name, "") for name in (*named, "AZUREML_ARM_WORKSPACE_NAME"))
        run = environ.get("AZUREML_RUN_ID") or environ.get("MLFLOW_RUN_ID") or uuid.uuid4().hex
        return cls(Workspace(*parts), run, environ.get("AZUREML_ARM_PROJECT_NAME", ""))


def environment(wanted: Wanted, environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """The app's settings for this step; of AML's variables only those that are meant for it.

    The ledger lies in the directory. A cluster names its identity in DEFAULT_IDENTITY_CLIENT_ID.
    https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication
    """
    identity = environ.get("AZURE_CLIENT_ID") or environ.get("DEFAULT_IDENTITY_CLIENT_ID", "")
    return {
        **{name: environ[name] for name in PASSED_ON if name in environ},
        "AZURE_CLIENT_ID": identity,
        "KEY_VAULT_URL": wanted.vault,
        "LEDGER_URL": f"sqlite:///{directory / 'ledger.db'}",
        "SWEEP": "off",
    }


def start(
    wanted: Wanted, model: Model, where: Where, environ: Mapping[str, str], hours: Hours = OURS
) -> Continuation:
    """Start the pipeline, and tell what came of it; raises nothing that a service may have done.

    Waits for whatever may still come, as long as patience lasts. `environ` is what `environment`
    gives.
    """
    known = settings.read(environ)
    ports = _ports(wanted, model, where, connections.connect(known, hours.clock), known.devops_url)
    for complaint in known.complaints:
        ports.journal.write(Level.ERROR, {"setting": "ignored", "detail": complaint})
    app = bootstrap.App(known, ports)
    (route,) = ports.routes.routes().routes
    event = _event(model, where, ports.clock.now())
    until = ports.clock.now() + timedelta(seconds=wanted.patience_seconds)
    deadline = Deadline(ports.clock, FIRST_SECONDS, whole=2 * FIRST_SECONDS)
    app.relay.accept(event, deadline, on=[route])
    key = Key(event.workspace.id.lower(), event.run, event.outcome, route.name)
    while _worth_waiting(c := _read(ports.ledger, key), until):
        hours.wait(max(0.0, (c.due_at - ports.clock.now()).total_seconds()))
        app.reconciler.reconcile()
    return c


def _read(ledger: Ledger, key: Key) -> Continuation:
    entry = ledger.read(key)
    assert entry is not None  # noqa: S101 - it was claimed by this very process
    return entry.continuation


def _worth_waiting(c: Continuation, until: datetime) -> bool:
    """A service may recover; what only a person can mend would keep the node for nothing."""
    if not c.is_open or c.due_at > until or c.reason in FOR_A_PERSON:
        return False
    return c.reason is not Reason.SECRET_UNREADABLE or c.attempts < MOST_SECRET_READS


def _event(model: Model, where: Where, now: datetime) -> RunEvent:
    return RunEvent(
        id=where.run,
        type="trigger_pipeline",
        subject="",
        time=now,
        workspace=where.workspace,
        run=model.run_id or "",
        outcome=Outcome.COMPLETED,
        experiment=where.experiment,
    )


def _ports(wanted: Wanted, model: Model, where: Where, ports: Ports, url: str) -> Ports:
    """The app's adapters, with what stands for AML and the route file."""
    pipelines: Pipelines = DevOpsPipelines(url, Transport(), wanted.api_version)
    if wanted.correlation_parameter:
        now = ports.clock.now()
        pipelines = StartedBefore(
            pipelines, (now - STARTED_SINCE, now + CLOCKS_DIFFER), ports.clock
        )
    routes = OneRoute(route_of(wanted, where.run))
    return ports._replace(runs=ModelRuns(model), routes=routes, pipelines=pipelines)
