"""`reconcile` does from outside what the app's timer does each minute: one round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from functions.adapters.telling import log
from functions.bootstrap import App
from functions.core.memory import file_order
from functions.core.ports.services import Level
from functions.core.rounds import bounds, noted
from functions.core.rounds.expiry import senders
from functions.core.rounds.watch import By
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable, RoutesUnreadable
from functions.core.texts.phrases import lasting
from functions.core.texts.times import parse_time
from relay import exits, printing
from relay.continuations.ticking import ticking
from relay.deployment import deployed, opening

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.ports.ledger import Ledger
    from functions.core.rounds.noted import Done
    from functions.core.routes.definition import Routes
    from relay.deployment.opening import Office

READING = 10.0  # seconds, for one secret
EXAMPLES = """Examples:

bin/relay reconcile --app /subscriptions/…/sites/run-relay --routes routes.yaml

bin/relay reconcile --app … --json | jq '.open'
"""
OTHER_FILE = (
    "the route file here is not the one that the app works with: check out what is deployed, or "
    "name it with --routes"
)
LEFT = "something that is due is left: run it again"
PAUSED = "the app is paused (PAUSED=1): nothing is started, what was asked already is looked after"


@dataclass
class Account:
    """The journal of the round: tells as it goes, and keeps it."""

    shows: bool
    told: list[Mapping[str, object]] = field(default_factory=list)

    def write(self, level: Level, fields: Mapping[str, object]) -> None:
        """Keep the line, and print it, if it is more than one for debugging."""
        if level < Level.INFO or "round" in fields:
            return
        self.told.append(fields)
        if self.shows:
            printing.say(log.line(fields))


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(reconcile)


def reconcile(
    *,
    routes: deployed.RoutesFile = None,
    as_json: printing.Json = False,
    app: deployed.App = None,
) -> None:
    """Do one round for an app whose timers have stopped: what is parked and due goes on.

    It claims as the app does, so that nothing starts twice whoever else is at work.
    Secrets, runs and Azure DevOps are reached as you are signed in.

    Exits with 1 if something that is due is left.
    """
    account = Account(shows=not as_json)
    with ticking(lambda: len(account.told)), opening.office(app, routes) as office:
        _insist(office, remote=bool(app))
        ports = office.ports._replace(journal=account)
        reconciler = App(office.settings, ports).reconciler
        done = reconciler.round(bounds.whole(ports.clock), By.OPERATOR)
    paused = office.settings.policy.paused
    if as_json:
        typer.echo(printing.as_json(_document(done, account, paused=paused)))
    else:
        _summary(done)
    if done.left:
        printing.say(LEFT, err=True)
        raise typer.Exit(exits.THE_ANSWER_IS_NO)


def _insist(office: Office, *, remote: bool) -> None:
    """End the command before anything is claimed that could only be put off again."""
    if remote:
        deployed.insist_for_effects(office.settings)
    try:
        routes = office.ports.routes.routes()
    except RoutesUnreadable as error:
        opening.stop(exits.USAGE, error.problems[0])
    if _works_with(office.ports.ledger) not in {"", routes.file}:
        opening.stop(exits.USAGE, OTHER_FILE)
    if office.settings.policy.paused:
        return printing.say(PAUSED, err=True)
    return _read_secrets(office, routes)


def _works_with(ledger: Ledger) -> str:
    """What stands for the app's route file: that of its last round, or one that was met since."""
    met, last = ledger.shared(file_order.FILES).value.get("files", []), noted.recall(ledger)
    newest, at = met[-1] if met else ("", "")
    met_at = parse_time(at)
    is_later = met_at and last.with_file and met_at > last.with_file
    return str(newest) if is_later or not last.saw.file else last.saw.file


def _read_secrets(office: Office, routes: Routes) -> None:
    ports = office.ports
    for sender in senders(routes, office.settings.policy):
        try:
            ports.credentials.read(sender, Deadline(ports.clock, READING))
        except Retryable as error:
            opening.stop(exits.REFUSED, f"nothing was done: {error.detail}")


def _summary(done: Done) -> None:
    oldest = "" if done.oldest is None else f", the oldest for {lasting(done.oldest)}"
    more = "" if done.whole else "at least "
    typer.echo(
        f"looked at {done.looked_at}, resumed {done.resumed}; {more}{done.open} open{oldest}; "
        f"{done.seconds:.1f} s"
    )


def _document(done: Done, account: Account, *, paused: bool) -> dict[str, Any]:
    told = [{name: _simple(value) for name, value in line.items()} for line in account.told]
    oldest = None if done.oldest is None else round(done.oldest)
    return {
        "looked_at": done.looked_at,
        "resumed": done.resumed,
        "left": done.left,
        "open": done.open,
        "open_is_at_least": not done.whole,
        "oldest_s": oldest,
        "seconds": round(done.seconds, 1),
        "paused": paused,
        "told": told,
    }


def _simple(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
