"""`what-if` as it is typed and as it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.texts.phrases import lasting
from relay import exits, printing
from relay.deployment import deployed, opening
from relay.forecasts.forecast import Unread
from relay.whatif.asking_again import AskingAgain
from relay.whatif.comparing import Change
from relay.whatif.past import Past
from relay.whatif.report import Report
from relay.why import asking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Workspace
    from relay.deployment.opening import Office
    from relay.whatif.asking_again import AskedAgain

BY_DEFAULT = "30d"
ENOUGH, MOST = 1_000, 10_000
EXAMPLES = """Examples:

bin/relay what-if --routes changed.yaml

bin/relay what-if --routes changed.yaml --since 7d --json | jq '.totals'
"""

_Since = Annotated[str, typer.Option(metavar="SPAN", help="How far back: 24h, 7d, 30d.")]
_Limit = Annotated[
    int, typer.Option(metavar="N", min=1, max=MOST, help="So many at most, the newest.")
]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command("what-if", epilog=EXAMPLES)(what_if)


def what_if(
    since: _Since = BY_DEFAULT,
    limit: _Limit = ENOUGH,
    workspace: asking.InWorkspaces = None,
    *,
    as_json: printing.Json = False,
    routes: deployed.RoutesFile = None,
    app: deployed.App = None,
) -> None:
    """Tell what the runs of the last days would have come to with another route file.

    What the ledger says of each run stands beside what the routes make of it today: facts are
    read anew from Azure Machine Learning. Limits, pauses and refused tokens are left out: they
    only put off. Nothing is started or written.

    Exits with 1 if anything that was started would not be, or a gate could not be right, 2 if the
    route file is none, 3 if no workspace is known, 4 if something could not be read, 5 if there was
    more than could be read.
    """
    span, asked = opening.span(since), opening.workspaces(workspace or [])
    with opening.office(app, routes) as office:
        workspaces = asked or asking.seen(office.ports, office.settings)
        past = Past(office.ports, office.ports.clock.now() - span)
        if span > (kept := office.settings.policy.kept_for):
            past.lacking.append(f"the ledger keeps what has ended for {lasting(kept)}: --since")
        given = asking.routes(office.ports, office.settings)
        replayed = _replayed(office, past, workspaces, limit, given)
        report = Report(past.since, office.settings, replayed, past.lacking, given.mistakes)
        if as_json:
            typer.echo(printing.as_json(report.builtins()))
        else:
            printing.echo(report.lines())
        _conclude(report, past)


def _replayed(
    office: Office, past: Past, workspaces: Sequence[Workspace], limit: int, routes: Routes
) -> list[AskedAgain]:
    ports = office.ports
    happened = past.gather(workspaces, limit, routes)
    found = AskingAgain(ports, office.settings.policy, routes, _say).of(happened)
    if len(found) < len(happened):
        left = len(happened) - len(found)
        past.lacking.append(f"no time was left for {left} of {len(happened)}: --since, --limit")
    return list(_read(found, past))


def _read(found: Sequence[AskedAgain], past: Past) -> Iterator[AskedAgain]:
    for one in found:
        if one.unread is None:
            yield one
            _miss_facts(one, past)
        else:
            past.miss(
                f"{one.event.workspace.name}: {one.event.run}: {one.unread.detail}", one.unread
            )


def _miss_facts(one: AskedAgain, past: Past) -> None:
    """What could not be told of a route, since something that it asks for could not be read."""
    for told in one.routes:
        found = told.would and told.would.found
        if told.change is Change.UNKNOWN and isinstance(found, Unread):
            what = f"{one.event.workspace.name}: {told.route}/{one.event.run}"
            past.miss(f"{what}: {found.detail}", found)


def _say(text: str) -> None:
    printing.say(text, err=True)


def _conclude(report: Report, past: Past) -> None:
    for mistake in report.mistakes:
        _say(mistake)
    for what in past.lacking:
        _say(f"lacking: {what}")
    if report.totals[Change.STOPS] or report.mistakes:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)
    if past.failed or past.lacking:
        raise typer.Exit(past.failed or exits.TIMED_OUT)
