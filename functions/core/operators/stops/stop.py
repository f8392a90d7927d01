"""One thing that stops everything or much, and the words that all of them share."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads it
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from functions.core.texts.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.kept.summary import Listed
    from functions.core.ports.ledger import Inbox
    from functions.core.terms.policy import Policy


class Kind(StrEnum):
    """What it is that stops, the gravest first."""

    ROUTES = "routes_unreadable"
    REFUSED = "credential_refused"
    EXPIRED = "credential_expired"
    UNREADABLE = "credential_unreadable"
    RECONCILER = "reconciler_silent"
    PAUSED = "paused"
    SWEEP = "sweep_silent"
    INBOX = "inbox_waits"
    LEDGER = "ledger_errors"
    THROTTLED = "throttled"
    EXPIRING = "credential_expiring"
    SETTING = "setting_ignored"


OF_INBOX = frozenset({Kind.ROUTES, Kind.INBOX})  # what waits for these are events, not yet rows
_ORDER = list(Kind)
_GRAVE = frozenset({Kind.ROUTES, Kind.REFUSED, Kind.EXPIRED, Kind.UNREADABLE, Kind.RECONCILER})


class Stop(NamedTuple):
    """What it is in one short sentence, and what to do.

    `waits`: how many events or continuations do. `more`: further sentences, such as what waits and
    what is wrong. `waits_is_at_least`: more may wait than were counted.
    """

    kind: Kind
    what: str
    do: str
    since: datetime | None = None
    waits: int | None = None
    more: tuple[str, ...] = ()
    waits_is_at_least: bool = False

    @property
    def says(self) -> str:
        """All of it in words."""
        return " ".join((self.what, *self.more))

    @property
    def is_met(self) -> bool:
        """Whether something stands still for it now; the others only may come to that."""
        return self.kind in _GRAVE or self.kind in {Kind.PAUSED, Kind.INBOX}

    @property
    def is_grave(self) -> bool:
        """Whether nothing that it is about goes on before a person does something."""
        return self.kind in _GRAVE

    @property
    def place(self) -> int:
        """Its place among the others."""
        return _ORDER.index(self.kind)


class Known(NamedTuple):
    """What the settings say: what is odd about them, and when a timer must have stopped.

    That is told of when it ended last. `deployed`: whether the app runs in Azure, as far as its
    settings tell.
    """

    policy: Policy
    complaints: Sequence[str]
    reconciler_missed: Callable[[datetime], datetime]
    sweep_missed: Callable[[datetime], datetime]
    deployed: bool = True


def moment(at: datetime | None) -> str:
    """A time for people."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"


def since(at: datetime | None) -> str:
    """Since when, if that is known."""
    return f" since {moment(at)}" if at else ""


def many(count: int, what: str) -> str:
    """So many of them."""
    return counted(count, what, grouped=True)


def continuations(waiting: Listed) -> str:
    """How many wait for it to end; at least so many where more are open than were listed."""
    if not waiting:
        whose = "" if waiting.whole else " of those that are listed"
        return f"No continuation{whose} waits for that."
    told = f"{many(len(waiting), 'continuation')} wait{'s' * (len(waiting) == 1)} for that."
    return told if waiting.whole else f"At least {told}"


def waited(kind: Kind, says: str, do: str, waiting: Listed, at: datetime | None = None) -> Stop:
    """A stop since `at`, which says how many wait for it to end."""
    return Stop(kind, says, do, at, len(waiting), (continuations(waiting),), not waiting.whole)


def events(inbox: Inbox) -> str:
    """How many wait in the inbox."""
    if not inbox.letters:
        return "No event waits in the inbox."
    told = many(inbox.letters, "event") if inbox.whole else f"More than {inbox.letters:,} events"
    return f"{told} wait{'s' * (inbox.letters == 1)} in the inbox{since(inbox.oldest)}."
