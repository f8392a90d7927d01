"""What a route remembers of a workspace's registry, and what is new in it. Pure.

    {"says": ROUTE, "since": TIME, "until": TIME, "has": {MODEL: [VERSION, ...]},
     "owed": [PROMOTED, ...]}

A model stands here by a digest of its name, so that all that are promoted fit into one row.
docs/adr/0040-promotion.md
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from functions.core.events import parsing
from functions.core.events.model_events import PROMOTED, promotion
from functions.core.ledger import decoding
from functions.core.terms.runs import SWEPT, RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.terms.runs import Workspace

DIGITS = 12
MOST = 1000  # promoted versions of one route and workspace: so many fit into the row
ROOM = 1200  # with those of models that a list lacks
KEPT_FOR = timedelta(days=60)  # after the last sweep that looked
RENEWED = timedelta(days=30)  # before that is over


class Promoted(Struct, frozen=True):
    """A version that was found to be promoted at that time, which its key tells."""

    model: str
    version: str
    at: datetime


class Known(Struct, frozen=True, kw_only=True):
    """What was promoted when it was looked at last; from `since` on all that is new is owed.

    `owed`: what was found, and perhaps not claimed. `until`: when it may be forgotten. `says`
    stands for what the route is about; "": an older version wrote it.
    """

    since: datetime
    until: datetime
    says: str = ""
    has: dict[str, list[str]] = field(default_factory=dict)
    owed: list[Promoted] = field(default_factory=list)


class News(NamedTuple):
    """What was not promoted before, in order, and what is remembered once all of it is claimed."""

    new: list[tuple[str, str]]
    has: dict[str, list[str]]


decoding.describe(Known)


def known(value: Mapping[str, Any], owed_since: datetime) -> Known | None:
    """What the row says; None where it says nothing of use.

    What was remembered before the route, as it is, or the workspace was known is none: it would
    take for new what changed before.
    """
    try:
        found = decoding.decoded(dict(value), Known)
    except msgspec.ValidationError:
        return None
    return None if found.since < owed_since else found


def first(
    seen: Mapping[str, frozenset[str]], now: datetime, owed_since: datetime, says: str
) -> Known:
    """What a first look remembers, of which nothing is new.

    It is one also by a clock that is behind that of who came to know the route.
    """
    since, until = max(now, owed_since), now + KEPT_FOR
    return Known(since=since, until=until, says=says, has=told(seen))


def news(last: Known, seen: Mapping[str, frozenset[str]]) -> News:
    """What is new. A model that is not listed at all keeps what is remembered of it."""
    listed = {named(model) for model in seen}
    others = {model: v for model, v in last.has.items() if model not in listed}
    new = [
        (model, version)
        for model, versions in sorted(seen.items())
        for version in in_order(versions - frozenset(last.has.get(named(model), ())))
    ]
    return News(new, _fitting(others, told(seen)))


def in_order(versions: Iterable[str]) -> list[str]:
    """The tenth after the ninth: of two that come at once the later one is the latest."""
    return sorted(versions, key=lambda version: (len(version), version))


def _fitting(others: dict[str, list[str]], now: dict[str, list[str]]) -> dict[str, list[str]]:
    """All that is listed, and of the others those that were so until lately."""
    room, kept = ROOM - count(now), dict[str, list[str]]()
    for model, versions in reversed(others.items()):
        room -= len(versions)
        if room < 0:
            break
        kept[model] = versions
    return {**dict(reversed(kept.items())), **now}


def owing(last: Known, some: list[tuple[str, str]], now: datetime) -> Known:
    """It is known that these are promoted, and owed that they are claimed."""
    has = dict(last.has)
    for model, version in some:
        has[named(model)] = sorted({*has.get(named(model), ()), version})
    return replace(last, has=has, owed=[Promoted(model, version, now) for model, version in some])


def lasting(last: Known, says: str, now: datetime) -> Known:
    """The same, about what the route says, and kept for long enough."""
    until = last.until if last.until - now > RENEWED else now + KEPT_FOR
    return replace(last, says=says, until=until)


def settled(last: Known, has: dict[str, list[str]]) -> Known:
    """Nothing is owed; the same as before where nothing is new."""
    return replace(last, has=has, owed=[])


def count(has: Mapping[str, object]) -> int:
    """How many versions these are."""
    return sum(len(versions) for versions in has.values() if isinstance(versions, list))


def event(workspace: Workspace, one: Promoted, value: str) -> RunEvent | None:
    """The news that it is promoted; None where its names are too long for a key."""
    identity = promotion(one.model, one.version, value, one.at)
    if not parsing.is_identity(identity):
        return None
    return RunEvent(
        id=identity,
        type=SWEPT,
        subject=f"models/{one.model}/versions/{one.version}",
        time=one.at,
        workspace=workspace,
        run=identity,
        outcome=PROMOTED.outcome,
        given={PROMOTED.root: {"name": one.model, "version": one.version}},
    )


def named(model: str) -> str:
    """Stands for a model's name in the row."""
    return hashlib.sha256(model.encode("utf-8", "replace")).hexdigest()[:DIGITS]


def written(what: Known) -> dict[str, Any]:
    """The row's value."""
    value: dict[str, Any] = msgspec.to_builtins(what)
    return value


def told(seen: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """The versions that are promoted, as the row has them."""
    return {named(model): sorted(versions) for model, versions in seen.items() if versions}
