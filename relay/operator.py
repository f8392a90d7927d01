"""What commands on a deployed app share: its ports, from the environment, and how they fail."""

from __future__ import annotations

import getpass
import logging
import os
import re
import socket
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import typer

from functions import bootstrap
from functions import settings as known_settings
from functions.core.errors import ConfigurationError, LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.credentials import AccessToken

    from functions.bootstrap import Ports
    from functions.settings import Settings

THE_ANSWER_IS_NO = 1
USAGE = 2
NOT_FOUND = 3
REFUSED = 4

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhdw])")


class SignedIn:
    """Whoever is signed in here: environment, managed identity, Azure CLI, in the SDK's order.

    https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains
    """

    def __init__(self) -> None:
        self._credential: Any = None

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> AccessToken:
        """A token as the SDK gives it; raises its ClientAuthenticationError."""
        if self._credential is None:
            from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - most need none

            self._credential = DefaultAzureCredential()
        token: AccessToken = self._credential.get_token(
            *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **options
        )
        return token


class Office(NamedTuple):
    """The app's own settings and ports, and who acts on them."""

    settings: Settings
    ports: Ports
    identity: SignedIn


@contextmanager
def office() -> Iterator[Office]:
    """The app that the environment describes; an error in it becomes one line and an exit code.

    2: a setting is missing or wrong; 3: there is no such ledger; 4: the ledger did not answer.
    """
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what matters of it is in the error
    try:
        settings = known_settings.read(os.environ)
        for complaint in settings.complaints:
            typer.echo(f"warning: {complaint}", err=True)
        identity = SignedIn()
        ports = bootstrap.connect(settings, identity=identity)
        _insist_on_file(settings.ledger_url)
        yield Office(settings, ports, identity)
    except ConfigurationError as error:
        stop(USAGE, str(error))
    except LedgerUnavailable as error:
        stop(REFUSED, f"the ledger: {error}")


def stop(code: int, message: str) -> NoReturn:
    """End the command with a line on the error output."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def whoever() -> str:
    """USER@HOST, as the record of who did something."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def span(text: str) -> timedelta:
    """A length of time as in `90s`, `30m`, `24h`, `7d`, `2w`; raises typer.BadParameter."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise typer.BadParameter(f"{text[:50]!r} is no length of time such as 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _insist_on_file(ledger_url: str) -> None:
    """A mistyped path must not look like an empty ledger."""
    path = ledger_url.removeprefix("sqlite:///")
    if ledger_url and not Path(path).is_file():
        stop(NOT_FOUND, f"there is no ledger at {path} (LEDGER_URL)")
