"""Whose turn it is, where one of many must not keep the others waiting."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from functions.core.terms.errors import Unreadable
from functions.core.terms.policy import CLOCK_SKEW
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import datetime

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Ledger
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import Key

FIRST_PAUSE = 1.0  # seconds, at most, before the second try; then twice as long, four at most
MOST_ASKED = 3  # of a line, to find the first that is not another version's

T = TypeVar("T")


def in_turn(those: Iterable[T], of: Callable[[T], Hashable]) -> list[T]:
    """One of each in turn, so that who has very many leaves room for the others.

    Of each they keep their order. None of them may be None.
    """
    each: dict[Hashable, list[T]] = defaultdict(list)
    for one in those:
        each[of(one)].append(one)
    turns = zip_longest(*each.values())
    return [one for turn in turns for one in turn if one is not None]


def is_claimed_before(ledger: Ledger, c: Continuation, line: str) -> bool:
    """Whether this one was claimed, or replayed last, before all that wait in a line.

    A listing, and a request for the first of them.
    """
    for key in ledger.waiting_on(line, MOST_ASKED):
        try:
            entry = ledger.read(key) if key != c.key else None
        except Unreadable:  # a newer version's, which nobody here calls
            continue
        other = entry.continuation if entry else None
        if other and other.is_open and other.waits_on == line:
            return (c.open_since, c.key) < (other.open_since, other.key)
    return True


def may_be_older_for(ledger: Ledger, key: Key, routes: Routes, now: datetime) -> bool:
    """Whether instances of a newer route file than this one are coming up, which may hold it back.

    Two requests. Raises LedgerUnavailable.
    """
    from functions.core.memory import file_order  # noqa: PLC0415 - for rounds, not for events

    try:
        entry = ledger.read(key)
    except Unreadable:
        return False
    return entry is not None and file_order.may_be_older(ledger, entry.continuation, routes, now)


def ended(ledger: Ledger, c: Continuation) -> datetime:
    """When the run ended that it is about, as far as that is believed.

    Of what goes on by the end of its pipeline run that of the run that led to it, which may have
    ended long before a later run: a request for each step. An end after its claim is not believed:
    whoever ends a run says when that was. But of several that are joined it is the app that says
    when the last one came.
    """
    from functions.core.kept import after  # noqa: PLC0415 - for rounds, not for events

    with suppress(Unreadable):
        while (key := after.before(c)) and (entry := ledger.read(key)):
            c = entry.continuation
    told, joined = c.event.time or c.created_at, c.key.outcome is Outcome.JOINED
    return told if joined or told <= c.created_at + CLOCK_SKEW else c.created_at


def pause(key: Key, tried: int) -> float:
    """Seconds: drawn from the key, so that those who met once do not meet again."""
    drawn = hashlib.sha256(f"{key.hash}#{tried}".encode()).digest()[0] / 256
    return FIRST_PAUSE * (1, 2, 4)[min(tried, 2)] * drawn
