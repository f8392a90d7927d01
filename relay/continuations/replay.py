"""`replay` has another go at what ended without a pipeline run, and at what Event Grid gave up."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from functions.core.operators import typed_keys
from functions.core.operators.dead_letters import DeadLetters, Fate, Sorted
from functions.core.operators.replaying import Replaying, ended
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.words import State
from functions.core.texts import jsontext
from relay import exits, printing
from relay.deployment import deployed, opening
from relay.printing import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation
    from functions.core.operators.replaying import Answer
    from relay.continuations.letters import File
    from relay.deployment.opening import Office

BY_DEFAULT = "24h"
LONGEST = 1000  # characters of what is said of a dead letter
SAID_EVERY = 5.0  # seconds between lines of progress

_Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY...", help="ROUTE/RUN_ID/OUTCOME, @WORKSPACE where ambiguous."),
]
_Failed = Annotated[bool, typer.Option("--failed", help="Whatever failed.")]
_Held = Annotated[bool, typer.Option("--held", help="Whatever is held.")]
_Since = Annotated[
    str | None, typer.Option(metavar="SPAN", help=f"How far back: 90m, 24h, 7d ({BY_DEFAULT}).")
]
_IgnoreGate = Annotated[
    bool, typer.Option("--ignore-gate", help="Start it whatever the route's gate says.")
]
_AsStarted = Annotated[
    int | None,
    typer.Option(metavar="BUILD_ID", min=1, help="In doubt: this pipeline run was started for it."),
]
_Again = Annotated[
    bool, typer.Option("--again", help="In doubt: nothing was queued for it, so start it anew.")
]
_DeadLetters = Annotated[
    str | None,
    typer.Option(metavar="URL_OR_FOLDER", help="Take up Event Grid's dead letters from there."),
]
_As = Annotated[str, typer.Option("--as", metavar="NAME", help="Who asks, for the record.")]


class _Wish(NamedTuple):
    """The options that say how one continuation is replayed."""

    ignore_gate: bool
    as_started: int | None
    again: bool

    def ask(self, replaying: Replaying, c: Continuation) -> Answer:
        if self.as_started is not None:
            return replaying.name(c.key, PipelineRun(id=self.as_started))
        if self.again:
            return replaying.ask_anew(c.key, ignore_gate=self.ignore_gate)
        return replaying.replay(c.key, ignore_gate=self.ignore_gate)


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command()(replay)


def replay(  # noqa: PLR0913 - one argument per option
    key: _Keys = None,
    *,
    failed: _Failed = False,
    held: _Held = False,
    since: _Since = None,
    ignore_gate: _IgnoreGate = False,
    as_started: _AsStarted = None,
    again: _Again = False,
    dead_letters: _DeadLetters = None,
    who: _As = "",
    app: deployed.App = None,
) -> None:
    """Replay what is held or failed, settle what is in doubt, or take up dead letters.

    Only the ledger is written; the app's reconciler does the work, soon.
    What was started stays as it is.

    Exits with 1 if something was left as it is that is not started.
    """
    wish = _Wish(ignore_gate, as_started, again)
    states = _states(failed=failed, held=held)
    _check(key or [], wish, states, since, dead_letters)
    span = opening.span(since or BY_DEFAULT)
    with opening.office(app) as office:
        ledger, clock = office.ports.ledger, office.ports.clock
        if dead_letters:
            return _take_up(office, dead_letters)
        replaying = Replaying(ledger, clock, who or opening.whoever())
        if states:
            found = list(ended(ledger, states, clock.now() - span))
        else:
            found = [opening.resolved(office, text) for text in dict.fromkeys(key or [])]
        return _replay(replaying, wish, found)


def _states(*, failed: bool, held: bool) -> frozenset[State]:
    chosen = {State.FAILED: failed, State.HELD: held}
    return frozenset(state for state, wanted in chosen.items() if wanted)


def _check(
    texts: list[str],
    wish: _Wish,
    states: frozenset[State],
    since: str | None,
    dead_letters: str | None,
) -> None:
    """Refuse what contradicts itself; raises typer.BadParameter."""
    if [bool(texts), bool(states), dead_letters is not None].count(True) != 1:
        raise typer.BadParameter("say what: KEY..., --failed and --held, or --dead-letters")
    if since and not states:
        raise typer.BadParameter("--since goes with --failed or --held")
    if wish.as_started is not None and (wish.again or wish.ignore_gate):
        raise typer.BadParameter("--as-started goes with neither --again nor --ignore-gate")
    if (wish.as_started is not None or wish.again) and len(texts) != 1:
        raise typer.BadParameter("--as-started and --again go with exactly one KEY")
    if wish.ignore_gate and dead_letters is not None:
        raise typer.BadParameter("--ignore-gate does not go with --dead-letters")


def _replay(replaying: Replaying, wish: _Wish, found: list[Continuation]) -> None:
    refused = 0
    for c, name in zip(found, typed_keys.whole(found), strict=True):
        answer = wish.ask(replaying, c)
        printing.say(f"{name}: {answer.what}")
        refused += not answer.done
    if len(found) != 1:
        typer.echo(f"{len(found)} in all, {refused} of them not changed")
    if refused:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)


def _take_up(office: Office, place: str) -> None:
    from relay.continuations import letters  # noqa: PLC0415 - only this needs the network

    ledger, clock = office.ports.ledger, office.ports.clock
    inbox = DeadLetters(ledger, clock, office.settings.sweep.kept_for)
    fates: Counter[Fate] = Counter()
    try:
        for file in _slowly(_files(office, place)):
            for one in _opened(inbox, file):
                typer.echo(plain(f"{file.name}: {one.event}: {one.fate}: {one.why}", LONGEST))
                fates[one.fate] += 1
    except letters.Missing as error:
        opening.stop(exits.NOT_FOUND, str(error))
    except letters.Unreachable as error:
        opening.stop(exits.REFUSED, str(error))
    typer.echo(", ".join(f"{fates[fate]} {fate}" for fate in Fate))
    if fates[Fate.REFUSED]:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)


def _files(office: Office, place: str) -> Iterator[File]:
    from relay.continuations import letters  # noqa: PLC0415 - the same

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
            typer.echo(f"{count} files so far", err=True)
