"""A deployment in the local Azure that lacks nothing, for each test to break in one place."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import azure.functions as func
import pytest
from typer.testing import CliRunner

from functions import eventgrid
from local.arm.alerts import ActionGroup, Rule
from local.arm.roles import READER, SECRETS_USER
from local.arm.vaults import VaultResource
from local.arm.web import Site
from local.cloud import SECRET, SUBSCRIPTION, WORKSPACE
from local.eventgrid.envelopes import CLOUD
from local.eventgrid.topic import Topic
from local.host.serving import Host
from local.trainings import COMPLETED, STATUS_CHANGED
from relay.__main__ import app
from tests.conftest import PAT
from tests.stage.azcli import AzureCli
from tests.stage.azure import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage.azure import Stage

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-relay/providers"
APP = f"{GROUP}/Microsoft.Web/sites/relay-app"
TOPIC = f"{GROUP}/Microsoft.EventGrid/systemTopics/ml-prod-events"
VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/relay-vault"
OPERATORS = f"{GROUP}/microsoft.insights/actionGroups/relay-operators"
RULES, ALERTS = f"{GROUP}/microsoft.insights/scheduledQueryRules", ("parked", "silent")
PRINCIPAL = "33333333-0000-4000-8000-000000000001"
CLIENT = "33333333-0000-4000-8000-000000000002"
KEY = "system-key-that-nobody-may-see"
ENDS = ["Completed", "Failed", "Canceled", "NotResponding"]
STATUSES: dict[str, Any] = {
    "event_types": [STATUS_CHANGED],
    "filters": [{"operatorType": "StringIn", "key": "data.runStatus", "values": ENDS}],
}
ON_SERVER = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE")


class Report(NamedTuple):
    """What the doctor answered."""

    code: int
    text: str
    errors: str
    findings: list[dict[str, str]]

    def of(self, check: str) -> list[tuple[str, str]]:
        """Status and words of a check's lines."""
        return [(f["status"], f["said"]) for f in self.findings if f["check"] == check]

    @property
    def bad(self) -> list[tuple[str, str]]:
        """Checks and words of what is not ok, but that a ledger of one machine is one."""
        odd = [f for f in self.findings if f["status"] != "ok"]
        return [(f["check"], f["said"]) for f in odd if not f["said"].startswith("LEDGER_URL is")]


class Patient:
    """A deployed app: its host in this process, everything around it in the local Azure."""

    def __init__(self, stage: Stage, az: AzureCli, directory: Path) -> None:
        self.stage, self.cloud, self.az = stage, stage.cloud, az
        triggers = func.FunctionApp()
        triggers.register_functions(eventgrid.blueprint(lambda: stage.app))
        settings = {"LOCAL_SYSTEM_KEY": KEY}
        self.host = Host(triggers, threads=4, timers=False, settings=settings)
        self.topic = Topic(key="k", resource=WORKSPACE, dead_letters=directory / "letters")
        self.own = {n: v for n, v in stage.environ.items() if n not in ON_SERVER}

    def webhook(self, function: str) -> str:
        return f"{self.host.webhook(function)}&code={KEY}"

    def deploy(self, site: dict[str, Any] | None = None, **given: str) -> None:
        """Let Resource Manager know the app, with these settings besides its own."""
        usual = {
            "host": self.host.url.removeprefix("http://"),
            "principals": {CLIENT: PRINCIPAL},
            "keys": {"eventgrid_extension": KEY},
        }
        settings = {**self.own, "AZURE_CLIENT_ID": CLIENT, **given}
        self.cloud.arm.sites.add(Site(APP, settings, **{**usual, **(site or {})}))

    def start(self) -> None:
        self.deploy()
        self.stage.ledger.letters(1)
        arm, ends = self.cloud.arm, now() + timedelta(days=90)
        arm.vaults.add(VaultResource(VAULT, self.cloud.vault.url))
        arm.roles.assign(PRINCIPAL, SECRETS_USER, VAULT)
        arm.roles.assign(PRINCIPAL, READER, WORKSPACE)
        arm.topics.add(TOPIC, self.topic)
        arm.groups.add(ActionGroup(OPERATORS, ["team@contoso.example"]))
        arm.rules.add(*(Rule(f"{RULES}/{n}", f"Run Relay: {n}", [OPERATORS]) for n in ALERTS))
        self.cloud.vault.put(SECRET, PAT, expires=ends)
        completed = self.webhook("on_run_completed")
        self.topic.subscribe("completed", completed, event_types=[COMPLETED])
        changed = self.webhook("on_run_status_changed")
        self.topic.subscribe("changed", changed, schema=CLOUD, **STATUSES)

    def environ(self) -> dict[str, str]:
        """The operator's own: nothing of the app."""
        nothing = dict.fromkeys(("KEY_VAULT_URL", "DEVOPS_URL", "LEDGER_URL"), "")
        arm = {"RESOURCE_MANAGER_URL": self.cloud.arm.url, "ROUTES_FILE": self.own["ROUTES_FILE"]}
        return {**nothing, **arm, **self.az.environ()}

    def examined(self, *arguments: str, **environ: str) -> Report:
        """What the doctor says, as JSON."""
        result = self.typed("--json", "--app", APP, "--workspace", WORKSPACE, *arguments, **environ)
        found = json.loads(result.stdout)["findings"] if result.stdout else []
        return Report(result.exit_code, result.stdout, result.stderr, found)

    def typed(self, *arguments: str, **environ: str) -> Any:
        """What a terminal shows."""
        return CliRunner().invoke(app, ["doctor", *arguments], env={**self.environ(), **environ})


@pytest.fixture
def patient(stage: Stage, tmp_path: Path) -> Iterator[Patient]:
    made = Patient(stage, AzureCli(tmp_path / "az", stage.cloud.identity), tmp_path)
    with ExitStack() as running:
        running.enter_context(made.host)
        running.enter_context(made.topic)
        made.start()
        yield made
