"""What a round may take of time and work, and what those have that it takes up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.deadline import (
    LAST_SECONDS,
    POST_NEEDS,
    READING,
    ROUND_SECONDS,
    Deadline,
    each,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Entry
    from functions.core.routes.deciding import End
    from functions.core.routes.definition import Routes
    from functions.core.starts.settling import Work
    from functions.core.terms.deadline import Clock
    from functions.core.terms.runs import Key

MOST_AT_ONCE = 100  # resumed in a round: after an outage not all start within a minute
MOST_LOOKED_AT = 1000  # continuations read in a round; most have ended, and leave the schedule
MOST_LISTED = 10_000  # of these that are due, some of every route's
LETTERS_SECONDS = 60.0  # of a round's, for the inbox
COUNTED_AGAIN = 600.0  # seconds until what is more than can be counted is looked through again
MOST_FOLLOWED = 2000  # pipeline runs that are looked at in a round
FOLLOWING_SECONDS = 60.0  # of a round's, for these
MOST_MESSAGES, MOST_MESSAGES_BESIDE = 10, 2  # to each channel, in a round
MOST_BESIDE, MOST_READ_BESIDE = 16, 64  # the same of a round beside a delivery


class Bounds(NamedTuple):
    """Continuations begin before `begins` has passed, `letters` before that; waits before `last`.

    `each` is the time of one of them. Of what was started `followed` are looked at, and to each
    channel so many `messages` are sent.
    """

    begins: Deadline
    letters: Deadline
    last: Deadline
    each: Callable[[], Deadline]
    resumed: int = MOST_AT_ONCE
    looked_at: int = MOST_LOOKED_AT
    followed: int = MOST_FOLLOWED
    messages: int = MOST_MESSAGES


class Round(NamedTuple):
    """One round: until when it takes something up, the turns that it has, the time of `each`.

    `released`: what need not wait any more, and for what. `follow` has a start looked after; `end`
    ends what is `gone`: whom the lines do not let go at all, since another waits for the same.
    """

    deadline: Deadline
    turns: Iterator[int]
    each: Callable[[], Deadline]
    routes: Routes | None
    released: Mapping[Key, str]
    follow: Callable[[Continuation, Routes | None], None]
    end: Callable[[Work, End], Entry | None] | None = None
    gone: Mapping[Key, Key] = {}


def whole(clock: Clock) -> Bounds:
    """Of a round that nobody waits for, but that the host ends."""
    return Bounds(
        begins=Deadline(clock, ROUND_SECONDS),
        letters=Deadline(clock, LETTERS_SECONDS),
        last=Deadline(clock, LAST_SECONDS),
        each=partial(each, clock),
    )


def beside(clock: Clock, deadline: Deadline) -> Bounds:
    """Of a round beside a delivery, to which so much is left."""
    begins = Deadline(clock, deadline.whole_left - POST_NEEDS - READING)
    most = (MOST_BESIDE, MOST_READ_BESIDE, MOST_BESIDE, MOST_MESSAGES_BESIDE)
    return Bounds(begins, begins, begins, lambda: deadline, *most)
