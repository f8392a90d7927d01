"""Takes up what Event Grid gave up, from a folder or a container, and tells of each."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from functions.core.operators.dead_letters import DeadLetters, Fate, Sorted
from functions.core.operators.lists.commands import DAYS_OF_LETTERS
from functions.core.texts import jsontext
from functions.core.texts.phrases import counted
from relay import exits, printing
from relay.continuations import letters
from relay.deployment import opening
from relay.printing import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from relay.continuations.letters import File
    from relay.deployment.opening import Office

LONGEST = 1000  # characters of what is said of a dead letter
SAID_EVERY = 5.0  # seconds between lines of progress
LEFT = (
    f"left is what is older than --since ({DAYS_OF_LETTERS}d if not said): today's routes would "
    "start what was seen to in its time"
)


def take_up(office: Office, place: str, span: timedelta, *, as_json: bool, dry: bool) -> None:
    """Put those that are no older than the span into the inbox. `dry`: none is.

    Ends the command with 1 where one was refused.
    """
    ledger, clock = office.ports.ledger, office.ports.clock
    since = clock.now() - span
    inbox = DeadLetters(ledger, clock, office.settings.sweep.kept_for, since, dry=dry)
    every: list[tuple[str, Sorted]] = []
    try:
        for file in _slowly(_files(office, place)):
            for one in _opened(inbox, file):
                every.append((file.name, one))
                if not as_json and one.fate is not Fate.LEFT:  # of a year, at times
                    told = f"{file.name}: {one.event}, {one.fate} ({one.why})"
                    typer.echo(plain(told, LONGEST))
    except letters.Missing as error:
        opening.stop(exits.NOT_FOUND, str(error))
    except letters.Unreachable as error:
        opening.stop(exits.REFUSED, str(error))
    _conclude(every, as_json=as_json, dry=dry)


def _conclude(every: list[tuple[str, Sorted]], *, as_json: bool, dry: bool) -> None:
    fates = Counter(one.fate for _, one in every)
    if as_json:
        told = [{"file": name, **one._asdict()} for name, one in every]
        totals = {str(fate): fates[fate] for fate in Fate}
        document = {"dry_run": dry, "totals": totals, "letters": told}
        typer.echo(printing.as_json(document))
    else:
        how = "; nothing was written" if dry else ""
        named = (fate for fate in Fate if fates[fate] or fate is not Fate.LEFT)
        typer.echo(", ".join(f"{fates[fate]} {fate}" for fate in named) + how)
        if fates[Fate.LEFT]:
            printing.say(LEFT, err=True)
    if fates[Fate.REFUSED]:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)


def _files(office: Office, place: str) -> Iterator[File]:
    if "://" not in place:
        return letters.in_folder(Path(place))
    audience = office.settings.cloud.storage_audience
    return letters.Container(place, office.identity, audience).files()


def _opened(inbox: DeadLetters, file: File) -> Iterator[Sorted]:
    try:
        document = jsontext.read(file.body.decode("utf-8-sig"))
    except ValueError:
        return iter([Sorted("the file", Fate.REFUSED, "it is no JSON")])
    return inbox.take(document)


def _slowly(files: Iterator[File]) -> Iterator[File]:
    """The files; a line on the error output every few seconds tells that it goes on."""
    said = time.monotonic()
    for count, file in enumerate(files, start=1):
        yield file
        if time.monotonic() - said >= SAID_EVERY:
            said = time.monotonic()
            typer.echo(f"{counted(count, 'file')} so far", err=True)
