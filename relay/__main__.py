"""Runs the command line: `python -m relay --help`."""

from __future__ import annotations

import typer

from relay import check, coverage, replay

app = typer.Typer(
    name="relay",
    help="Run Relay: what follows when an Azure Machine Learning run ends.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 ok, 1 the answer is no, 2 usage, 3 not found, 4 a remote service refused "
    "or could not be reached, 5 timed out, 130 interrupted.",
)


@app.callback()
def commands() -> None:
    """Keeps commands named even while there is only one."""


check.add_to(app)
coverage.add_to(app)
replay.add_to(app)


if __name__ == "__main__":
    app(prog_name="python -m relay")
