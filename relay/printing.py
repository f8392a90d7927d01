"""Text for people and for programs: what others named is made harmless and bounded."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from functions.core.texts.bounds import bounded, visible
from relay import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from relay.columns import Column

LONGEST = 300  # characters of what others named
LONGEST_CELL = 1_000  # a KEY is typed as it stands there, and one of a model may have 500
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


def json_line(document: object) -> str:
    """JSON in one line of ASCII, which reads the same wherever it is kept; harmless as above."""
    return _LOGGING_COMMAND.sub(r"\\u0023#", json.dumps(document, separators=(",", ":")))


def _escaped(line: str) -> str:
    """A line of JSON with JSON's own escapes."""
    if visible(line) == line:
        return line
    return "".join(c if visible(c) == c else json.dumps(c)[1:-1] for c in line)


def table(headings: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """Print plain columns, as many as fit the terminal; where there is none, all of all."""
    cells = [[plain(cell, LONGEST_CELL) for cell in row] for row in rows]
    echo(columns.lines(headings, cells, columns.room()))


def echo(lines: Iterable[str], indent: str = "") -> None:
    """Print lines."""
    for line in lines:
        say(f"{indent}{line}".rstrip())
