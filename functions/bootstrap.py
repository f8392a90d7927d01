"""The composition root: every class is named here once, and built on the first event.

`build` takes any port from its caller, so that tests hand in fakes and wrapped adapters.
"""

from __future__ import annotations

import functools
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from functions import settings as known_settings
from functions.core.errors import ConfigurationError
from functions.core.ports import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from azure.core.credentials import TokenCredential

    from functions.adapters.telemetry import Telemetry
    from functions.core.deadline import Deadline
    from functions.core.overview import Overview
    from functions.core.ports import Clock, Credentials, Journal, Ledger, Outcomes, Ports
    from functions.core.relay import Relay
    from functions.core.rounds import Rounds
    from functions.core.sweeping import Sweep
    from functions.core.values import Key
    from functions.core.waiting import Waits
    from functions.settings import Settings

RESUMED_AT_ONCE = 8


class App(NamedTuple):
    """What the triggers call."""

    relay: Relay
    rounds: Rounds
    sweep: Sweep
    overview: Overview
    waits: Waits


@functools.cache
def app() -> App:
    """The one app of this process, from its environment; raises ConfigurationError."""
    logging.getLogger("azure").setLevel(logging.WARNING)  # else it logs every request it sends
    settings = known_settings.read(os.environ)
    ports, telemetry = connect(settings), _telemetry(settings)
    if telemetry:
        ports = telemetry.around(ports)
    for complaint in settings.complaints:
        ports.journal.write(Level.ERROR, {"setting": "ignored", "detail": complaint})
    whole = build(settings, ports)
    return whole._replace(relay=telemetry.counted(whole.relay)) if telemetry else whole


def build(settings: Settings, ports: Ports) -> App:
    """Put the core together over these ports."""
    from functions.core.admission import Admission
    from functions.core.chronicle import Chronicle
    from functions.core.desk import Desk
    from functions.core.doubt import Doubt
    from functions.core.horizon import Horizon
    from functions.core.overview import Overview
    from functions.core.relay import Relay
    from functions.core.rounds import Rounds
    from functions.core.starting import Starter
    from functions.core.sweeping import Sweep
    from functions.core.waiting import Waits

    policy = settings.policy
    desk, admission, chronicle = Desk(ports, policy), Admission(ports, policy), Chronicle(ports)
    starter = Starter(ports, policy, desk, admission)
    doubt = Doubt(ports, policy, desk, starter, chronicle)
    waits = Waits(ports, policy, chronicle, settings.sweep.workspaces)
    relay = Relay(ports, policy, desk, starter, doubt, waits)
    rounds = Rounds(
        ports,
        policy,
        relay=relay,
        doubt=doubt,
        admission=admission,
        chronicle=chronicle,
        waits=waits,
        for_each=functools.partial(_for_each, ports.journal),
    )
    horizon = Horizon(ports, policy)
    sweep = Sweep(ports, settings.sweep, relay=relay, chronicle=chronicle, horizon=horizon)
    return App(relay, rounds, sweep, Overview(ports, policy), waits)


def connect(
    settings: Settings, clock: Clock | None = None, identity: TokenCredential | None = None
) -> Ports:
    """The adapters that the settings name; nothing connects before its first use.

    `identity` signs in everywhere; without it the app's managed identity does.
    """
    from functions.adapters.aml import AmlRuns, Workspaces
    from functions.adapters.clock import SystemClock
    from functions.adapters.devops import DevOpsPipelines
    from functions.adapters.devops.tasks import DevOpsTasks
    from functions.adapters.entra import access_token
    from functions.adapters.logfmt import LogfmtJournal
    from functions.adapters.routefile import RouteFile
    from functions.adapters.sealing import VaultSeal
    from functions.adapters.transport import Transport
    from functions.core.ports import Ports
    from functions.core.reasons import Reason

    ledger = _ledger(settings, identity)
    identity = identity or _identity(settings.client_id)
    scope = f"{settings.cloud.resource_manager}/.default"
    clock = clock or SystemClock()
    workspaces = Workspaces(
        settings.resource_manager_url,
        lambda: access_token(identity, scope, Reason.RUN_UNREADABLE).token,
        Transport(),
    )
    journal = LogfmtJournal()
    return Ports(
        ledger=ledger,
        runs=AmlRuns(workspaces),
        credentials=_credentials(settings, identity, clock),
        pipelines=DevOpsPipelines(settings.devops_url, Transport()),
        routes=RouteFile(settings.routes_file),
        journal=journal,
        clock=clock,
        outcomes=_outcomes(settings, identity, journal),
        tasks=DevOpsTasks(settings.devops_url, Transport()),
        seal=VaultSeal(_key_of_waits(settings, identity)),
    )


