"""Every adapter by name, chosen by the settings; each is imported when it is first needed."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

    from functions.adapters.ahead import Ahead
    from functions.adapters.by_service import Named
    from functions.adapters.entra_tokens import KeptTokens
    from functions.adapters.telling.telemetry import Telemetry
    from functions.configuration.settings import Settings
    from functions.core.ports import services as ports
    from functions.core.ports.ledger import Ledger
    from functions.core.ports.notices import Messenger
    from functions.core.terms.deadline import Clock, Deadline


def connect(
    settings: Settings, clock: Clock | None = None, identity: TokenCredential | None = None
) -> ports.Ports:
    """The adapters that the settings name, not connected yet; the app's identity is the default."""
    from functions.adapters.ahead import Ahead, Beside
    from functions.adapters.clock import SystemClock
    from functions.adapters.routefile import RouteFile
    from functions.adapters.telling.log import LogfmtJournal
    from functions.core.ports.services import Ports

    def tasks() -> ports.Tasks:
        from functions.adapters.devops.tasks import DevOpsTasks
        from functions.adapters.http.transport import Transport

        return DevOpsTasks(settings.devops_url, Transport())

    clock, begin = clock or SystemClock(), Beside().begin
    signed = identity or managed_identity(settings.client_id, clock)
    return Ports(
        ledger=_ledger(settings, identity, clock),
        runs=_runs(settings, signed, Ahead(begin)),
        credentials=_credentials(settings, signed, clock, begin),
        pipelines=_pipelines(settings),
        routes=RouteFile(settings.routes_file),
        journal=LogfmtJournal(),
        clock=clock,
        outcomes=_outcomes(settings, signed),
        tasks=cast("ports.Tasks", _Later(tasks)),
        seal=cast("ports.Seal", _Later(lambda: _seal(settings, signed))),
        messenger=cast("Messenger", _Later(lambda: _messenger(settings, signed, clock))),
    )


