"""`export` as it is typed and as it ends."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.kept.history import LONGEST_HISTORY
from functions.core.memory import visits
from functions.core.texts.phrases import counted, lasting
from functions.core.texts.times import parse_span, parse_time
from relay import exits, printing
from relay.continuations.ticking import ticking
from relay.deployment import deployed, opening
from relay.export import places
from relay.export.journal import SETTLED, Journal, Stretch
from relay.printing import at

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from functions.core.ports.ledger import Ledger
    from functions.core.terms.runs import Key
    from relay.export.lines import Line
    from relay.export.places import Place

BY_DEFAULT = "30d"
WRITTEN_AT_ONCE = 200  # lines
EXAMPLES = """Examples:

bin/relay export --since 30d > audit.jsonl

bin/relay export --after "$(tail -n 1 audit.jsonl | jq -r .cursor)" >> audit.jsonl

bin/relay export --since 2026-10-01 --until 2026-11-01 | jq -c 'select(.by == "operator")'
"""


class Format(StrEnum):
    """How the lines are written."""

    JSONL = "jsonl"


_Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Decisions since then: 24h, 7d, 2026-10-01, 2026-10-01T06:00:00Z; in UTC. "
        f"{BY_DEFAULT} if neither this nor --after is said.",
    ),
]
_Until = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help=f"Decisions before then; never of the last {lasting(SETTLED)}."
    ),
]
_Format = Annotated[Format, typer.Option("--format", help="One JSON object in each line.")]
_After = Annotated[
    str | None,
    typer.Option(metavar="CURSOR", help="Only what comes after the line with this `cursor`."),
]


class Account:
    """What was written: how many lines, which one last, and whose history is not whole."""

    def __init__(self) -> None:
        self.lines = 0
        self.last: Place | None = None
        self.cut: set[Key] = set()

    def write(self, lines: Iterable[Line]) -> None:
        """Print the lines, some at a time."""
        left = iter(lines)
        while some := list(islice(left, WRITTEN_AT_ONCE)):
            typer.echo("\n".join(printing.json_line(line.document) for line in some))
            self.lines += len(some)
            self.last = some[-1].place
            self.cut |= {line.c.key for line in some if len(line.c.history) >= LONGEST_HISTORY}


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(export)


def export(
    *,
    since: _Since = None,
    until: _Until = None,
    form: _Format = Format.JSONL,
    after: _After = None,
    app: deployed.App = None,
) -> None:
    """Write every decision that the ledger knows, for an audit: who decided what, when and why.

    A line is one step of one continuation, in the order of time; docs/export.schema.json tells its
    fields. The values of secret variables are hidden. The `cursor` of the last line is what the
    next export goes on --after: it misses and doubles nothing.

    What is younger than 15 minutes is left to the next export, since something earlier may still
    be written. What ended long ago has left the ledger (LEDGER_RETENTION_DAYS).

    Exits with 0 also if there is nothing, 1 if rows of another version could not be read, 2 if a
    time or the cursor is none, 3 if there is no such app or ledger, 4 if the ledger cannot be read.
    """
    del form  # there is one
    account = Account()
    with ticking(lambda: account.lines), opening.office(app) as office:
        ledger = office.ports.ledger
        wanted = _wanted(office.ports.clock.now(), since, until, after)
        _warn(ledger, wanted)
        account.write(Journal(ledger).lines(wanted))
        _conclude(account, wanted, sorted(ledger.unreadable))


def _wanted(now: datetime, since: str | None, until: str | None, after: str | None) -> Stretch:
    """The lines that are wanted; raises typer.BadParameter."""
    settled = now - SETTLED
    ends = _time(until, now, "--until") if until else settled
    place = None if after is None else _place(after)
    if since or place is None:
        begins = _time(since or BY_DEFAULT, now, "--since")
        if begins >= min(ends, settled) and place is None:
            last = "--until" if ends < settled else f"what is {lasting(SETTLED)} old"
            raise typer.BadParameter(f"--since is not before {last}: there is nothing to tell")
    else:
        begins = place.at
    if ends > settled and until:
        typer.echo(f"warning: --until is {at(settled)}: later ones may still change", err=True)
    return Stretch(begins, min(ends, settled), place)


def _time(text: str, now: datetime, option: str) -> datetime:
    span, moment = parse_span(text), parse_time(text)
    found = now - span if span else moment
    if found is None:
        what = "is neither a length of time such as 30d nor a time such as 2026-10-01T06:00:00Z"
        raise typer.BadParameter(f"{option} {text[:50]!r} {what}")
    return found


def _place(cursor: str) -> Place:
    try:
        return places.named(cursor)
    except places.NotACursor as error:
        raise typer.BadParameter(f"--after {cursor[:80]!r}: {error}") from None


def _warn(ledger: Ledger, wanted: Stretch) -> None:
    """Say what cannot be told any more."""
    pruned = visits.recall(ledger).pruned
    if pruned and wanted.since < pruned:
        gone = f"what ended before {at(pruned)} may have left the ledger (LEDGER_RETENTION_DAYS)"
        typer.echo(f"warning: {gone} and is not told", err=True)


def _conclude(account: Account, wanted: Stretch, unreadable: list[str]) -> None:
    """Say what was written, how to go on, and what was not written; that ends with 1."""
    within = f"from {at(wanted.since)} to {at(wanted.until)}"
    if account.last:
        told = f"{counted(account.lines, 'line')} {within}; next: --after {account.last.cursor}"
    else:
        told = f"0 lines: the ledger knows of no decision {within}"
    typer.echo(told, err=True)
    if account.cut:
        many = counted(len(account.cut), "continuation")
        typer.echo(f"warning: {many} with so many steps that some were not kept", err=True)
    for why in unreadable:
        printing.say(f"not told: {why}", err=True)
    if unreadable:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)
