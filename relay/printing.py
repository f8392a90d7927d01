"""Text for people and for programs: what others named is made harmless and bounded."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.texts.bounds import bounded, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

LONGEST = 300  # characters of what others named
LONGEST_CELL = 1_000  # a KEY is typed as it stands there, and one of a model may have 500
PIPED_WIDTH = 10_000  # columns where there is no terminal: no line is broken
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
_LOGGING_COMMAND = re.compile(r"##(?=vso\[|\[)", re.IGNORECASE)


def plain(text: object, longest: int = LONGEST) -> str:
    """One line that is no command to a terminal: escapes stand for what is not to be printed.

    Nor is it one to an agent of Azure Pipelines.
    https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
    """
    return harmless(bounded(text, longest))


def harmless(line: str) -> str:
    """One line, whole, as `plain` makes it harmless; its indentation stays."""
    return _LOGGING_COMMAND.sub("# #", visible(line))


def say(text: object, *, err: bool = False) -> None:
    """Print what may hold the words of others: each of its lines harmless, none of them cut."""
    typer.echo("\n".join(map(harmless, str(text).split("\n"))), err=err)


def at(time: datetime) -> str:
    """A time as people read it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def as_json(document: object) -> str:
    """Indented JSON; what is no plain text to a terminal or an agent stands as its escape."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    text = "\n".join(map(_escaped, text.split("\n")))
    return _LOGGING_COMMAND.sub(r"\\u0023#", text)


def _escaped(line: str) -> str:
    """A line of JSON with JSON's own escapes."""
    if visible(line) == line:
        return line
    return "".join(c if visible(c) == c else json.dumps(c)[1:-1] for c in line)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; where it is piped each row is one line."""
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only this needs
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    shown = Table()
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for cells in rows:
        shown.add_row(*(Text(plain(cell, LONGEST_CELL)) for cell in cells))
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    console.print(shown)


def echo(lines: Iterable[str], indent: str = "") -> None:
    """Print lines."""
    for line in lines:
        say(f"{indent}{line}".rstrip())
