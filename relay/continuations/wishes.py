"""What an operator wishes of which continuations, and what became of each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from functions.core.kept.summary import Summary
from functions.core.ledger.places import MOST_SORTED
from functions.core.operators import summaries, typed_keys
from functions.core.operators.decisions import Answer
from functions.core.operators.replaying import MOST_LOOKED_AT, Wanted, wanted
from functions.core.texts.phrases import counted
from relay import exits, printing
from relay.continuations.naming import named
from relay.continuations.naming.refusals import NotIts, Unknown
from relay.deployment import opening

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from functions.core.kept.continuation import Continuation
    from functions.core.operators.replaying import Replaying
    from functions.core.terms.reasons import Reason
    from functions.core.terms.words import State
    from relay.deployment.opening import Office


READ_AT_ONCE = 8
CUT = (
    f"warning: only {MOST_SORTED:,} of what is open, and the newest {MOST_LOOKED_AT:,} of what has "
    "ended were looked at: some that fit may be left"
)


class Wish(NamedTuple):
    """The options that say how one continuation is replayed."""

    ignore_gate: bool = False
    as_started: int | None = None
    unchecked: bool = False
    again: bool = False

    def ask(self, office: Office, replaying: Replaying, c: Continuation) -> Answer:
        """Have it done. Ends the command where the service cannot be asked."""
        if self.as_started is not None:
            return self._name(office, replaying, c, self.as_started)
        if self.again:
            return replaying.ask_anew(c.key, ignore_gate=self.ignore_gate)
        return replaying.replay(c.key, ignore_gate=self.ignore_gate)

    def _name(self, office: Office, replaying: Replaying, c: Continuation, number: int) -> Answer:
        if c.request is None or self.unchecked:
            return replaying.name(c.key, named.unchecked(office.settings, c.request, number))
        try:
            found = named.checked(office.ports, office.settings, c, c.request, number)
        except Unknown as error:
            how = "--unchecked leaves the question out"
            opening.stop(exits.REFUSED, f"{error}\n{how}")
        except NotIts as error:
            return Answer(f"not changed; {error}", done=False)
        return replaying.name(c.key, found)


class Those(NamedTuple):
    """The options that say which continuations: by their keys, or all that fit."""

    keys: tuple[str, ...]
    states: frozenset[State]
    route: str | None = None
    experiment: str | None = None
    reasons: frozenset[Reason] = frozenset()

    @property
    def are_filtered(self) -> bool:
        """Whether they are filtered by more than their state."""
        return bool(self.route or self.experiment or self.reasons)

    def meant(self, office: Office, span: timedelta) -> Wanted | None:
        """All that fit; None where each is named by its KEY."""
        if not self.states:
            return None
        since = office.ports.clock.now() - span
        return Wanted(self.states, since, self.route, self.experiment, self.reasons)

    def found(self, office: Office, meant: Wanted | None) -> Sequence[Continuation]:
        """Those of the ledger, the oldest first; ends the command for a KEY that names none."""
        if meant is None:
            return [opening.resolved(office, text) for text in dict.fromkeys(self.keys)]
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            found = wanted(office.ports.ledger, meant, pool.map)
        if not found.whole:
            printing.say(CUT, err=True)
        return found.those


class Told(NamedTuple):
    """A continuation as it was found, its whole KEY, and what became of the wish."""

    name: str
    before: Continuation
    answer: Answer

    @property
    def line(self) -> str:
        """For people."""
        return f"{self.name}: {self.answer.what}"

    def builtins(self) -> dict[str, Any]:
        """As JSON has it: the row of before, and what was said."""
        row = summaries.row(Summary.of(self.before))
        return {**row, "done": self.answer.done, "said": self.answer.what}


def fulfilled(
    office: Office, replaying: Replaying, wish: Wish, found: Sequence[Continuation]
) -> Iterator[Told]:
    """Each as the wish has it, one after the other."""
    for c, name in zip(found, typed_keys.whole(found), strict=True):
        yield Told(name, c, wish.ask(office, replaying, c))


def _left(count: int) -> str:
    if not count:
        return "none of them left as it was"
    return f"{count} of them left as {'it was' if count == 1 else 'they were'}"


def tell(told: Iterator[Told], *, as_json: bool, dry: bool) -> None:
    """Print what became of each; ends the command with 1 where something was left as it is."""
    every = []
    for one in told:
        every.append(one)
        if not as_json:
            printing.say(one.line)
    left = sum(not one.answer.done for one in every)
    if as_json:
        totals = {"found": len(every), "left": left}
        document = {
            "dry_run": dry,
            "totals": totals,
            "continuations": [t.builtins() for t in every],
        }
        typer.echo(printing.as_json(document))
    elif not every:
        typer.echo("no continuation fits: bin/relay list shows what there is")
    elif len(every) > 1:
        how = "; nothing was written" if dry else ""
        typer.echo(f"{counted(len(every), 'continuation')}, {_left(left)}{how}")
    if left:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)
