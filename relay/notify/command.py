"""`notify` as it is typed: the channels of the route file, and a test message to each."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from functions.core.kept.notice import Message
from functions.core.rounds.notices import channels
from functions.core.rounds.notices.sending import MOST_WAITING
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import InDoubt, Permanent, Retryable, RoutesUnreadable
from functions.core.texts.phrases import counted
from relay import exits, printing
from relay.deployment import deployed, opening
from relay.printing import at, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.rounds.notices.channels import Standing
    from functions.core.routes.channel import Channel
    from relay.deployment.opening import Office

SECONDS = 15.0
NOBODY = "nobody is told: the route file has no `notify`"
EXAMPLES = """Examples:

bin/relay notify

bin/relay notify --test --to teams/relay-teams --app /subscriptions/…/sites/run-relay
"""

_Test = Annotated[bool, typer.Option("--test", help="Send a message that says it is a test.")]
_To = Annotated[
    str | None,
    typer.Option(metavar="KIND/SECRET", help="Only this channel, as the list names it."),
]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(notify)


def notify(
    *,
    test: _Test = False,
    to: _To = None,
    as_json: printing.Json = False,
    routes: deployed.RoutesFile = None,
    app: deployed.App = None,
) -> None:
    """Tell which channels people are told by, what waits for each, and why.

    With --test a message is sent to each from this machine, by the addresses in the vault.

    Exits with 1 if the route file names no channel, 2 if it cannot be read, 3 if it names none of
    that name, 4 if a channel did not take the test, or the ledger cannot be read.
    """
    with opening.office(app, routes) as office:
        found = _named(office, to)
        if test:
            refused = [one for one in found if not _is_taken(office, one)]
            if refused:
                raise typer.Exit(exits.REFUSED)
        elif as_json:
            typer.echo(printing.as_json([_builtins(office, one) for one in found]))
        else:
            printing.echo(line for one in found for line in _lines(office, one))


def _named(office: Office, to: str | None) -> Sequence[Channel]:
    try:
        known = office.ports.routes.routes().channels
    except RoutesUnreadable as error:
        opening.stop(exits.USAGE, error.problems[0])
    if not known:
        opening.stop(exits.THE_ANSWER_IS_NO, NOBODY)
    found = [one for one in known if to in {None, one.name}]
    if not found:
        names = ", ".join(one.name for one in known)
        opening.stop(exits.NOT_FOUND, f"no channel {plain(to)}; there are {names}")
    return found


def _is_taken(office: Office, channel: Channel) -> bool:
    """Whether it took a test message; what came of it is printed."""
    clock = office.ports.clock
    message = Message(id=secrets.token_hex(16), at=clock.now())
    try:
        office.ports.messenger.send(channel, message, Deadline(clock, SECONDS))
    except (Retryable, Permanent, InDoubt) as error:
        printing.say(f"{channel.name}: not taken: {plain(error.detail, 500)}", err=True)
        return False
    printing.say(f"{channel.name}: taken, id {message.id}")
    return True


def _stands(office: Office, channel: Channel) -> tuple[Standing, int]:
    """Where it stands, and how much waits for it."""
    ledger = office.ports.ledger
    row = ledger.shared(channels.name(channel.name))
    return channels.standing(row.value), len(ledger.notices.waiting(MOST_WAITING, channel.name))


def _lines(office: Office, channel: Channel) -> Iterator[str]:
    known, waiting = _stands(office, channel)
    yield f"{channel.name}: of {', '.join(sorted(channel.about))}"
    told = at(known.told) if known.told else "nothing yet that is known"
    yield f"  last     {told}"
    if waiting:
        least = "at least " if waiting == MOST_WAITING else ""
        yield f"  waits    {least}{counted(waiting, 'notice', grouped=True)}"
    if known.why:
        until = f"; again at {at(known.held_until)}" if known.held_until else ""
        yield f"  why      {plain(known.why, 500)}{until}"


def _builtins(office: Office, channel: Channel) -> dict[str, Any]:
    known, waiting = _stands(office, channel)
    return {
        "channel": channel.name,
        "about": sorted(channel.about),
        "signing": channel.signing,
        "last": known.told.isoformat() if known.told else None,
        "waits": waiting,
        "waits_is_at_least": waiting == MOST_WAITING,
        "why": known.why,
        "held_until": known.held_until.isoformat() if known.held_until else None,
    }
