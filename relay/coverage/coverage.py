"""`coverage` tells of every root run that ended what became of it."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.memory.known_since import KnownSince
from functions.core.operators.lists import commands
from functions.core.rounds import inbox
from functions.core.terms.errors import Retryable
from functions.core.texts.phrases import counted
from relay import exits, printing
from relay.columns import Column
from relay.coverage import verdict
from relay.coverage.verdict import Became
from relay.deployment import deployed, opening
from relay.why import asking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Workspace
    from relay.coverage.verdict import Told
    from relay.deployment.opening import Office

BY_DEFAULT = "24h"
HEADINGS = (
    Column("ended"),
    Column("became"),
    Column("route", cut=8),
    Column("outcome", drop=3),
    Column("experiment", cut=8, drop=2),
    Column("why", cut=10, drop=1),
    Column("run"),
)

_Since = Annotated[str, typer.Option(metavar="SPAN", help="How far back: 90m, 24h, 7d.")]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command()(coverage)


def coverage(
    since: _Since = BY_DEFAULT,
    workspace: asking.InWorkspaces = None,
    *,
    as_json: printing.Json = False,
    routes: deployed.RoutesFile = None,
    app: deployed.App = None,
) -> None:
    """Tell of every root run that ended what became of it: nothing is written or started.

    Exits with 1 if a route matches a run and there is no continuation, nor an event of it in the
    inbox, 3 if there is no such workspace, 4 if AML or the ledger cannot be read, 5 if there was
    more than could be read.
    """
    span, asked = opening.span(since), opening.workspaces(workspace or [])
    with opening.office(app, routes) as office:
        office.tell_stops()
        survey = _Survey(office, span)
        told = list(survey.of(asked or asking.seen(office.ports, office.settings)))
        _print_json(told, survey) if as_json else _print_table(told, survey)
        _conclude(told, survey)


class _Survey:
    """Asks one workspace after the other; one that fails does not stop the others."""

    def __init__(self, office: Office, span: timedelta) -> None:
        self._office = office
        self._known_since = KnownSince(office.ports)
        self.now = office.ports.clock.now()
        self.since = self.now - span
        self.lacking: list[str] = []
        self.failed = 0

    def of(self, workspaces: list[Workspace]) -> Iterator[Told]:
        """What became of the runs of these workspaces."""
        routes = asking.routes(self._office.ports, self._office.settings)
        for workspace in workspaces:
            try:
                yield from self._one(workspace, routes)
            except Retryable as error:
                self.failed = opening.unread(error)
                printing.say(f"{workspace.name}: {error.detail}", err=True)

    def _one(self, workspace: Workspace, routes: Routes) -> Iterator[Told]:
        ledger = self._office.ports.ledger
        memory = self._known_since.recall()
        ended, lacking = asking.ended(self._office.ports, workspace, self.since)
        self.lacking += lacking
        undecided = inbox.undecided(ledger)  # before the rows: a round may take any up meanwhile
        for run in ended.runs:
            known = ledger.of_run(workspace.key, run.id)
            yield verdict.of(workspace, run, ended, known, routes, memory, undecided)


def _totals(told: list[Told]) -> dict[str, int]:
    became = Counter(one.became for one in told)
    return {"runs": len(told), **{str(kind): became[kind] for kind in Became}}


def _print_json(told: list[Told], survey: _Survey) -> None:
    complete = not survey.lacking and not survey.failed
    document = {
        "since": survey.since.isoformat(),
        "complete": complete,
        "lacking": survey.lacking,
        "totals": _totals(told),
        "runs": [one.builtins() for one in told],
    }
    typer.echo(printing.as_json(document))


def _print_table(told: list[Told], survey: _Survey) -> None:
    ordered = sorted(told, key=lambda t: t.ended_at, reverse=True)
    if told:
        printing.table(HEADINGS, (cells for one in ordered for cells in one.rows()))
    by_route = Counter(one.became for run in told for one in run.routes)
    by_route[Became.NO_ROUTE] += sum(not run.routes for run in told)
    ends = ", ".join(f"{by_route[kind]} {kind}" for kind in Became if by_route[kind])
    typer.echo(counted(len(told), "run") + (f": {ends}" if ends else ""))
    if missing := [one for one in told if one.became is Became.MISSING]:
        for line in _what_now(missing, survey.now):
            printing.say(line, err=True)


def _what_now(missing: list[Told], now: datetime) -> Iterator[str]:
    """What is missing, and what happens next or can be done about it."""
    ends = sum(one.became is Became.MISSING for run in missing for one in run.routes)
    many = counted(ends, "continuation")
    yield f"missing: {many} of {counted(len(missing), 'run')}, whose events never came"
    yield "  the sweep takes up what it may with its next round (SWEEP_SCHEDULE)"
    yield f"  for each: bin/relay why {shlex.quote(missing[0].event.run)}"
    first = min((run.event.time for run in missing if run.event.time), default=now)
    yield f"  what Event Grid gave up: {commands.of_letters(now - first)}"
    yield "  does any event arrive? bin/relay doctor"


def _conclude(told: list[Told], survey: _Survey) -> None:
    if survey.lacking:
        typer.echo("there were more runs than could be read: try a shorter --since", err=True)
        for what in survey.lacking:
            printing.say(f"  lacking: {what}", err=True)
    if any(one.became is Became.MISSING for one in told):
        raise typer.Exit(exits.THE_ANSWER_IS_NO)
    if survey.failed or survey.lacking:
        raise typer.Exit(survey.failed or exits.TIMED_OUT)
