"""The answer for a waiting task, as its row and its log in Azure Pipelines can hold it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NOTE = 30_000  # characters of JSON; the rest of a wait's row may take as many
SUCCEEDED, FAILED = "succeeded", "failed"  # the results that Azure Pipelines knows


class TaskAnswer(NamedTuple):
    """The answer for a task, and a line for each run saying why."""

    succeeded: bool
    lines: tuple[str, ...]

    @classmethod
    def of(cls, judged: Sequence[TaskAnswer]) -> TaskAnswer:
        """All of them as one: each must say yes. Who says no comes first.

        The lines are as many as a row can hold; the others are counted.
        """
        ordered = sorted(judged, key=lambda one: one.succeeded)
        lines = _kept([line for one in ordered for line in one.lines])
        return cls(all(one.succeeded for one in judged), lines)

    @property
    def result(self) -> str:
        """What the task ends with."""
        return SUCCEEDED if self.succeeded else FAILED

    @property
    def why(self) -> str:
        """All lines in one."""
        return bounded("; ".join(self.lines))


def _kept(lines: Sequence[str]) -> tuple[str, ...]:
    room, kept = LONGEST_NOTE, list[str]()
    for line in map(bounded, lines):
        room -= len(json.dumps(line))
        if room < 0:
            return (*kept, f"and {len(lines) - len(kept)} more lines")
        kept.append(line)
    return tuple(kept)