class _Later:
    """A port that few apps use: made, and its module loaded, when it is first called."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._made = functools.cache(make)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any port
        return getattr(self._made(), name)


def _runs(settings: Settings, identity: TokenCredential, ahead: Ahead) -> ports.Runs:
    from functions.adapters.aml import AmlRuns, Workspaces
    from functions.adapters.entra import access_token
    from functions.adapters.entra_tokens import refused
    from functions.adapters.http.transport import Transport
    from functions.core.terms.reasons import Reason

    scope = f"{settings.cloud.resource_manager}/.default"
    token = functools.partial(access_token, identity, scope, Reason.RUN_UNREADABLE)
    where, refusing = settings.resource_manager_url, functools.partial(refused, identity)
    return AmlRuns(Workspaces(where, lambda: token().token, Transport(), refusing, ahead))


def managed_identity(client_id: str | None, clock: Clock | None = None) -> KeptTokens:
    """The app's managed identity, whose tokens are kept; its calls fit into a delivery.

    What the SDK logs may hold what the endpoint answered: only our words for it are logged.
    """
    from functions.adapters.clock import SystemClock
    from functions.adapters.entra_tokens import KeptTokens, asking
    from functions.adapters.telling.log import LogfmtJournal
    from functions.core.ports.services import Level

    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)

    def tell(why: str) -> None:
        LogfmtJournal().write(Level.WARNING, {"token": "not renewed", "detail": why})

    return KeptTokens(asking(client_id), clock or SystemClock(), tell)


def _credentials(
    settings: Settings, identity: TokenCredential, clock: Clock, begin: Callable[..., Any]
) -> ports.Credentials:
    from functions.adapters.ahead import Ahead
    from functions.adapters.by_service import CredentialsByService
    from functions.adapters.http.authorizing import to_devops, to_github

    def vault(made: Callable[[str], str]) -> Named:
        if not settings.key_vault_url:
            from functions.adapters.novault import MissingVault

            return MissingVault("DEVOPS_AUTH=entra" if made is to_devops else "")
        from functions.adapters.vault import VaultCredentials, open_vault

        client = open_vault(settings.key_vault_url, identity)
        return VaultCredentials(client, clock, Ahead(begin), made)

    def github() -> ports.Credentials:
        from functions.adapters.github import GitHubCredentials

        return GitHubCredentials(vault(to_github), settings.github_url, settings.github_app, clock)

    later = cast("ports.Credentials", _Later(github))
    if not settings.devops_entra:
        return CredentialsByService(vault(to_devops), later)
    from functions.adapters.entra import EntraCredentials

    return CredentialsByService(EntraCredentials(identity), later)


def _pipelines(settings: Settings) -> ports.Pipelines:
    from functions.adapters.by_service import PipelinesByService
    from functions.adapters.devops import DevOpsPipelines
    from functions.adapters.http.transport import Transport

    def github() -> ports.Pipelines:
        from functions.adapters.github import GitHubWorkflows

        return GitHubWorkflows(settings.github_url, Transport())

    devops = DevOpsPipelines(settings.devops_url, Transport(), settings.devops_version)
    return PipelinesByService(devops, cast("ports.Pipelines", _Later(github)))


def _secret(
    settings: Settings, identity: TokenCredential, name: str, deadline: Deadline, version: str = ""
) -> tuple[str, str]:
    from functions.adapters.novault import MissingVault
    from functions.adapters.vault import open_vault, secret

    if not settings.key_vault_url:
        MissingVault().read(name, deadline)
    vault = open_vault(settings.key_vault_url, identity)
    text, found = secret(vault, name, deadline, version)
    return text, found.version or ""


def _seal(settings: Settings, identity: TokenCredential) -> ports.Seal:
    from functions.adapters.sealing import Key, VaultSeal

    read = functools.partial(_secret, settings, identity, settings.waits_key)
    return VaultSeal(lambda version, deadline: Key(*read(deadline, version)))


def _messenger(settings: Settings, identity: TokenCredential, clock: Clock) -> Messenger:
    from functions.adapters.http.transport import Transport
    from functions.adapters.notices.messenger import ChannelMessenger, Setup

    read = functools.partial(_secret, settings, identity)
    setup = Setup(settings.notify_hosts, settings.policy.studio, settings.app)
    return ChannelMessenger(lambda *named: read(*named)[0], Transport(), clock, setup)


def _outcomes(settings: Settings, identity: TokenCredential) -> ports.Outcomes:
    from functions.adapters.telling.log import LogfmtJournal, NoOutcomes

    if not settings.outcome_topic:
        return NoOutcomes()
    from functions.adapters.telling.outcomes import EventGridOutcomes

    return EventGridOutcomes(settings.outcome_topic, identity, LogfmtJournal())


def _ledger(settings: Settings, identity: TokenCredential | None, clock: Clock) -> Ledger:
    from functions.core.terms.errors import ConfigurationError

    if settings.no_ledger:
        raise ConfigurationError(f"no ledger: {settings.no_ledger}")
    if settings.ledger_file:
        from functions.adapters.sqlite import SqliteLedger

        return SqliteLedger(settings.ledger_file)
    from functions.adapters.tables.opening import open_table
    from functions.adapters.tables.rows import PATIENT, USUAL, TableLedger

    usual = PATIENT if identity else USUAL  # a person may be far away, and asks for long lists
    storage, name = settings.storage, settings.ledger_table
    if storage.connection_string:
        table = open_table(name, connection_string=storage.connection_string)
        return TableLedger(table, usual=usual)
    if not storage.table_url:
        raise ConfigurationError(
            "no ledger: set AzureWebJobsStorage (a connection string, or "
            "AzureWebJobsStorage__accountName with an identity), or LEDGER_URL=sqlite:///path"
        )
    table = open_table(
        name,
        endpoint=storage.table_url,
        credential=identity or managed_identity(storage.client_id, clock),
        audience=settings.cloud.storage_audience,
    )
    return TableLedger(table, usual=usual)


def observer(settings: Settings) -> Telemetry | None:
    """What observes the app, if it is wanted; it exports where Application Insights is named."""
    if not settings.telemetry:
        return None
    from functions.adapters.telling.observing import begun

    signed = functools.partial(managed_identity, settings.client_id)
    return begun(settings.insights, signed if settings.insights_entra else None)
