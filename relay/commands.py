"""All commands of the command line, under one program."""

from __future__ import annotations

import os
from inspect import cleandoc
from typing import Annotated

import typer

from relay import check, exits, facts, version
from relay.continuations import listing, reconcile, replay, showing
from relay.coverage import coverage
from relay.doctor import command as doctor
from relay.export import command as export
from relay.notify import command as notify
from relay.previews import preview
from relay.waiting import wait
from relay.whatif import command as whatif
from relay.why import why

PROGRAM = os.environ.get("RUN_RELAY_PROGRAM", "")  # shells complete a program, not `python -m`

app = typer.Typer(
    name="relay",
    no_args_is_help=True,
    add_completion=bool(PROGRAM),
    pretty_exceptions_enable=False,
    epilog=exits.TOLD,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version.told())
        raise typer.Exit


_Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_version, is_eager=True, help="Tell which commit this is, and exit."
    ),
]


@app.callback()
def commands(*, version: _Version = False) -> None:
    """Run Relay: what follows when an Azure Machine Learning run ends."""


def _paragraphs(text: str) -> str:
    """Each paragraph as one line: it is broken where the terminal ends, and nowhere else."""
    return "\n\n".join(" ".join(part.split("\n")) for part in cleandoc(text).split("\n\n"))


for one in (
    *(check, coverage, doctor, export, facts, listing, showing, notify, preview),
    *(reconcile, replay, wait, whatif, why),
):
    one.add_to(app)
for command in app.registered_commands:
    command.help = _paragraphs(command.callback.__doc__ or "") if command.callback else None
