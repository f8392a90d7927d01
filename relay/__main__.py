"""Runs the command line: `python -m relay --help`."""

from __future__ import annotations

import os

import typer

from relay import check, exits, facts
from relay.continuations import listing, reconcile, replay, showing
from relay.coverage import coverage
from relay.doctor import command as doctor
from relay.previews import preview
from relay.waiting import wait
from relay.whatif import command as whatif
from relay.why import why

PROGRAM = os.environ.get("RUN_RELAY_PROGRAM", "")  # shells complete a program, not `python -m`

app = typer.Typer(
    name="relay",
    help="Run Relay: what follows when an Azure Machine Learning run ends.",
    no_args_is_help=True,
    add_completion=bool(PROGRAM),
    pretty_exceptions_enable=False,
    epilog=exits.TOLD,
)


@app.callback()
def commands() -> None:
    """Keeps commands named even while there is only one."""


check.add_to(app)
coverage.add_to(app)
doctor.add_to(app)
facts.add_to(app)
listing.add_to(app)
showing.add_to(app)
preview.add_to(app)
reconcile.add_to(app)
replay.add_to(app)
wait.add_to(app)
whatif.add_to(app)
why.add_to(app)


if __name__ == "__main__":
    app(prog_name=PROGRAM or "python -m relay")
