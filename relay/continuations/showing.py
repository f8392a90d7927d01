"""`show` shows one continuation whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from functions.core.kept import after
from functions.core.operators import typed_keys
from functions.core.operators.lists import holders, people
from relay import printing
from relay.deployment import deployed, opening
from relay.forecasts import requests, telling
from relay.printing import at, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.kept.continuation import Continuation
    from relay.deployment.opening import Office

EXAMPLES = """Examples:

bin/relay show register-model/plum_pot_1/Completed

bin/relay show register-model/plum_pot_1/Completed@ml-prod --json
"""

_Key = Annotated[
    str, typer.Argument(metavar="KEY", help="ROUTE/RUN_ID/OUTCOME, @WORKSPACE where ambiguous.")
]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(show)


def show(key: _Key, *, as_json: printing.Json = False, app: deployed.App = None) -> None:
    """Show one continuation whole: why it is where it is, what its event told, its request.

    The values of secret variables are hidden.

    Exits with 2 if the KEY is none or fits several workspaces, 3 if it is not in the ledger, 4 if
    the ledger cannot be read.
    """
    with opening.office(app) as office:
        c = opening.resolved(office, key)
        if as_json:
            now, before = office.ports.clock.now(), _before(office, c)
            told = people.told(office.ports.ledger, c)
            document = telling.continuation(c, now, office.settings, before, told)
            typer.echo(printing.as_json({**document, "event": msgspec.to_builtins(c.event)}))
        else:
            printing.echo(_whole(office, c))


def _whole(office: Office, c: Continuation) -> Iterator[str]:
    settings = office.settings
    (name,) = typed_keys.whole([c])
    yield plain(name, 1000)
    now, told = office.ports.clock.now(), people.told(office.ports.ledger, c)
    yield from telling.lines(c, now, settings, _before(office, c), told)
    if page := telling.page_url(settings, c):
        yield f"  run      {page}"
    yield "  event"
    for what, value in _told(c):
        yield f"    {plain(what):<24} {plain(value)}"
    if c.request:
        yield f"  request  with the credential {plain(c.request.secret)}"
        yield from (f"    {line}" for line in requests.request_lines(c.request, settings))


def _before(office: Office, c: Continuation) -> Sequence[str]:
    return holders.before(office.ports.ledger, office.ports.clock, c)


def _told(c: Continuation) -> Iterator[tuple[str, object]]:
    """What the event told, as the facts that it is."""
    event = c.event
    yield from {
        "event.id": event.id,
        "event.type": event.type,
        "event.time": at(event.time) if event.time else "",
        "workspace.id": event.workspace.id,
        "run.experiment": event.experiment,
        "run.type": event.run_type,
        **{f"{after.AFTER_END}.{name}": value for name, value in after.end(event).items()},
        **{f"run.tags.{name}": value for name, value in (event.tags or {}).items()},
        **{f"run.properties.{name}": value for name, value in event.properties.items()},
    }.items()
