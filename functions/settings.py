"""Every setting there is, once: name, meaning, default. Read from the environment on first use.

A number that does not parse keeps its default and is told in `complaints`: a mistyped setting
must not cost an event.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.errors import ConfigurationError
from functions.core.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
EVERY_MINUTE = "0 * * * * *"
LARGEST = 10.0**7


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
    complaints: tuple[str, ...] = ()


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment; raises ConfigurationError for a cloud that is not known."""
    given = _Given(environ)
    cloud = _cloud(given.text("AZURE_CLOUD", "AzureCloud"))
    return Settings(
        policy=_policy(given, cloud),
        cloud=cloud,
        resource_manager_url=given.text("RESOURCE_MANAGER_URL", cloud.resource_manager).rstrip("/"),
        key_vault_url=given.text("KEY_VAULT_URL"),
        devops_url=given.text("DEVOPS_URL", "https://dev.azure.com"),
        devops_entra=given.choice("DEVOPS_AUTH", "pat", "entra") == "entra",
        client_id=given.text("AZURE_CLIENT_ID") or None,
        routes_file=Path(given.text("ROUTES_FILE", str(ROOT / "routes.yaml"))),
        ledger_url=given.text("LEDGER_URL"),
        ledger_table=given.text("LEDGER_TABLE", "continuations"),
        storage=_storage(given, cloud),
        complaints=tuple(given.complaints),
    )


def reconcile_schedule(environ: Mapping[str, str]) -> str:
    """NCRONTAB of the reconciler; read when the function is declared."""
    return _Given(environ).text("RECONCILE_SCHEDULE", EVERY_MINUTE)


class _Given:
    """An environment, read with defaults; what does not parse is complained about, not fatal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def flag(self, name: str) -> bool:
        value = self.text(name, "0").lower()
        if value not in {"0", "false", "no", "off", "1", "true", "yes", "on"}:
            self.complaints.append(f"{name}={value[:50]!r} is neither 0 nor 1; 1 is used")
        return value not in {"0", "false", "no", "off"}

    def choice(self, name: str, default: str, *others: str) -> str:
        """One of the words, in any case."""
        value = self.text(name, default).lower()
        if value in {default, *others}:
            return value
        allowed = ", ".join((default, *others))
        self.complaints.append(f"{name}={value[:50]!r} is not one of {allowed}; {default} is used")
        return default

    def number(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            parsed = float(value)
        except ValueError:
            parsed = -1.0
        if 0 < parsed < LARGEST:
            return parsed
        self.complaints.append(f"{name}={value[:50]!r} is no positive number; {default:g} is used")
        return default

    def seconds(self, name: str, default: float) -> timedelta:
        return timedelta(seconds=self.number(name, default))


def _policy(given: _Given, cloud: Cloud) -> Policy:
    return Policy(
        retry_first=given.seconds("RETRY_FIRST_SECONDS", 30),
        lease=given.seconds("CLAIM_LEASE_SECONDS", 120),
        grace=given.seconds("IN_DOUBT_GRACE_SECONDS", 600),
        credential_pause=given.seconds("CREDENTIAL_PAUSE_SECONDS", 900),
        delivery_deadline=given.number("DELIVERY_DEADLINE_SECONDS", 20),
        paused=given.flag("PAUSED"),
        secret=given.text("DEVOPS_PAT_SECRET", "azure-devops-pat"),
        studio=cloud.studio,
    )


def _cloud(name: str) -> Cloud:
    try:
        return CLOUDS[name]
    except KeyError:
        allowed = ", ".join(CLOUDS)
        raise ConfigurationError(f"AZURE_CLOUD={name[:50]!r} is not one of {allowed}") from None


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
