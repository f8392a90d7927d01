"""`list` shows continuations, `show` one of them whole."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import typer

from functions.core.kept.summary import Summary
from functions.core.operators import keys
from functions.core.routes import filters
from functions.core.terms.errors import Unreadable
from functions.core.terms.words import State
from functions.core.texts.bounds import visible
from relay import printing
from relay.deployment import deployed, opening
from relay.forecasts import telling
from relay.printing import at, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from relay.deployment.opening import Office

BY_DEFAULT = "7d"
MOST_READ, READ_AT_ONCE = 200, 8
LEAST_LOOKED_AT, MOST_LOOKED_AT = 1_000, 10_000
HEADINGS = ("claimed", "state", "reason", "key", "experiment", "pipeline run", "tries", "next")
LIST_EXAMPLES = """Examples:

python -m relay list

python -m relay list --state open --state failed

python -m relay list --route 'register-*' --experiment 'defect-*' --since 24h --limit 500

python -m relay list --state held --json | jq -r '.continuations[].key'
"""
SHOW_EXAMPLES = """Examples:

python -m relay show register-model/plum_pot_1/Completed

python -m relay show register-model/plum_pot_1/Completed@ml-prod --json
"""

_States = Annotated[
    list[State] | None, typer.Option("--state", help="Only these; may be given several times.")
]
_Route = Annotated[
    str | None, typer.Option(metavar="PATTERN", help="Only routes whose name fits; * and ?.")
]
_Experiment = Annotated[
    str | None, typer.Option(metavar="PATTERN", help="Only experiments whose name fits; * and ?.")
]
_Since = Annotated[
    str, typer.Option(metavar="SPAN", help="Claimed since then: 90m, 24h, 7d. What is open always.")
]
_Limit = Annotated[
    int, typer.Option(metavar="N", min=1, max=MOST_LOOKED_AT, help="So many at most, the newest.")
]
_Key = Annotated[
    str, typer.Argument(metavar="KEY", help="ROUTE/RUN_ID/OUTCOME, @WORKSPACE where ambiguous.")
]


class _Filters(NamedTuple):
    """What a continuation must fit."""

    states: frozenset[State]
    route: str | None
    experiment: str | None

    def fit(self, one: Summary) -> bool:
        return (
            (not self.states or one.state in self.states)
            and filters.fits(self.route, one.key.route)
            and filters.fits(self.experiment and visible(self.experiment), visible(one.experiment))
        )

    @property
    def are_none(self) -> bool:
        return not (self.states or self.route or self.experiment)


class _Chosen(NamedTuple):
    """The continuations to show; `more`: there are others that fit, or that were not looked at."""

    found: list[Summary]
    more: str


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module beside the others."""
    app.command("list", epilog=LIST_EXAMPLES)(listed)
    app.command(epilog=SHOW_EXAMPLES)(show)


def listed(
    state: _States = None,
    *,
    route: _Route = None,
    experiment: _Experiment = None,
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
        if as_json:
            typer.echo(printing.as_json(_document(chosen)))
        else:
            _print(chosen)


def show(key: _Key, *, as_json: printing.Json = False, app: deployed.App = None) -> None:
    """Show one continuation whole: why it is where it is, what its event told, its request.

    The values of secret variables are hidden.

    Exits with 2 if the KEY is none or fits several workspaces, 3 if it is not in the ledger, 4 if
    the ledger cannot be read.
    """
    with opening.office(app) as office:
        c = opening.resolved(office, key)
        if as_json:
            document = telling.continuation(c, office.ports.clock.now(), office.settings)
            typer.echo(printing.as_json({**document, "event": msgspec.to_builtins(c.event)}))
        else:
            printing.echo(_whole(office, c))


def _chosen(office: Office, filters: _Filters, span: timedelta, limit: int) -> _Chosen:
    since = office.ports.clock.now() - span
    looked_at = max(limit + 1, LEAST_LOOKED_AT) if filters.are_none else MOST_LOOKED_AT
    ledger = office.ports.ledger
    known = ledger.listed(since, looked_at)
    found = [one for one in _as_they_stand(ledger, known) if filters.fit(one)]
    more = ""
    if len(found) > limit:
        more = f"only the newest {limit} are shown: --limit"
    elif len(known) >= MOST_LOOKED_AT:
        more = f"only the newest {len(known)} were looked at: --since"
    return _Chosen(found[:limit], more)


def _as_they_stand(ledger: Ledger, known: Sequence[Summary]) -> Iterator[Summary]:
    """With the newest that are open read singly: a list shows them as they were parked last."""

    def read(one: Summary) -> Summary:
        try:
            entry = ledger.read(one.key)
        except Unreadable:
            return one
        return Summary.of(entry.continuation) if entry else one

    newest = list(islice((one for one in known if one.is_open), MOST_READ))
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        truth = {one.key: now for one, now in zip(newest, pool.map(read, newest), strict=True)}
    return (truth.get(one.key, one) for one in known)


def _document(chosen: _Chosen) -> dict[str, Any]:
    told = [{**msgspec.to_builtins(one), **_names(one)} for one in chosen.found]
    return {"complete": not chosen.more, "continuations": told}


def _names(one: Summary) -> dict[str, object]:
    key = one.key
    parts = {"workspace": key.workspace, "route": key.route, "run": key.run}
    return {"key": key.text, **parts, "outcome": key.outcome, "latency_seconds": one.latency}


def _print(chosen: _Chosen) -> None:
    if chosen.found:
        printing.table(HEADINGS, _rows(chosen.found))
    typer.echo(f"{len(chosen.found)} continuations")
    if chosen.more:
        typer.echo(chosen.more, err=True)


def _rows(found: list[Summary]) -> Iterator[tuple[object, ...]]:
    ids = {(one.workspace, one.key.workspace) for one in found}
    names = Counter(name for name, _ in ids)
    for one in found:
        due = "in its turn" if one.is_in_line else at(one.due_at) if one.is_open else ""
        workspace = one.workspace if names[one.workspace] == 1 else one.key.workspace
        key = visible(f"{one.key.text}@{workspace}")
        reason = one.reason if one.state.is_known else ""
        why = (at(one.created_at), one.state, reason, key, one.experiment)
        yield (*why, one.pipeline_run or "", one.attempts + 1, due)


def _whole(office: Office, c: Continuation) -> Iterator[str]:
    settings, event = office.settings, c.event
    (name,) = keys.whole([c])
    yield plain(name, 1000)
    yield from telling.lines(c, office.ports.clock.now(), settings)
    yield f"  run      {telling.studio_url(settings, event.workspace.id, event.run)}"
    yield "  event"
    for what, value in _told(c):
        yield f"    {plain(what):<24} {plain(value)}"
    if c.request:
        yield f"  request  with the credential {plain(c.request.secret)}"
        yield from (f"    {line}" for line in telling.request_lines(c.request, settings))


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
        **{f"run.tags.{name}": value for name, value in (event.tags or {}).items()},
        **{f"run.properties.{name}": value for name, value in event.properties.items()},
    }.items()
