"""Every setting there is, once: name, meaning, default. Read from the environment on first use.

A number that does not parse keeps its default and is told in `complaints`: a mistyped setting
must not cost an event.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.events import workspace
from functions.core.policy import Policy, SweepMode, SweepPolicy
from functions.declared import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.values import Workspace

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 10.0**7
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CENTURY = 36_525 * DAY


class Cloud(Struct, frozen=True):
    """The public addresses of one Azure cloud.

    https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
    https://learn.microsoft.com/azure/china/resources-developer-guide
    """

    resource_manager: str
    studio: str
    storage_suffix: str
    storage_audience: str


CLOUDS = {
    "AzureCloud": Cloud(
        "https://management.azure.com",
        "https://ml.azure.com",
        "core.windows.net",
        "https://storage.azure.com",
    ),
    "AzureChinaCloud": Cloud(
        "https://management.chinacloudapi.cn",
        "https://studio.ml.azure.cn",
        "core.chinacloudapi.cn",
        "https://storage.azure.cn",
    ),
    "AzureUSGovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "https://ml.azure.us",
        "core.usgovcloudapi.net",
        "https://storage.azure.us",
    ),
}


class StorageSettings(Struct, frozen=True):
    """How the host's storage account is reached: connection string, or address and identity."""

    connection_string: str = ""
    table_url: str = ""
    client_id: str | None = None


class Settings(Struct, frozen=True, kw_only=True):
    """The settings as they are in force."""

    policy: Policy
    sweep: SweepPolicy
    cloud: Cloud
    resource_manager_url: str
    key_vault_url: str
    devops_url: str
    devops_entra: bool
    client_id: str | None
    routes_file: Path
    ledger_url: str
    ledger_table: str
    storage: StorageSettings
    outcome_topic: str
    telemetry: bool
    insights: str
    insights_entra: bool
    operations_entra: bool
    waits: bool
    waits_key: str
    complaints: tuple[str, ...] = ()


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. What cannot be meant is told in `complaints`."""
    given = _Given(environ)
    cloud = CLOUDS[given.choice("AZURE_CLOUD", *CLOUDS)]
    sweep = _sweep(given)
    return Settings(
        policy=_policy(given, cloud, sweep.kept_for),
        sweep=sweep,
        cloud=cloud,
        resource_manager_url=given.url("RESOURCE_MANAGER_URL", cloud.resource_manager),
        key_vault_url=given.url("KEY_VAULT_URL"),
        devops_url=given.url("DEVOPS_URL", "https://dev.azure.com"),
        devops_entra=given.choice("DEVOPS_AUTH", "pat", "entra") == "entra",
        client_id=given.text("AZURE_CLIENT_ID") or None,
        routes_file=ROOT / given.text("ROUTES_FILE", "routes.yaml"),
        ledger_url=given.text("LEDGER_URL"),
        ledger_table=given.text("LEDGER_TABLE", "continuations"),
        storage=_storage(given, cloud),
        outcome_topic=given.url("OUTCOME_TOPIC_ENDPOINT"),
        telemetry=given.flag("RELAY_OTEL"),
        insights=given.text("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        operations_entra=given.operations_entra(),  # in force since the function was declared
        waits=given.waits_on(),  # the same
        waits_key=given.text("WAITS_KEY_SECRET", "run-relay-waits-key"),
        insights_entra="AAD" in given.text("APPLICATIONINSIGHTS_AUTHENTICATION_STRING"),
        complaints=tuple(given.complaints),
    )


class _Given(Environment):
    """What only the app reads, once an event is there."""

    def url(self, name: str, default: str = "") -> str:
        """An address without a slash at its end; https where none is said."""
        value = self.text(name, default).rstrip("/")
        if not value or value.startswith(("https://", "http://")):
            return value
        self.complaints.append(f"{name}={value[:100]!r} is no address; https is assumed")
        return f"https://{value}"

    def number(self, name: str, default: float, at_most: float = LARGEST) -> float:
        value = self.text(name, str(default))
        try:
            parsed = float(value)
        except ValueError:
            parsed = -1.0
        if 0 < parsed <= at_most:
            return parsed
        self.complaints.append(
            f"{name}={value[:50]!r} is no number above 0 and up to {at_most:g}; {default:g} is used"
        )
        return default

    def workspaces(self, name: str) -> tuple[Workspace, ...]:
        """Resource ids between commas or spaces."""
        found = []
        for text in self.text(name).replace(",", " ").split():
            try:
                found.append(workspace(text))
            except ValueError:
                self.complaints.append(f"{name}: {text[:200]!r} is no AML workspace id; left out")
        return tuple(found)

    def seconds(self, name: str, default: float) -> timedelta:
        return timedelta(seconds=self.number(name, default))

    def span(self, name: str, default: float, unit: timedelta) -> timedelta:
        """So many of the unit, a century at most: no calendar goes back for ever."""
        return min(self.number(name, default), CENTURY / unit) * unit


def _policy(given: _Given, cloud: Cloud, kept_for: timedelta) -> Policy:
    return Policy(
        retry_first=given.seconds("RETRY_FIRST_SECONDS", 30),
        lease=given.seconds("CLAIM_LEASE_SECONDS", 120),
        grace=given.seconds("IN_DOUBT_GRACE_SECONDS", 600),
        credential_pause=given.seconds("CREDENTIAL_PAUSE_SECONDS", 900),
        delivery_deadline=given.number("DELIVERY_DEADLINE_SECONDS", 20, at_most=25),
        paused=given.flag("PAUSED"),
        tag_runs=given.flag("TAG_RUNS"),
        secret=given.text("DEVOPS_PAT_SECRET", "azure-devops-pat"),
        studio=cloud.studio,
        kept_for=kept_for,
    )


def _sweep(given: _Given) -> SweepPolicy:
    window = given.span("SWEEP_HOURS", 26, HOUR)
    return SweepPolicy(
        mode=SweepMode(given.choice("SWEEP", *SweepMode)),
        window=window,
        workspaces=given.workspaces("SWEEP_WORKSPACES"),
        kept_for=max(given.span("LEDGER_RETENTION_DAYS", 400, DAY), window + DAY),
    )


def _storage(given: _Given, cloud: Cloud) -> StorageSettings:
    """The host's own storage settings.

    https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    """
    account = given.text("AzureWebJobsStorage__accountName")
    default = f"https://{account}.table.{cloud.storage_suffix}" if account else ""
    return StorageSettings(
        connection_string=given.text("AzureWebJobsStorage"),
        table_url=given.text("AzureWebJobsStorage__tableServiceUri", default),
        client_id=given.text("AzureWebJobsStorage__clientId")
        or given.text("AZURE_CLIENT_ID")
        or None,
    )
