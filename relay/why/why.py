"""`why` tells of one run what became of it on every route, and why."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.kept import after
from functions.core.operators.lists import holders, people
from functions.core.routes.joins import members
from functions.core.terms.errors import Retryable, RoutesUnreadable, Unreadable
from functions.core.terms.reasons import Reason
from relay import exits, printing
from relay.deployment import deployed, opening
from relay.forecasts import telling
from relay.forecasts.forecast import Forecast
from relay.why import asking, locating
from relay.why.answer import Explanation, OnRoute
from relay.why.upcoming import Upcoming

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.routes.definition import Route
    from relay.deployment.opening import Office
    from relay.forecasts.forecast import News
    from relay.why.locating import Located

EXAMPLES = """Examples:

bin/relay why plum_pot_1

bin/relay why 'https://ml.azure.com/runs/plum_pot_1?wsid=/subscriptions/…'

bin/relay why plum_pot_1 --json | jq '.routes'
"""

_Run = Annotated[
    str, typer.Argument(metavar="RUN_ID|STUDIO_URL", help="The run, or its page in AML Studio.")
]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(why)


def why(
    run: _Run,
    workspace: asking.InWorkspace = None,
    *,
    as_json: printing.Json = False,
    routes: deployed.RoutesFile = None,
    app: deployed.App = None,
) -> None:
    """Tell what became of a run on every route, why, and what happens next.

    A run that no event ever reached is read from Azure Machine Learning, and the routes are
    evaluated for it. Nothing is written or started.

    Exits with 0 if a pipeline was started, 6 if none was and one still may be, 1 if none was and
    nothing more happens by itself, 2 if several workspaces have such a run, 3 if none has, 4 if
    Azure or the ledger cannot be read.
    """
    named = locating.named(run)
    asked = asking.meant(named, workspace)
    with opening.office(app, routes) as office:
        office.tell_stops()
        located = asking.located(office.ports, office.settings, named.run, asked)
        answer = _answer(office, named.run, located)
        if as_json:
            typer.echo(printing.as_json(answer.builtins()))
        else:
            printing.echo(answer.lines())
        if not answer.started:
            raise typer.Exit(exits.NOT_YET if answer.comes else exits.THE_ANSWER_IS_NO)


def _answer(office: Office, run: str, located: Located) -> Explanation:
    try:
        news = asking.news(office.ports, located)
        routes = _routes(office, located)
        told = tuple(_told(office, located, news, routes))
    except Retryable as error:
        opening.stop(exits.REFUSED, f"{located.workspace.name}: {error.detail}")
    return Explanation(located, run, news, told, office.settings, office.ports.clock.now())


def _routes(office: Office, located: Located) -> Sequence[Route]:
    """Today's routes; where they cannot be read, none for a run that the ledger knows.

    It knows one whose event lies in the inbox, too.
    """
    try:
        return office.ports.routes.routes().routes
    except RoutesUnreadable as error:
        if not (located.known or located.letters):
            asking.no_routes(office.settings, error)
        printing.say(f"warning: only what the ledger knows: {error.problems[0]}", err=True)
        return ()


def _told(
    office: Office, located: Located, news: News | None, routes: Sequence[Route]
) -> Iterator[OnRoute]:
    """Each route with its continuations; where it has none of this outcome, with its prospect."""
    of_today = {route.name for route in routes}
    left = [c for c in located.known if c.key.route not in of_today]
    forecast = Forecast(office.ports, office.settings.policy, news) if news else None
    upcoming = Upcoming(office.ports, office.settings, news) if news else None
    for route in routes:
        mine = [c for c in located.known if c.key.route == route.name]
        yield from (_known(office, c) for one in mine for c in (one, *_joint(office, one)))
        behind = [c for c in left if after.before(c) and c.key.route.startswith(f"{route.name}.")]
        left = [c for c in left if c not in behind]
        yield from (_known(office, c) for c in sorted(behind, key=lambda c: c.created_at))
        if forecast is None or upcoming is None:
            continue
        prospect = forecast.of(route)
        if any(c.key.outcome == prospect.event.outcome for c in mine):
            continue
        if mine and not telling.may_start(prospect):
            continue  # the route is told already, and this adds nothing to it
        prospect = forecast.just_now(prospect)
        then = upcoming.of(prospect)
        yield OnRoute(route.name, prospect=prospect, next=then, beside=bool(mine))
    yield from (_known(office, c) for one in left for c in (one, *_joint(office, one)))


def _joint(office: Office, c: Continuation) -> Iterator[Continuation]:
    """What is started for all of them, where the run is one of several that are joined."""
    if c.reason is not Reason.JOINED:
        return
    entry = None
    with suppress(Unreadable):  # of a newer version
        entry = office.ports.ledger.read(members.joint_of(c.key, c.detail))
    if entry is not None:
        yield entry.continuation


def _known(office: Office, c: Continuation) -> OnRoute:
    before = holders.before(office.ports.ledger, office.ports.clock, c)
    return OnRoute(c.key.route, c, before, people=people.told(office.ports.ledger, c))
