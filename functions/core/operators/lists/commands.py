"""The one command that is right for a continuation, or for many with the same cause.

`--app` stands in it where the app knows its own resource id.
"""

from __future__ import annotations

import shlex
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from functions.core.operators.decisions import WITHOUT_GATE
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.bounds import visible

if TYPE_CHECKING:
    from functions.core.kept.summary import Summary

# What is open for these goes on by itself: nothing is to be typed.
_IN_ITS_TURN = frozenset(
    {
        *(Reason.WORKING, Reason.PAUSED, Reason.LIMIT, Reason.CONCURRENCY, Reason.THROTTLED),
        Reason.INCOMPLETE,
    }
)
_ENDED = {State.HELD: "--held", State.FAILED: "--failed"}
_HOURS = 48  # up to so many a span is told in hours
DAYS_OF_LETTERS = 7  # dead letters that are older are left where nobody says how many


class Command(NamedTuple):
    """What to type; `otherwise` where what an operator finds decides which of two it is."""

    text: str = ""
    otherwise: str = ""


def of_one(one: Summary, name: str, app: str) -> Command:
    """What replays this one, by its KEY; empty where nothing is to be typed."""
    key = shlex.quote(visible(name))
    typed = f"bin/relay replay {key}"
    if not one.key.outcome.is_known or one.state not in {State.OPEN, *_ENDED}:
        return Command()
    if one.is_open:
        return Command() if one.reason in _IN_ITS_TURN else Command(f"{typed}{_for(app)}")
    if one.in_doubt:
        way, rest = "bin/relay replay --", f" {key}{_for(app)}"
        return Command(f"{way}as-started BUILD_ID{rest}", f"{way}again{rest}")
    return Command(f"bin/relay replay{_how(one.reason)} {key}{_for(app)}")


def of_many(state: State, route: str, reason: Reason, age: timedelta, app: str) -> str:
    """What replays all that ended so, on this route, for this reason, no longer ago than this."""
    which = f"{_ENDED[state]} --route {shlex.quote(visible(route))} --reason {reason}"
    return f"bin/relay replay{_how(reason)} {which} --since {_since(age)}{_for(app)}"


def of_letters(age: timedelta) -> str:
    """What takes up dead letters of this age, too."""
    typed = "bin/relay replay --dead-letters CONTAINER_URL"
    is_left = age > timedelta(days=DAYS_OF_LETTERS - 1)  # or may be by the time that it is typed
    return f"{typed} --since {_since(age)}" if is_left else typed


def _how(reason: Reason) -> str:
    """What it does otherwise stands first: where there is no room the end of it is cut."""
    return " --ignore-gate" if reason in WITHOUT_GATE else ""


def _for(app: str) -> str:
    return f" --app {shlex.quote(visible(app))}" if app else ""


def _since(age: timedelta) -> str:
    """A span that covers this age, also when the command is typed an hour later."""
    hours = ceil(age.total_seconds() / 3600) + 1
    return f"{hours}h" if hours <= _HOURS else f"{ceil(hours / 24)}d"
