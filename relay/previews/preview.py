"""`preview` shows, and checks, the requests that the routes make of a run: nothing is started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer
from msgspec.structs import replace

from functions import connections
from functions.configuration.settings import NO_FILE
from functions.core.ports.ledger import Shared
from functions.core.terms.errors import LedgerUnavailable
from relay import exits, printing
from relay.deployment import deployed, opening
from relay.previews import promoted as promotions
from relay.previews import recorded
from relay.printing import plain
from relay.why import asking, locating

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.kept.letter import Letter
    from functions.core.kept.summary import Summary
    from functions.core.ports.ledger import Entry, Ledger
    from functions.core.ports.services import Ports
    from functions.core.terms.runs import Key
    from relay.deployment.opening import Found
    from relay.previews.recorded import Recorded

EXAMPLES = """Examples:

bin/relay preview --run plum_pot_1

bin/relay preview --event recorded/plum_pot_1.json --check

bin/relay preview --event recorded --check --json

bin/relay preview --promoted defects:4 --check
"""
UNTOLD = "what was started already, and what a limit or a group holds back, is not told"
T = TypeVar("T")

_Runs = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="RUN_ID|STUDIO_URL", help="A run; may be given several times."),
]
_Events = Annotated[
    list[Path] | None,
    typer.Option(
        "--event",
        metavar="FILE|FOLDER",
        help="A recorded event, or a folder of .json files; may be given several times.",
    ),
]
_Promoted = Annotated[
    list[str] | None,
    typer.Option(
        "--promoted",
        metavar="NAME:VERSION",
        help="A version of a registered model, as if it was promoted; may be given several times.",
    ),
]
_Check = Annotated[
    bool,
    typer.Option("--check", help="Ask whether this would run; nothing is started."),
]


def add_to(app: typer.Typer) -> None:
    """Put the command of this module beside the others."""
    app.command(epilog=EXAMPLES)(preview)


def preview(  # noqa: PLR0913 - one argument per option
    run: _Runs = None,
    event: _Events = None,
    promoted: _Promoted = None,
    workspace: asking.InWorkspace = None,
    *,
    check: _Check = False,
    as_json: printing.Json = False,
    routes: deployed.RoutesFile = None,
    app: deployed.App = None,
) -> None:
    """Show the request that each route makes of a run; with --check, whether it would be taken.

    Or of a version of a model that is promoted, in each workspace that is known.

    Facts are read from Azure Machine Learning, also for a recorded event. What was started already
    and what a limit or a group holds back is told where the ledger can be read. Where only the gate
    says no, the request is shown, and checked, all the same. The values of secret variables are
    hidden. Nothing is started or written; --check asks with the route's credential: Azure DevOps
    for its preview, and GitHub, which has none, for what a workflow declares.

    Exits with 1 if a request is refused, a route cannot make one of the run, or --check found
    nothing to check; 2 if several workspaces have such a run, 3 if there is no such run or file,
    4 if Azure Machine Learning, Key Vault, Azure DevOps or GitHub refuse or do not answer.
    """
    if not (run or event or promoted):
        raise typer.BadParameter("say which run: --run RUN_ID, or --event FILE")
    from relay.previews.rehearsal import Rehearsal  # noqa: PLC0415 - loads what speaks HTTP

    typed = [locating.named(text) for text in run or []]
    meant = [asking.meant(one, workspace) for one in typed]
    with opening.found(app, routes) as found:
        unread: list[str] = []
        ports = _connected(found, unread)
        rehearsal = Rehearsal(ports, found.settings, check=check, unread=unread)
        rehearsal.take_runs(typed, meant)
        rehearsal.take_events(_recorded(event or []))
        if promoted:
            where = opening.workspaces([workspace] if workspace else [])
            rehearsal.take_promotions(
                _versions(promoted), where or asking.seen(ports, found.settings)
            )
        if as_json:
            typer.echo(printing.as_json(rehearsal.builtins()))
        else:
            printing.echo(rehearsal.lines())
        rehearsal.conclude()


def _versions(typed: list[str]) -> list[tuple[str, str]]:
    found = [promotions.named(text) for text in typed]
    if None in found:
        raise typer.BadParameter(promotions.HOW)
    return [one for one in found if one]


def _connected(found: Found, unread: list[str]) -> Ports:
    """The ports; a ledger that is not named, not there or out of reach is as good as empty.

    `unread` gets the reason.
    """
    settings = found.settings
    for complaint in settings.complaints:
        printing.say(f"warning: {complaint}", err=True)
    named = opening.names_ledger(settings) and not settings.no_ledger
    ledger = _IfReadable(unread)
    if not named or opening.missing_file(settings):
        ledger.miss("none is named, or there is none")
        settings = replace(settings, ledger_url=NO_FILE, no_ledger="")
    ports = connections.connect(settings, identity=found.identity)
    ledger.known = ports.ledger
    return ports._replace(ledger=cast("Ledger", ledger))


class _IfReadable:
    """What a ledger knows, as far as it can be read: a preview goes without as well."""

    known: Ledger

    def __init__(self, unread: list[str]) -> None:
        self._unread = unread

    def of_run(self, workspace: str, run: str) -> Sequence[Continuation]:
        """What is known of the run."""
        try:
            return self.known.of_run(workspace, run)
        except LedgerUnavailable as error:
            return self._without(error, ())

    def letters(self, limit: int, after: str = "") -> Sequence[Letter]:
        """What lies in the inbox."""
        try:
            return self.known.letters(limit, after)
        except LedgerUnavailable as error:
            return self._without(error, ())

    def listed(self, since: datetime, limit: int) -> Sequence[Summary]:
        """What is listed."""
        try:
            return self.known.listed(since, limit)
        except LedgerUnavailable as error:
            return self._without(error, ())

    def shared(self, name: str) -> Shared:
        """The row, empty where it cannot be read."""
        try:
            return self.known.shared(name)
        except LedgerUnavailable as error:
            return self._without(error, Shared(name, {}, None))

    def read(self, key: Key) -> Entry | None:
        """A continuation, none where it cannot be read."""
        try:
            return self.known.read(key)
        except LedgerUnavailable as error:
            return self._without(error, None)

    def is_awaited(self, name: str, but: Key | None = None) -> bool:
        """Whether anybody waits; nobody is known to where it cannot be read."""
        try:
            return self.known.is_awaited(name, but)
        except LedgerUnavailable as error:
            return self._without(error, nothing=False)

    def _without(self, error: LedgerUnavailable, nothing: T) -> T:
        self.miss(plain(error))
        return nothing

    def miss(self, why: str) -> None:
        """Say once that what was started, and what holds a start back, is not known."""
        if not self._unread:
            typer.echo(f"warning: without the ledger ({why}): {UNTOLD}", err=True)
            self._unread.append(why)


def _recorded(paths: list[Path]) -> list[Recorded]:
    try:
        return recorded.read(paths)
    except recorded.NotRecorded as error:
        opening.stop(exits.NOT_FOUND if error.is_missing else exits.USAGE, str(error))
