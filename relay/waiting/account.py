"""What a wait tells: lines while it goes on, and the whole of it as JSON at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from functions.core.texts.phrases import lasting
from relay import printing
from relay.printing import plain

if TYPE_CHECKING:
    from functions.core.terms.deadline import Clock
    from relay.waiting.polling import Elapsed
    from relay.waiting.statuses import Status

LONGEST = 500


class Account:
    """The account of one wait. With `as_json` its lines go to the error output."""

    def __init__(self, clock: Clock, elapsed: Elapsed, *, as_json: bool) -> None:
        self._clock = clock
        self._elapsed = elapsed
        self.as_json = as_json
        self.told: dict[str, Any] = {"run": "", "status": ""}

    def say(self, text: str) -> None:
        """A line for people."""
        typer.echo(plain(text, LONGEST), err=self.as_json)

    def complain(self, text: str) -> None:
        """A line for people, on the error output."""
        typer.echo(plain(text, LONGEST), err=True)

    def fail(self, code: int, detail: str) -> int:
        """Say why it ends with this code."""
        self.told["detail"] = detail
        self.complain(detail)
        return code

    def changed(self, status: Status) -> None:
        """The run has another status than before."""
        self.told["status"] = status.word
        self.say(f"{self._stamp}  {status}")

    def troubled(self, detail: str) -> None:
        """The run cannot be read just now."""
        self.say(f"{self._stamp}  cannot be read, trying again: {detail}")

    def conclude(self, code: int) -> int:
        """Print the last line, if it is wanted."""
        self.told |= {"exit_code": code, "elapsed_seconds": round(self._elapsed.seconds, 1)}
        if self.as_json:
            typer.echo(line(self.told))
        return code

    @property
    def so_long(self) -> str:
        """How long it has waited."""
        return lasting(self._elapsed.seconds)

    @property
    def _stamp(self) -> str:
        return f"{printing.at(self._clock.now())}  {self.so_long:>9}"


def line(document: object) -> str:
    """JSON on one line, in ASCII, that an agent of Azure Pipelines takes for no command.

    https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
    """
    return json.dumps(document, allow_nan=False).replace("##", r"\u0023#")