def _telemetry(settings: Settings) -> Telemetry | None:
    """What observes the app, if it is wanted; it exports where Application Insights is named."""
    if not settings.telemetry:
        return None
    from functions.adapters.telemetry import Telemetry, export

    if settings.insights:
        export(
            settings.insights, _identity(settings.client_id) if settings.insights_entra else None
        )
    return Telemetry()


def _identity(client_id: str | None) -> TokenCredential:
    """The app's managed identity; its calls fit into a delivery."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(
        client_id=client_id, connection_timeout=3, read_timeout=5, retry_total=0
    )


def _credentials(settings: Settings, identity: TokenCredential, clock: Clock) -> Credentials:
    if settings.devops_entra:
        from functions.adapters.entra import EntraCredentials

        return EntraCredentials(identity)
    from functions.adapters.vault import MissingVault, VaultCredentials, open_vault

    if not settings.key_vault_url:
        return MissingVault()
    return VaultCredentials(open_vault(settings.key_vault_url, identity), clock)


def _key_of_waits(settings: Settings, identity: TokenCredential) -> Callable[[Deadline], str]:
    from functions.adapters.vault import MissingVault, open_vault, secret

    def read(deadline: Deadline) -> str:
        if not settings.key_vault_url:
            return MissingVault().read(settings.waits_key, deadline).authorization
        vault = open_vault(settings.key_vault_url, identity)
        return secret(vault, settings.waits_key, deadline)[0]

    return read


def _outcomes(settings: Settings, identity: TokenCredential, journal: Journal) -> Outcomes:
    from functions.adapters.outcomes import EventGridOutcomes, NoOutcomes

    if not settings.outcome_topic:
        return NoOutcomes()
    return EventGridOutcomes(settings.outcome_topic, identity, journal)


def _ledger(settings: Settings, identity: TokenCredential | None) -> Ledger:
    if settings.ledger_url:
        from functions.adapters.sqlite import SqliteLedger

        return SqliteLedger(_sqlite_path(settings.ledger_url))
    from functions.adapters.tables import TableLedger, open_table

    storage = settings.storage
    if storage.connection_string:
        return TableLedger(
            open_table(settings.ledger_table, connection_string=storage.connection_string)
        )
    if not storage.table_url:
        raise ConfigurationError(
            "no ledger: set AzureWebJobsStorage (a connection string, or "
            "AzureWebJobsStorage__accountName with an identity), or LEDGER_URL=sqlite:///path"
        )
    table = open_table(
        settings.ledger_table,
        endpoint=storage.table_url,
        credential=identity or _identity(storage.client_id),
        audience=settings.cloud.storage_audience,
    )
    return TableLedger(table)


def _sqlite_path(url: str) -> Path:
    """The path of `sqlite:///relative` or `sqlite:////absolute`."""
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path:
        raise ConfigurationError(f"LEDGER_URL={url[:50]!r} is not of the form sqlite:///path")
    return Path(path)


def _for_each(journal: Journal, work: Callable[[Key], None], keys: Iterable[Key]) -> None:
    """Work on every key, a few at once; one that fails unforeseen must not stop the others."""
    from concurrent.futures import ThreadPoolExecutor

    def guarded(key: Key) -> None:
        try:
            work(key)
        except Exception as error:  # noqa: BLE001 - the outermost edge of one continuation
            line = {"continuation": "crashed", "run": key.run, "route": key.route}
            journal.write(Level.ERROR, {**line, "detail": f"{type(error).__name__}: {error}"})

    with ThreadPoolExecutor(RESUMED_AT_ONCE, "reconcile") as pool:
        list(pool.map(guarded, keys))
