"""Every setting there is, once: name, meaning, default. Read from the environment on first use.

One that cannot be meant keeps its default and is told in `complaints`: a mistyped setting must not
cost an event. How each kind is read is in `functions/configuration/given.py`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from functions.configuration.clouds import CLOUDS, Cloud
from functions.configuration.given import Given, is_address
from functions.core.terms.policy import Policy, SweepMode, SweepPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONGEST_LOOK = 60  # seconds that one look may take
# https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model#table-names
TABLE = re.compile(r"(?!tables$)[a-z][a-z0-9]{2,62}", re.IGNORECASE)
# https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name
ACCOUNT = re.compile(r"[a-z0-9]{3,24}", re.IGNORECASE)
FILE = "sqlite:///"
NO_FILE = f"{FILE}:memory:"  # a ledger that ends with the process


class StorageSettings(Struct, frozen=True):
    """How the host's storage account is reached: connection string, or address and identity."""

    connection_string: str = ""
    table_url: str = ""
    client_id: str | None = None


class Settings(Struct, frozen=True, kw_only=True):
    """The settings as they are in force. `no_ledger`: why no ledger can be meant by them.

    `app`: the app's own resource id, "" where Azure does not tell all of it.
    `schedules`: those of the timers, by the timers' names.
    """

    policy: Policy
    sweep: SweepPolicy
    cloud: Cloud
    resource_manager_url: str
    key_vault_url: str
    devops_url: str
    devops_version: str
    devops_entra: bool
    github_url: str
    github_app: str
    app: str
    client_id: str | None
    routes_file: Path
    ledger_url: str
    ledger_table: str
    storage: StorageSettings
    outcome_topic: str
    notify_hosts: tuple[str, ...]
    telemetry: bool
    insights: str
    insights_entra: bool
    operations_entra: bool
    waits: bool
    waits_key: str
    waits_organizations: tuple[str, ...]
    schedules: dict[str, str] = field(default_factory=dict)
    no_ledger: str = ""
    complaints: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def ledger_file(self) -> Path | None:
        """The file that is the ledger; None where another store is."""
        named = self.ledger_url.removeprefix(FILE)
        return Path(named) if named != self.ledger_url else None


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. What cannot be meant is told in `complaints`.

    What is taken as it is, though it may not be meant, is told in `doubts`.
    """
    given = Given(environ)
    cloud = CLOUDS[given.choice("AZURE_CLOUD", *CLOUDS)]
    sweep = _sweep(given)
    telemetry = given.flag("RELAY_OTEL")
    policy = _policy(given, cloud, sweep.kept_for)
    devops_url = given.devops("DEVOPS_URL")
    found = Settings(
        policy=policy,
        sweep=sweep,
        cloud=cloud,
        resource_manager_url=given.url("RESOURCE_MANAGER_URL", cloud.resource_manager),
        key_vault_url=given.vault("KEY_VAULT_URL"),
        devops_url=devops_url,
        devops_version=given.rest_version("DEVOPS_API_VERSION", "7.1"),
        devops_entra=policy.by_identity,
        github_url=given.github("GITHUB_URL"),
        github_app=given.github_app("GITHUB_APP_ID"),
        app=given.own_id(),
        client_id=given.guid("AZURE_CLIENT_ID"),
        routes_file=ROOT / given.routes("ROUTES_FILE", "routes.yaml"),
        ledger_url=given.of_ledger("LEDGER_URL", f"{FILE}path", re.compile(f"{FILE}.+").fullmatch),
        ledger_table=_table(given),
        storage=_storage(given, cloud),
        outcome_topic=given.secure_url("OUTCOME_TOPIC_ENDPOINT"),
        notify_hosts=given.hosts("NOTIFY_HOSTS"),
        telemetry=telemetry,
        insights=_insights(given, wanted=telemetry),
        insights_entra=_insights_entra(given, wanted=telemetry),
        operations_entra=given.operations_entra(),  # in force since the function was declared
        waits=given.waits_on(),  # the same
        waits_key=given.secret_name("WAITS_KEY_SECRET", "run-relay-waits-key"),
        waits_organizations=given.organizations("WAITS_ORGANIZATIONS", devops_url),
    )
    return _judged(given, found)


def _policy(given: Given, cloud: Cloud, kept_for: timedelta) -> Policy:
    return Policy(
        retry_first=given.seconds("RETRY_FIRST_SECONDS", 30),
        lease=given.seconds("CLAIM_LEASE_SECONDS", 120, usual=LONGEST_LOOK),
        grace=given.seconds("IN_DOUBT_GRACE_SECONDS", 600),
        credential_pause=given.seconds("CREDENTIAL_PAUSE_SECONDS", 900),
        delivery_deadline=given.number("DELIVERY_DEADLINE_SECONDS", 20, at_most=25),
        paused=given.flag("PAUSED"),
        tag_runs=given.flag("TAG_RUNS"),
        secret=given.secret_name("DEVOPS_PAT_SECRET", "azure-devops-pat"),
        github_secret=given.secret_name("GITHUB_SECRET", "github-token"),
        by_identity=given.choice("DEVOPS_AUTH", "pat", "entra") == "entra",
        studio=cloud.studio,
        kept_for=kept_for,
        parts=given.reconcile_parts(),  # in force since the functions were declared
    )


def _sweep(given: Given) -> SweepPolicy:
    window = given.span("SWEEP_HOURS", 26, HOUR)
    return SweepPolicy(
        mode=SweepMode(given.choice("SWEEP", *SweepMode)),
        window=window,
        workspaces=given.workspaces("SWEEP_WORKSPACES"),
        kept_for=max(given.span("LEDGER_RETENTION_DAYS", 400, DAY), window + DAY),
    )


def _table(given: Given) -> str:
    form = "a letter, then 2 to 62 letters and digits"
    return given.of_ledger("LEDGER_TABLE", form, TABLE.fullmatch, "continuations")


def _storage(given: Given, cloud: Cloud) -> StorageSettings:
    """The host's own storage settings.

    https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    """
    form = "3 to 24 letters and digits"
    account = given.of_ledger("AzureWebJobsStorage__accountName", form, ACCOUNT.fullmatch)
    default = f"https://{account}.table.{cloud.storage_suffix}" if account else ""
    form = "https://HOST"
    return StorageSettings(
        connection_string=given.of_ledger("AzureWebJobsStorage", "", bool),
        table_url=given.of_ledger("AzureWebJobsStorage__tableServiceUri", form, is_address)
        or default,
        client_id=given.guid("AzureWebJobsStorage__clientId", given.guid("AZURE_CLIENT_ID")),
    )


def _judged(given: Given, found: Settings) -> Settings:
    """The same settings, with what is to be said of them."""
    schedules = {"reconcile": given.reconcile_schedule(), "sweep": given.sweep_schedule()}
    return replace(
        found,
        schedules=schedules,
        no_ledger=_no_ledger(given, found),
        complaints=tuple(given.complaints),
        doubts=tuple(given.doubts),
    )


def _no_ledger(given: Given, found: Settings) -> str:
    """What is wrong with the settings that say which ledger, of those that count."""
    if found.ledger_url:
        return ""
    parts = ("__tableServiceUri", "__accountName") * (not found.storage.connection_string)
    storage = [f"AzureWebJobsStorage{part}" for part in ("", *parts)]
    counting = ("LEDGER_URL", *storage, "LEDGER_TABLE")
    return next((given.faults[name] for name in counting if name in given.faults), "")


def _insights(given: Given, *, wanted: bool) -> str:
    """Where telemetry goes to. Its text is not shown."""
    told = given.text("APPLICATIONINSIGHTS_CONNECTION_STRING")
    if not (wanted and told):
        return told
    from functions.configuration import insights  # noqa: PLC0415 - where telemetry is wanted

    return insights.taken(given, told)


def _insights_entra(given: Given, *, wanted: bool) -> bool:
    """Whether telemetry is signed: `ClientId=…;Authorization=AAD`, in any order.

    https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication
    """
    name = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
    value = given.text(name)
    signed = "authorization=aad" in value.lower().replace(" ", "").split(";")
    if wanted and value and not signed:
        given.refuse(f"{name} does not say Authorization=AAD", "")
    return signed
