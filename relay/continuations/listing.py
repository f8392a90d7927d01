"""`list` shows continuations, a line for each."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from functions.core.kept.summary import Listed
from functions.core.ledger.places import MOST_SORTED
from functions.core.operators import summaries
from functions.core.operators.lists.wanted import STATES, has_state
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import visible
from functions.core.texts.phrases import counted, lasting
from relay import printing
from relay.columns import Column
from relay.deployment import deployed, opening
from relay.printing import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from functions.core.kept.summary import Summary
    from functions.core.ports.ledger import Ledger
    from relay.deployment.opening import Office

BY_DEFAULT = "7d"
MOST_READ, READ_AT_ONCE = 200, 8
LEAST_LOOKED_AT, MOST_LOOKED_AT = 1_000, 10_000
LONGEST_REASON = max(map(len, Reason))  # it is what one reads first: other columns go before it
HEADINGS = (
    Column("age"),
    Column("claimed", drop=5),
    Column("state"),
    Column("reason", cut=LONGEST_REASON),
    Column("experiment", cut=10, drop=3),
    Column("pipeline run", drop=1),
    Column("tries", drop=4),
    Column("next", drop=2),
    Column("key"),
)
EXAMPLES = """Examples:

bin/relay list

bin/relay list --state open --state failed

bin/relay list --route 'register-*' --experiment 'defect-*' --since 24h --limit 500

bin/relay list --state held --json | jq -r '.continuations[].key'
"""
Asked = StrEnum("Asked", {state.upper(): state for state in STATES})  # type: ignore[misc]
_States = Annotated[
    list[Asked] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help=f"Only these: {', '.join(STATES)}; may be given several times.",
    ),
]
Route = Annotated[
    str | None, typer.Option(metavar="PATTERN", help="Only routes whose name fits; * and ?.")
]
Experiment = Annotated[
    str | None, typer.Option(metavar="PATTERN", help="Only experiments whose name fits; * and ?.")
]
_Since = Annotated[
    str, typer.Option(metavar="SPAN", help="Claimed since then: 90m, 24h, 7d. What is open always.")
]
_Limit = Annotated[
    int, typer.Option(metavar="N", min=1, max=MOST_LOOKED_AT, help="So many at most, the newest.")
]


class _Filters(NamedTuple):
    """What a continuation must fit."""

    states: frozenset[str]
    route: str | None
    experiment: str | None

    def fit(self, one: Summary) -> bool:
        wanted = not self.states or has_state(one, self.states)
        return wanted and summaries.fits(one, self.route, self.experiment)

    @property
    def are_none(self) -> bool:
        return not (self.states or self.route or self.experiment)


class _Chosen(NamedTuple):
    """The continuations to show; `more`: there are others that fit, or that were not looked at.

    `known`: among which they were chosen.
    """

    found: list[Summary]
    more: str
    known: Listed


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command("list", epilog=EXAMPLES)(listed)


def listed(
    state: _States = None,
    *,
    route: Route = None,
    experiment: Experiment = None,
    since: _Since = BY_DEFAULT,
    limit: _Limit = 50,
    as_json: printing.Json = False,
    app: deployed.App = None,
) -> None:
    """List continuations, the newest first: what was started, what waits, what went wrong.

    Exits with 0 also if there are none, 3 if there is no such app or ledger, 4 if the ledger
    cannot be read.
    """
    span = opening.span(since)
    filters = _Filters(frozenset(state or ()), route, experiment)
    with opening.office(app) as office:
        chosen = _chosen(office, filters, span, limit)
        office.tell_stops(chosen.known)
        if as_json:
            typer.echo(printing.as_json(_document(chosen)))
        else:
            _print(chosen, office.ports.clock.now())


def _chosen(office: Office, filters: _Filters, span: timedelta, limit: int) -> _Chosen:
    now = office.ports.clock.now()
    looked_at = max(limit + 1, LEAST_LOOKED_AT) if filters.are_none else MOST_LOOKED_AT
    ledger = office.ports.ledger
    listed = ledger.listed(now - span, looked_at)
    known = Listed(_as_they_stand(ledger, listed), whole=listed.whole)
    found = [one for one in known if filters.fit(one)]
    more = ""
    if len(found) > limit:
        more = f"only the newest {limit} are shown: --limit"
    elif len(known) >= MOST_LOOKED_AT:
        more = f"only the newest {len(known)} were looked at: --since"
    elif not known.whole:
        more = f"only {MOST_SORTED:,} of what is open were looked at"
    return _Chosen(found[:limit], more, known)


def _as_they_stand(ledger: Ledger, known: Sequence[Summary]) -> Iterator[Summary]:
    """With the newest that are open read singly: a list shows them as they were parked last."""

    def read(one: Summary) -> Summary:
        return summaries.as_it_stands(ledger, one) or one

    newest = list(islice((one for one in known if one.is_open), MOST_READ))
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        truth = {one.key: now for one, now in zip(newest, pool.map(read, newest), strict=True)}
    return (truth.get(one.key, one) for one in known)


def _document(chosen: _Chosen) -> dict[str, Any]:
    told = [summaries.row(one) for one in chosen.found]
    return {"complete": not chosen.more, "continuations": told}


def _print(chosen: _Chosen, now: datetime) -> None:
    if chosen.found:
        printing.table(HEADINGS, _rows(chosen.found, now))
    typer.echo(counted(len(chosen.found), "continuation"))
    if chosen.more:
        typer.echo(chosen.more, err=True)


def _rows(found: list[Summary], now: datetime) -> Iterator[tuple[object, ...]]:
    ids = {(one.workspace, one.key.workspace) for one in found}
    names = Counter(name for name, _ in ids)
    for one in found:
        due = "in its turn" if one.is_in_line else at(one.due_at) if one.is_open else ""
        workspace = one.workspace if names[one.workspace] == 1 else one.key.workspace
        key = visible(f"{one.key.text}@{workspace}")
        reason = one.reason if one.state.is_known else ""
        age = lasting(now - one.created_at, units=1)
        stands = (age, at(one.created_at), one.stands, reason, one.experiment)
        pipeline_run = " ".join(map(str, filter(None, (one.pipeline_run, one.ended))))
        yield (*stands, pipeline_run, one.attempts + 1, due, key)
