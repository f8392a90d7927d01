"""What commands on a deployed app share: its settings and ports, and how they fail."""

from __future__ import annotations

import getpass
import logging
import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import typer
from msgspec.structs import replace

from functions import connections
from functions.configuration import settings as known_settings
from functions.core.events import parsing
from functions.core.operators import typed_keys
from functions.core.terms.errors import ConfigurationError, LedgerUnavailable
from functions.core.terms.reasons import Reason
from functions.core.texts.times import parse_span
from relay import exits, printing
from relay.deployment import deployed
from relay.deployment.refusals import ArmError
from relay.deployment.signin import SignedIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from functions.configuration.settings import Settings
    from functions.core.kept.continuation import Continuation
    from functions.core.kept.summary import Listed
    from functions.core.ports.services import Ports
    from functions.core.terms.errors import Retryable
    from functions.core.terms.runs import Workspace
    from relay.deployment.deployed import Deployed
    from relay.forecasts.forecast import Unread


UNNAMED = (
    "name the app: --app RESOURCE_ID, or RUN_RELAY_APP; or have its settings in the environment "
    "(AzureWebJobsStorage or LEDGER_URL)"
)


class Office(NamedTuple):
    """The app's own settings and ports, and who acts on them."""

    settings: Settings
    ports: Ports
    identity: SignedIn

    def tell_stops(self, listed: Listed | None = None) -> None:
        """Say on the error output what stops the app, as its ledger tells.

        `listed`: all that is open, where it was read already. Raises LedgerUnavailable.
        """
        from functions.configuration import overseen  # noqa: PLC0415 - few commands tell it
        from functions.core.operators.stops.stop import Kind  # noqa: PLC0415 - the same

        if listed is None:
            listed = self.ports.ledger.listed(self.ports.clock.now(), 1)
        for stop in overseen.stops(self.settings, self.ports).look(listed):
            if stop.kind is not Kind.SETTING:  # of which every command tells
                how = "stopped" if stop.is_met else "notice"
                for line in (f"{how}: {stop.what}", *stop.more, f"to do: {stop.do}"):
                    printing.say(line if line.startswith(how) else f"  {line}", err=True)


class Found(NamedTuple):
    """The settings of an app, who acts, and the deployed app if one was named."""

    settings: Settings
    identity: SignedIn
    deployed: Deployed | None


@contextmanager
def found(app: str | None = None, routes: str | None = None) -> Iterator[Found]:
    """The app that the environment describes, or the deployed one of that resource id.

    `routes` is the route file on this machine. An error becomes one line and an exit code, as
    with `office`.
    """
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what matters of it is in the error
    identity = SignedIn(only_cli=bool(app))
    try:
        there = deployed.read(app, os.environ, identity) if app else None
        here = known_settings.read(os.environ)
        file = Path(routes) if routes else here.routes_file
        settings = replace(there.settings if there else here, routes_file=file)
        yield Found(settings, identity, there)
    except ConfigurationError as error:
        stop(exits.USAGE, str(error))
    except ArmError as error:
        stop(error.code, str(error))
    except LedgerUnavailable as error:
        stop(exits.REFUSED, f"the ledger: {error}")


@contextmanager
def office(app: str | None = None, routes: str | None = None) -> Iterator[Office]:
    """The app that the environment describes, or the deployed one of that resource id.

    An error becomes one line and an exit code. 2: a setting is missing or wrong; 3: there is no
    such app or ledger; 4: Azure, or the ledger, refused or did not answer.
    """
    with found(app, routes) as given:
        insist_on_ledger(given)
        settings, identity, _ = given
        for complaint in settings.complaints:
            printing.say(f"warning: {complaint}", err=True)
        ports = connections.connect(settings, identity=identity)
        if missing := missing_file(settings):
            stop(exits.NOT_FOUND, missing)
        yield Office(settings, ports, identity)


def insist_on_ledger(given: Found) -> None:
    """End the command where neither an app is named nor any ledger by the environment."""
    if given.deployed is None and not names_ledger(given.settings):
        stop(exits.USAGE, UNNAMED)


def names_ledger(settings: Settings) -> bool:
    """Whether the settings name a ledger, or mean to."""
    storage = settings.storage
    named = (settings.ledger_url, storage.connection_string, storage.table_url, settings.no_ledger)
    return any(named)


def resolved(office: Office, text: str) -> Continuation:
    """The one continuation that a KEY names; ends the command where there is none, or several."""
    try:
        return typed_keys.resolve(office.ports.ledger, text, office.settings.sweep.workspaces)
    except typed_keys.NotAKey as error:
        hint = f"\nfor a run: bin/relay why {printing.plain(text)}" if "/" not in text else ""
        stop(exits.USAGE, f"{error}{hint}")
    except typed_keys.Several as error:
        stop(exits.USAGE, "\n  ".join([f"{error}; say which:", *error.keys]))
    except typed_keys.Unknown as error:
        stop(exits.NOT_FOUND, str(error))


def stop(code: int, message: str) -> NoReturn:
    """End the command with a line on the error output."""
    printing.say(message, err=True)
    raise typer.Exit(code)


def unread(error: Retryable | Unread) -> int:
    """The exit code for what could not be read: it is not there, or somebody refused."""
    return exits.NOT_FOUND if error.reason is Reason.RUN_NOT_FOUND else exits.REFUSED


def whoever() -> str:
    """USER@HOST, as the record of who did something."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def workspaces(ids: list[str]) -> list[Workspace]:
    """Workspaces by their resource ids, as `--workspace` names them; raises typer.BadParameter."""
    try:
        return [parsing.workspace(text) for text in ids]
    except ValueError as error:
        raise typer.BadParameter(str(error).replace("the topic", "--workspace")) from None


def span(text: str) -> timedelta:
    """A length of time as in `90s`, `30m`, `24h`, `7d`, `2w`; raises typer.BadParameter."""
    if found := parse_span(text):
        return found
    raise typer.BadParameter(f"{text[:50]!r} is no length of time such as 30m, 24h or 7d")


def missing_file(settings: Settings) -> str:
    """What to say if the ledger is a file that is not there: a mistyped path is no empty ledger."""
    path = settings.ledger_file
    return "" if path is None or path.is_file() else f"there is no ledger at {path} (LEDGER_URL)"
