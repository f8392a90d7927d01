"""Where a channel stands, in a row that all processes share, and what goes together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from functions.core.ledger import decoding
from functions.core.terms.policy import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from functions.core.kept.notice import Notice
    from functions.core.ports.ledger import Shared
    from functions.core.terms.policy import Policy

MOST_TOGETHER = 100  # notices in a message
MOST_SENDS = 2  # of the same message, where no answer came or nobody knows
TOLD_WITHIN = timedelta(hours=72)  # until it is given up
LONGEST_PAUSE = timedelta(hours=1)
LATEST = timedelta(days=1)  # what is to last longer was written by a clock that was ahead
DIGITS = 32


class Standing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who sends until `lease` is over, and what may have left: the `message`, and how often.

    `sending` are the ids of its notices. Nothing is sent until `held_until`, since it `failed` so
    many times in a row, the last time for that reason (`why`). `told`: when it took the last one.
    """

    lease: datetime | None = None
    message: str = ""
    sending: tuple[str, ...] = ()
    sends: int = 0
    failed: int = 0
    held_until: datetime | None = None
    why: str = ""
    told: datetime | None = None

    @property
    def value(self) -> dict[str, Any]:
        """As the row has it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def is_taken(self, now: datetime) -> bool:
        """Whether somebody else sends."""
        return is_still(self.lease, now)

    def is_held(self, now: datetime) -> bool:
        """Whether nothing is to be sent just now."""
        return is_still(self.held_until, now)

    def begins(self, message: str, ids: Iterable[str], sends: int, until: datetime) -> Standing:
        """Before a POST of this message, which is the `sends`th."""
        return replace(self, lease=until, message=message, sending=tuple(ids), sends=sends)

    def took(self, now: datetime) -> Standing:
        """After a POST that was taken."""
        return Standing(lease=self.lease, told=now)

    def refused(self) -> Standing:
        """After one that never will be: the others may."""
        return replace(self, message="", sending=(), sends=0)

    def pauses(self, now: datetime, pause: timedelta, why: str, *, sends: int) -> Standing:
        """After one that was not taken, or of which nobody knows; so many may have left."""
        left = self if sends else self.refused()
        failed, until = self.failed + 1, now + pause
        return replace(left, sends=sends, failed=failed, held_until=until, why=why)

    def let_go(self) -> Standing:
        """Nobody sends any more."""
        return replace(self, lease=None)


decoding.describe(Standing)


def is_still(until: datetime | None, now: datetime) -> bool:
    """Whether that goes on."""
    return until is not None and now < until < now + LATEST


class Hand:
    """The channel's row in the hand of who sends; `write` raises Lost where another has it."""

    def __init__(
        self, share: Callable[[Shared, Mapping[str, object]], Shared], row: Shared, known: Standing
    ) -> None:
        self._share, self._row = share, row
        self.known = known

    def write(self, known: Standing) -> None:
        """Let all know where it stands."""
        if known.value != self._row.value:
            self._row = self._share(self._row, known.value)
        self.known = known


def name(channel: str) -> str:
    """The shared row of a channel."""
    return f"notify/{channel}"


def standing(value: Mapping[str, Any]) -> Standing:
    """Where it stands by its row; what another version wrote otherwise is as if it were new."""
    try:
        return decoding.decoded(dict(value), Standing)
    except msgspec.ValidationError:
        return Standing()


def pause(policy: Policy, failed: int, asked: float | None) -> timedelta:
    """How long nothing is sent after so many failures in a row, at least as long as was asked."""
    doubled = backoff(2 * policy.retry_first, failed, LONGEST_PAUSE)
    wanted = timedelta(seconds=min(asked or 0.0, LONGEST_PAUSE.total_seconds()))
    return max(doubled, wanted)


def grouped(notices: Iterable[Notice]) -> list[list[Notice]]:
    """What goes together: of one kind, route, reason and end; those that wait longest first."""
    found: dict[tuple[str, ...], list[Notice]] = defaultdict(list)
    for one in sorted(notices, key=lambda notice: (notice.at, notice.id)):
        found[one.about, one.route, one.reason, one.ended].append(one)
    return [
        group[first : first + MOST_TOGETHER]
        for group in found.values()
        for first in range(0, len(group), MOST_TOGETHER)
    ]


def message_id(notices: Iterable[Notice]) -> str:
    """The same for the same notices."""
    whole = "|".join(sorted(notice.id for notice in notices))
    return hashlib.sha256(whole.encode()).hexdigest()[:DIGITS]
