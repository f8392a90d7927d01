"""`check` reads a route file as the function app would; `schema` describes the format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.routes.file.interpreting import decode
from functions.core.routes.file.schema import schema as route_file_schema
from functions.core.terms.errors import RoutesUnreadable
from relay import exits, printing

if TYPE_CHECKING:
    from functions.core.routes.definition import Route, Routes

_File = Annotated[
    Path, typer.Argument(envvar="ROUTES_FILE", help="The route file.", show_default=True)
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module beside the others."""
    app.command()(check)
    app.command()(schema)


def check(file: _File = Path("routes.yaml")) -> None:
    """Check a route file: every mistake and warning as FILE:LINE, then the routes.

    Exits with 0 if the file can be used (warnings or not), 1 if it cannot, 3 if there is none.
    """
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
    for warning in routes.warnings:
        printing.say(_as_warning(warning), err=True)
    _show(routes, file)


def schema() -> None:
    """Print the JSON Schema of the route file, for editors: keep it in routes.schema.json."""
    typer.echo(json.dumps(route_file_schema(), indent=2, ensure_ascii=False))


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


def _show(routes: Routes, file: Path) -> None:
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only this needs
    from rich.table import Table  # noqa: PLC0415 - the same

    console = Console()
    if console.is_terminal:
        table = Table()
        for heading in ("route", "on", "of", "if", "starts", "told apart"):
            table.add_column(heading, overflow="fold")
        for route in routes.routes:
            table.add_row(*_row(route))
        console.print(table)
    warnings = f", {len(routes.warnings)} warnings" if routes.warnings else ""
    printing.say(f"{file}: {len(routes.routes)} routes, no problems{warnings}")


def _row(route: Route) -> tuple[str, ...]:
    from rich.markup import escape  # noqa: PLC0415 - the same

    start = route.start
    starts = f"{start.organization}/{start.project} {start.pipeline}" if start else "nothing"
    shown = (
        route.name + (" (shadow)" if route.shadow else ""),
        ", ".join(sorted(route.outcomes)),
        route.match.experiment or "any experiment",
        route.when or "",
        starts,
        "yes" if route.distinct else "no",
    )
    return tuple(escape(printing.plain(cell)) for cell in shown)
