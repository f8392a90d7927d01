"""Words and names that a route file may use."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, NamedTuple

from functions.core.values import Outcome


class Form(NamedTuple):
    """A pattern, and what to tell those who miss it."""

    pattern: str
    allowed: str

    def fits(self, text: str) -> bool:
        """Whether the whole text has this form."""
        return re.search(self.pattern, text) is not None


# The patterns stay within what Python and ECMAScript read alike, so that editors can use them;
# `\Z` does not exist there, and Python's `$` would let a line break pass, hence `(?!\n)`.
_END = r"$(?!\n)"

NAME: Final = Form(
    rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,62}}{_END}",
    "1 to 63 letters, digits, `.`, `_` or `-`, the first a letter or digit",
)
# https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions
ORGANIZATION: Final = Form(
    rf"^(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9 ._-]{{0,62}}[A-Za-z0-9])?{_END}",
    "1 to 64 letters, digits, `-`, `.`, `_` or blanks, no `..`, letters or digits at both ends",
)
PROJECT: Final = Form(
    r"""^(?!.*\.\.)(?![_. ])[^\x00-\x1f\x7f/\\:~&%;@'"?<>|#$*{},+=\[\]]{1,64}(?<![. ])""" + _END,
    "1 to 64 characters, none of / \\ : ~ & % ; @ ' \" ? < > | # $ * { } , + = [ ], no `..`, "
    "no `_` or `.` in front, no `.` at the end",
)
# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
SECRET: Final = Form(rf"^[A-Za-z0-9-]{{1,127}}{_END}", "1 to 127 letters, digits or `-`")
# https://git-scm.com/docs/git-check-ref-format
BRANCH: Final = Form(
    r"^refs/(heads|tags|pull)/(?!.*(\.\.|//|@\{|/\.|\.lock$|\.lock/))"
    rf"[^\x00-\x20\x7f~^:?*\[\\{{}}.][^\x00-\x20\x7f~^:?*\[\\{{}}]{{0,199}}(?<![/.]){_END}",
    "a full name such as refs/heads/main, refs/tags/v1 or refs/pull/7/merge",
)
PARAMETER: Final = Form(
    rf"^[A-Za-z_][A-Za-z0-9_.-]{{0,99}}{_END}",
    "1 to 100 letters, digits, `_`, `-` or `.`, the first a letter or `_`",
)
DURATION: Final = Form(rf"^[0-9]{{1,6}}[smhd]{_END}", "a duration such as 30s, 10m, 2h or 1d")
LIMIT: Final = Form(
    rf"^[1-9][0-9]{{0,4}}/[hd]{_END}", "a number of starts per hour or day: 20/h, 100/d"
)

LARGEST_ID: Final = 2**31 - 1
LONGEST_WAIT: Final = timedelta(days=7)
MODES: Final = ("active", "shadow")
EVENTS: Final = ("ModelRegistered", "ModelDeployed", "DatasetDriftDetected")

GOING: Final = (
    *("NotStarted", "Starting", "Provisioning", "Preparing", "Queued", "Running"),
    *("Finalizing", "CancelRequested", "Paused", "Unknown"),
)
"""Statuses of runs that have not ended. Source: JobStatus in
https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml.entities.job"""

OTHER_WORDS: Final = {
    "FINISHED": Outcome.COMPLETED,
    "Succeeded": Outcome.COMPLETED,
    "RunCompleted": Outcome.COMPLETED,
    "KILLED": Outcome.CANCELED,
    "Cancelled": Outcome.CANCELED,
}
"""What other products, MLflow among them, call these outcomes."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta | None:
    """`10m` as ten minutes; None for what is no duration of at most LONGEST_WAIT."""
    if not DURATION.fits(text):
        return None
    found = timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    return found if found <= LONGEST_WAIT else None
