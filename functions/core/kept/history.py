"""Which steps a history keeps, where it has no room for all: decisions rather than tries. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept.continuation import ASKED, BY_OPERATORS, CLAIMED, PARKED, Step
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.core.kept.continuation import Continuation

LONGEST_HISTORY = 40
FIRST = 5  # steps that stay: they tell the cause
RESUMED, UNASKED, ABSENT = "resumed", "taken back", "looked: absent"
PUT_RIGHT = "put right"  # another start's pipeline run gave way to its own
JOINED = "joined"  # another run: it stands where it stood, and nobody is at work on it by that
KEPT = BY_OPERATORS | {CLAIMED}  # few, and counted
_TRIES = frozenset({RESUMED, PARKED, UNASKED, ABSENT, JOINED})


def last(c: Continuation) -> Step | None:
    """The step by which it came to where it stands; None of one without a history."""
    return next((step for step in reversed(c.history) if step.what != JOINED), None)


def stands_since(c: Continuation) -> datetime:
    """When it came to where it stands."""
    step = last(c)
    return step.at if step else c.updated_at


def is_of_today(c: Continuation) -> bool:
    """Whether it is the newest route file's, whichever claimed it.

    So is what names none: what an operator opened, or wanted tried at once, who may have mended the
    route before. And what several runs are joined for, since that lasts for longer than a file may.
    """
    return c.file == "" or c.key.outcome is Outcome.JOINED


def fitting(*history: Step) -> tuple[Step, ...]:
    """The beginning tells the cause, the end the state: of what is between them tries go first.

    Before those a step goes of which another like it comes later.
    """
    if len(history) <= LONGEST_HISTORY:
        return history
    between = range(FIRST, len(history) - 1)
    at = min(between, key=lambda step: _worth(history, step))
    return fitting(*history[:at], *history[at + 1 :])


def _worth(history: Sequence[Step], at: int) -> int:
    """The least goes first. What is told to be asked and was taken back is told as that."""
    step, before = history[at], history[at - 1]
    if step.what in KEPT or (step.what == UNASKED and before.what == ASKED):
        return 3
    if any(_like(step, other) for other in history[at + 1 :]):
        return 0
    return 1 if step.what in _TRIES else 2


def _like(step: Step, other: Step) -> bool:
    """Tries are alike if they were for one reason, whatever else they say of it."""
    if step.what not in _TRIES:
        return (step.what, step.detail) == (other.what, other.detail)
    return step.what == other.what and _reason(step) == _reason(other)


def _reason(step: Step) -> str:
    return step.detail.partition(" ")[0]
