"""What the commands that ask about runs share: options, and the ends that are no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from functions.core.kept import after
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import RoutesUnreadable
from functions.core.texts.phrases import counted
from relay import exits
from relay.deployment import opening
from relay.forecasts.forecast import truth, untold
from relay.printing import plain
from relay.why import locating

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.configuration.settings import Settings
    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Ended, Workspace
    from relay.forecasts.forecast import News
    from relay.why.locating import Located, Named

InWorkspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="ID",
        help="Resource id; else SWEEP_WORKSPACES and those that the ledger has seen are asked.",
    ),
]

InWorkspaces = Annotated[
    list[str] | None,
    typer.Option(
        "--workspace", metavar="ID", help="Resource id; else those seen and SWEEP_WORKSPACES."
    ),
]
LISTING_SECONDS = 120.0  # for each workspace
MOST_PROBLEMS = 20  # of a route file


def ended(
    ports: Ports, workspace: Workspace, since: datetime, *, children: bool = False
) -> tuple[Ended, list[str]]:
    """The runs of a workspace that ended since then, and what is lacking; raises Retryable."""
    deadline = Deadline(ports.clock, LISTING_SECONDS)
    found = ports.runs.ended(workspace, since, deadline, children=children)
    lacking = [f"{workspace.name}: {what}" for what in found.lacking]
    if found.untimed:
        untimed = f"{counted(len(found.untimed), 'run')} without a time, {found.untimed[0]}"
        lacking.append(f"{workspace.name}: {untimed}")
    return found, lacking


def meant(named: Named, workspace: str | None) -> list[Workspace]:
    """The workspace that was typed, if one was; raises typer.BadParameter."""
    asked = opening.workspaces([workspace] if workspace else [])
    if asked and named.workspace and asked[0].key != named.workspace.key:
        raise typer.BadParameter("--workspace is another one than the address names")
    return asked or ([named.workspace] if named.workspace else [])


def seen(ports: Ports, settings: Settings) -> list[Workspace]:
    """The workspaces seen and those of the settings; ends the command where there are none."""
    found = locating.candidates(settings, ports)
    if not found:
        unseen = "no workspace was seen yet: name one with --workspace or SWEEP_WORKSPACES"
        opening.stop(exits.NOT_FOUND, unseen)
    return found


def located(ports: Ports, settings: Settings, run: str, workspaces: Sequence[Workspace]) -> Located:
    """The run in the one workspace that has it; ends the command where there is no such."""
    letters = locating.letters(ports, run)
    told = {one.event.workspace.key: one.event.workspace for one in letters}
    if not workspaces:
        known = locating.candidates(settings, ports) if told else seen(ports, settings)
        workspaces = list((told | {workspace.key: workspace for workspace in known}).values())
    try:
        found, troubles = locating.locate(ports, run, workspaces, letters)
    except locating.Ambiguous as error:
        opening.stop(exits.USAGE, str(error))
    except locating.Unknown as error:
        hint = f"\nfor a KEY: bin/relay show {plain(run)}" if "/" in run else ""
        opening.stop(exits.NOT_FOUND, f"{error}{hint}")
    except locating.Unreachable as error:
        opening.stop(exits.REFUSED, str(error))
    for trouble in troubles:
        typer.echo(f"warning: {plain(trouble)}", err=True)
    return found


def news(ports: Ports, found: Located) -> News | None:
    """The newest that was told of the run, else what the run itself tells; raises Retryable.

    None where Azure Machine Learning tells nothing of it.
    """
    if found.run is None:
        return None
    if told := [c for c in found.known if not after.before(c)]:
        newest = max(told, key=lambda c: c.created_at)
        return truth(newest.event, found.run)
    return untold(ports, found.workspace, found.run)


def routes(ports: Ports, settings: Settings) -> Routes:
    """Today's routes; ends the command where they cannot be read."""
    try:
        return ports.routes.routes()
    except RoutesUnreadable as error:
        no_routes(settings, error)


def no_routes(settings: Settings, error: RoutesUnreadable) -> NoReturn:
    """End the command since there are no routes."""
    missing = not settings.routes_file.exists()
    file, told = plain(settings.routes_file, 1000), error.problems[:MOST_PROBLEMS]
    more = len(error.problems) - len(told)
    lines = [
        f"the routes cannot be read, so nothing can be told by them (--routes {file})",
        *(f"  {plain(problem, 1000)}" for problem in told),
        *([f"  and {more} more"] if more > 0 else []),
        "  to do: mend them, bin/relay check says all that is wrong",
    ]
    opening.stop(exits.NOT_FOUND if missing else exits.USAGE, "\n".join(lines))
