"""What is awaited on a route, and what became of that: once for each time that passes. Pure.

docs/adr/0038-what-should-have-come.md
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from functions.core.ledger import decoding
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.terms.words import Happening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.routes.expectation import Expectation

GRACE = timedelta(minutes=5)  # in which what ended in time may still be told
FORGOTTEN = timedelta(days=8)  # after that nobody wants to hear of each time that has passed
MOST_AT_ONCE = 20  # that one look tells, where nobody looked for long


class Awaited(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By when (`due`) a run is awaited that ended after `since`; none had by the time `missed`.

    `says` stands for what the route expects.
    """

    says: str
    due: datetime
    since: datetime
    missed: datetime | None = None


decoding.describe(Awaited)


class Happened(NamedTuple):
    """A time that passed without a run, or the run that came after all: `at` then.

    `due`: by when it should have come.
    """

    about: Happening
    at: datetime
    due: datetime


def begun(what: Expectation, now: datetime) -> Awaited:
    """From now on; what ended since the time before counts."""
    since = what.before(now)
    return Awaited(says=what.digest, due=what.after(now), since=since)


def looks_again(one: Awaited) -> datetime:
    """When there may be something to tell, where none is missed."""
    return one.due + GRACE


def is_current(one: Awaited, what: Expectation, now: datetime) -> bool:
    """Whether it is about what the route expects now, and somebody looked lately.

    A time after the next one is that of a clock that went wrong.
    """
    latest = what.after(now + CLOCK_SKEW)
    return one.says == what.digest and now - FORGOTTEN < one.due <= latest


def judged(
    one: Awaited, what: Expectation, ends: Iterable[datetime], now: datetime
) -> tuple[Awaited, list[Happened]]:
    """What has become of it by now, if runs of the route ended then; in the order of time.

    Where that is very much, it is as far as one look tells.
    """
    happened: list[Happened] = []
    known = sorted(ends)
    while len(happened) < MOST_AT_ONCE:
        found = next((end for end in known if one.since < end <= one.due), None)
        if one.missed and found:
            happened.append(Happened(Happening.CAME, found, one.missed))
            one = _came(one, what, found)
        elif found and what.within:
            one = replace(one, since=found, due=what.after(found))
        elif now < looks_again(one):
            return one, happened
        elif found:
            one = replace(one, since=one.due, due=what.after(one.due))
        else:
            happened.append(Happened(Happening.OVERDUE, one.due, one.due))
            one = replace(one, missed=one.due, due=what.after(one.due))
    return one, happened


def _came(one: Awaited, what: Expectation, end: datetime) -> Awaited:
    """Late. What comes nearer to the next time than to the one that it missed is in time for that.

    So none that is a little late stands for the next, and one that comes at its usual time after
    another failed to come is not awaited once more.
    """
    assert one.missed is not None  # noqa: S101 - see `judged`
    if what.within:
        return replace(one, missed=None, since=end, due=what.after(end))
    half_way = one.missed + (one.due - one.missed) / 2
    is_late = one.missed < end <= half_way
    return replace(one, missed=None, since=half_way if is_late else one.missed)
