"""The filters of the operations page, as an address has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from functions.core.kept.summary import EVER
from functions.core.operators import summaries
from functions.core.terms.errors import RelayError
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from functions.core.texts.bounds import visible
from functions.core.texts.times import parse_span, parse_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from functions.core.kept.summary import Summary
    from functions.core.kept.tasks import Wait

LONGEST_ASKED = 200
OLDEST = "oldest"
ASKED_IN_DOUBT = "in_doubt"  # asked for as if it were a state
STATES = (*State, ASKED_IN_DOUBT)
_REASONS = frozenset(Reason)


def has_state(one: Summary, states: Collection[str]) -> bool:
    """Whether it is in one of these states; what is in doubt is so in whichever it is."""
    return one.state in states or (one.in_doubt and ASKED_IN_DOUBT in states)


class NotAsked(RelayError):
    """A filter that cannot be meant; `field` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class Wanted(Struct, frozen=True, kw_only=True):
    """The filters, as they were given. Route and experiment may hold the wildcards * and ?.

    `state` may name several, with commas between them, and `in_doubt`. `since` goes by when one
    came to where it stands; the command line's by when it was claimed. `during` is a time and a
    length of time, as in `2026-03-14T12:00:00Z/15m`. `order` is empty, for the newest first, or
    `oldest`.
    """

    state: str = ""
    route: str = ""
    experiment: str = ""
    reason: str = ""
    q: str = ""
    since: str = ""
    during: str = ""
    order: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """The filters of a query; raises NotAsked."""
        asked = cls(**{n: query.get(n, "").strip()[:LONGEST_ASKED] for n in cls.__struct_fields__})
        if not asked.states <= {*STATES}:
            raise NotAsked("state", f"state is one of {', '.join(STATES)}, or several with commas")
        if asked.reason and asked.reason not in _REASONS:
            raise NotAsked("reason", f"reason is one of {', '.join(Reason)}")
        if asked.since and not parse_span(asked.since):
            raise NotAsked("since", "since is a length of time such as 30m, 24h or 7d")
        if asked.during and not asked.stretch:
            raise NotAsked("during", "during is like 2026-03-14T12:00:00Z/15m")
        if asked.order not in {"", OLDEST}:
            raise NotAsked("order", f"order is empty or {OLDEST}")
        return asked

    @property
    def given(self) -> dict[str, str]:
        """What was asked for."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value}

    @property
    def narrows(self) -> bool:
        """Whether some are left out."""
        return bool(self.given.keys() - {"order"})

    @property
    def states(self) -> frozenset[str]:
        """Those that are wanted; of every one where there are none."""
        return frozenset(filter(None, (one.strip() for one in self.state.split(","))))

    @property
    def stretch(self) -> tuple[datetime, datetime] | None:
        """From when to when, by `during`; the second is no part of it."""
        begins, _, lasts = self.during.partition("/")
        at, span = parse_time(begins), parse_span(lasts)
        try:
            return (at, at + span) if at and span else None
        except OverflowError:
            return None

    def begins(self, now: datetime) -> datetime:
        """Since when."""
        span = parse_span(self.since)
        return now - span if span else EVER

    def fitting(self, those: list[Summary], now: datetime) -> list[Summary]:
        """Those that pass every filter now."""
        begins = self.begins(now)
        return [one for one in those if self.takes(one, begins)] if self.narrows else those

    def takes(self, one: Summary, begins: datetime) -> bool:
        """Whether it passes every filter. The search looks into all that the list shows."""
        stretch = self.stretch
        return (
            (not self.states or has_state(one, self.states))
            and self.reason in {"", one.reason}
            and one.at >= begins
            and (stretch is None or stretch[0] <= one.at < stretch[1])
            and summaries.fits(one, self.route or None, self.experiment or None)
            and (not self.q or visible(self.q).casefold() in _searched(one))
        )

    def takes_wait(self, wait: Wait) -> bool:
        """Whether a waiting task, which is open and of no one route or experiment, passes them."""
        told = " ".join((*wait.runs, wait.workspace.name, wait.task.id, wait.why))
        of_others = self.given.keys() & {"route", "experiment", "reason", "since", "during"}
        is_open = not self.states or State.OPEN in self.states
        return is_open and not of_others and self.q.casefold() in told.casefold()

    def sorted(self, found: list[Summary]) -> list[Summary]:
        """What may be open first, the longest open before the others; then what ended, by time."""
        is_open = [one for one in found if one.state.may_be_open]
        ended = [one for one in found if not one.state.may_be_open]
        is_open.sort(key=lambda one: (one.created_at, one.key))
        ended.sort(key=lambda one: (one.at, one.key), reverse=self.order != OLDEST)
        return [*is_open, *ended]


def _searched(one: Summary) -> str:
    """All that the list shows of it."""
    shown = (*one.key.text.split("/", 2), one.workspace, one.experiment)
    told = " ".join((*shown, one.stands, one.reason, one.detail, f"#{one.pipeline_run or ''}"))
    return visible(told).casefold()
