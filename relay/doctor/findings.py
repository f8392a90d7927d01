"""What a check found: ok, warning or failure, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from functions.core.texts.bounds import bounded

LONGEST = 300


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


class Finding(Struct, frozen=True):
    """One line. `unreachable`: the check could not be made since something did not answer."""

    status: Status
    said: str
    do: str = ""
    unreachable: bool = False

    def builtins(self, check: str) -> dict[str, Any]:
        """As JSON has it."""
        return {"check": check, "status": self.status, "said": self.said, "do": self.do}


def ok(said: str) -> Finding:
    """All is well."""
    return Finding(Status.OK, bounded(said, LONGEST))


def warning(said: str, do: str) -> Finding:
    """It works, but not for long, or it could not be looked at."""
    return Finding(Status.WARNING, bounded(said, LONGEST), do)


def failure(said: str, do: str) -> Finding:
    """It does not work."""
    return Finding(Status.FAILURE, bounded(said, LONGEST), do)


def unreachable(said: str) -> Finding:
    """What was asked did not answer."""
    return Finding(Status.FAILURE, bounded(said, LONGEST), "try again later", unreachable=True)
