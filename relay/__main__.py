"""Runs the command line: `python -m relay --help`."""

from relay import missing

with missing.told():
    from relay.commands import PROGRAM, app

__all__ = ("app",)

if __name__ == "__main__":
    app(prog_name=PROGRAM or "python -m relay")
