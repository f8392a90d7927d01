"""`check` reads a route file as the function app would; `schema` describes the format."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from functions.configuration import settings as known_settings
from functions.core.routes.file.interpreting import decode
from functions.core.routes.file.schema import schema as route_file_schema
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.policy import SweepMode
from functions.core.texts.phrases import counted
from relay import columns, exits, printing
from relay.columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.definition import Route, Routes

HEADINGS = (
    Column("route"),
    Column("on", cut=9),
    Column("of", cut=8, drop=1),
    Column("told apart", drop=3),
    Column("if", cut=12, drop=2),
    Column("starts"),
)
_File = Annotated[
    Path | None,
    typer.Argument(
        help="The route file; else that of ROUTES_FILE, or routes.yaml of this checkout."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module beside the others."""
    app.command()(check)
    app.command()(schema)


def check(file: _File = None) -> None:
    """Check a route file: every mistake and warning as FILE:LINE, then the routes.

    Exits with 0 if the file can be used (warnings or not), 1 if it cannot, 3 if there is none.
    """
    file = file or _usual()
    text = _read(file)
    try:
        routes = decode(text, str(file))
        mistakes = routes.mistakes
    except RoutesUnreadable as unreadable:
        mistakes = unreadable.problems
    for mistake in mistakes:
        printing.say(mistake, err=True)
    if mistakes:
        raise typer.Exit(exits.THE_ANSWER_IS_NO)
    warnings = [*map(_as_warning, routes.warnings), *_of_settings(routes, file)]
    for warning in warnings:
        printing.say(warning, err=True)
    _show(routes, file, len(warnings))


def schema() -> None:
    """Print the JSON Schema of the route file, for editors: keep it in routes.schema.json."""
    typer.echo(json.dumps(route_file_schema(), indent=2, ensure_ascii=False))


def _usual() -> Path:
    """The file that all commands take where none is named, as briefly as it can be named here."""
    file = known_settings.read(os.environ).routes_file
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        printing.say(f"{file}:1: the file is not UTF-8: {error.reason}", err=True)
        raise typer.Exit(exits.THE_ANSWER_IS_NO) from None
    except OSError as error:
        printing.say(f"{file}: {error.strerror or error}", err=True)
        raise typer.Exit(exits.NOT_FOUND) from None


def _as_warning(line: str) -> str:
    """The same line with `warning:` after the place, as compilers write it."""
    place, _, what = line.partition(": ")
    return f"{place}: warning: {what}"


def _of_settings(routes: Routes, file: Path) -> Iterator[str]:
    """What the settings take from the routes, where they are at hand."""
    about = [route.name for route in routes.routes if route.promoted]
    if about and known_settings.read(os.environ).sweep.mode is SweepMode.OFF:
        yield f"{file}: warning: {', '.join(about)}: nothing finds promotions while SWEEP=off"


def _show(routes: Routes, file: Path, many: int) -> None:
    if columns.room():
        printing.table(HEADINGS, map(_row, _in_order(routes)))
    warnings = f", {counted(many, 'warning')}" if many else ""
    steps = len(routes.sequels)
    behind = f" and {counted(steps, 'step')} that go on by an end" if steps else ""
    printing.say(f"{file}: {counted(len(routes.routes), 'route')}{behind}, no problems{warnings}")


def _in_order(routes: Routes) -> Iterator[Route]:
    """Each route, and behind it what goes on by the end of its pipeline run."""
    for route in routes.routes:
        yield route
        yield from routes.behind(route.name)


def _row(route: Route) -> tuple[str, ...]:
    start = route.start
    told = ", ".join(channel.name for channel in route.tell)
    starts = f"{start.organization}/{start.project} {start.pipeline}" if start else ""
    does = "; ".join(filter(None, (starts, told and f"tells {told}"))) or "nothing"
    return (
        route.name + (" (shadow)" if route.shadow else ""),
        f"after {route.after}" if route.after else ", ".join(sorted(route.outcomes)),
        "" if route.after else route.match.experiment or "any experiment",
        "" if start is None and route.after else "yes" if route.distinct else "no",
        route.when or "",
        does,
    )
