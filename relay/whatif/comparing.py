"""What became of news beside what would become of it. Pure."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from functions.core.routes.deciding import End, Go, PutOff
from functions.core.routes.filters import Misfit
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from relay.forecasts import telling
from relay.forecasts.forecast import Unread
from relay.whatif.contested import is_by_champion
from relay.whatif.differing import differing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from functions.core.kept.continuation import Continuation
    from functions.core.terms.pipelines import PipelineRequest
    from relay.forecasts.forecast import News, Prospect


class Change(StrEnum):
    """How it would have come otherwise, in the order in which people want to read it."""

    STOPS = "would not start"
    STARTS = "would start"
    REQUEST = "would start otherwise"
    ROUTE = "would start by another route"
    REASON = "would end otherwise"
    UNKNOWN = "cannot be told"
    SAME = "as it was"


# What became of these was nobody's decision on a route: with any routes it might be so again.
NOT_BY_ROUTES = frozenset(
    {
        *(Reason.IN_DOUBT, Reason.REFUSED, Reason.UNAVAILABLE, Reason.LOOK_FAILED),
        *(Reason.SECRET_UNREADABLE, Reason.SECRET_EXPIRED, Reason.CREDENTIAL_REFUSED),
        *(Reason.RUN_UNREADABLE, Reason.RUN_NOT_FOUND, Reason.ROUTES_UNREADABLE),
        *(Reason.THROTTLED, Reason.NOT_SENT, Reason.NOT_FINAL, Reason.DELETED, Reason.UNFORESEEN),
        *(Reason.SUPERSEDED, Reason.NOT_JOINED),  # by other runs
    }
)


class Compared(NamedTuple):
    """What became of news on a route (None: nothing), and what would (None: no such route).

    `instead`: what a route that is gone asked for, where this one starts the same pipeline.
    """

    route: str
    was: Continuation | None
    would: Prospect | None
    change: Change
    instead: PipelineRequest | None = None

    @property
    def would_state(self) -> State | None:
        """The state that it would have ended in; None: there would be no continuation."""
        if self.would is None:
            return None
        if isinstance(self.would.found, PutOff):  # what did not come by now will not
            return State.HELD if self.would.route.start else None
        return telling.state(self.would)

    @property
    def stays(self) -> bool:
        """Whether it is as it was since no route had a say in that, and not since routes agree."""
        return self.change is Change.SAME and self.was is not None and _is_unmoved(self.was)

    @property
    def started(self) -> bool:
        """Whether a pipeline was started."""
        return self.was is not None and self.was.state is State.STARTED

    @property
    def would_start(self) -> bool:
        """Whether one would be."""
        return self.would is not None and isinstance(self.would.found, Go)

    @property
    def by_champion(self) -> bool:
        """Whether a champion may have stopped it: today's, who need not be that of its day."""
        if self.would is None or not self.would.route.needs.champion:
            return False
        found = self.would.found
        return isinstance(found, End | PutOff) and is_by_champion(found, self.would.route)


def compared(
    known: Iterable[Continuation], prospects: Iterable[Prospect], news: News
) -> Sequence[Compared]:
    """Each route that came into it, or would."""
    was = {c.key.route: c for c in known}
    would = {prospect.route.name: prospect for prospect in prospects}
    told = [
        one._replace(change=_change(one, news))
        for name in {**would, **was}
        if _concerns(one := Compared(name, was.get(name), would.get(name), Change.SAME))
    ]
    return _moved(told)


def differences(one: Compared) -> Iterator[tuple[str, str, str]]:
    """What the two requests say otherwise, where the same pipeline would be started."""
    was, would = one.instead or _asked(one), _would_ask(one)
    if one.change in {Change.REQUEST, Change.ROUTE} and was and would:
        yield from differing(was, would)


def _concerns(one: Compared) -> bool:
    """Whether anything came of it, or would: most routes do not want most runs."""
    return one.was is not None or not isinstance(one.would and one.would.found, Misfit)


def _change(one: Compared, news: News) -> Change:
    if _untold(one, news):
        return Change.UNKNOWN
    if one.was is not None and _is_unmoved(one.was):
        return Change.SAME
    if one.would_start:
        return _start(one)
    if one.started:
        return Change.UNKNOWN if one.by_champion else Change.STOPS
    return Change.SAME if _ends(one) == _ended(one) and not _joins_others(one) else Change.REASON


def _untold(one: Compared, news: News) -> bool:
    if one.was is not None and one.was.is_anothers:
        return True
    found = one.would and one.would.found
    if isinstance(found, Misfit):
        return telling.only_event_tells(found, news)
    return isinstance(found, Unread)


def _is_unmoved(was: Continuation) -> bool:
    """Whether its end, or that it has none yet, was no route's doing."""
    if was.reason is Reason.OUTCOME_CHANGED:
        return True
    return was.is_open or (was.state is not State.STARTED and was.reason in NOT_BY_ROUTES)


def _start(one: Compared) -> Change:
    """Whether a service would take what it refused, or something like that, only it can tell."""
    was, would = _asked(one), _would_ask(one)
    if one.started and was and would:
        return Change.REQUEST if any(differing(was, would)) else Change.SAME
    refused = one.was is not None and one.was.reason is Reason.REJECTED
    return Change.UNKNOWN if refused else Change.STARTS


def _joins_others(one: Compared) -> bool:
    """Whether it was, and would be, one of several, but by another value."""
    found = one.would and one.would.found
    if one.was is None or not isinstance(found, End) or found.reason is not Reason.JOINED:
        return False
    return one.was.reason is Reason.JOINED and not one.was.detail.startswith(f"{found.detail}:")


def _ended(one: Compared) -> tuple[State | None, Reason | None]:
    return (one.was.state, one.was.reason) if one.was else (None, None)


def _ends(one: Compared) -> tuple[State | None, Reason | None]:
    state = one.would_state
    return (state, telling.reason(one.would)) if one.would and state else (None, None)


def _moved(told: Sequence[Compared]) -> Sequence[Compared]:
    """A route that has another name starts what the one before started: nothing is lost."""
    stops = Counter(_where(_asked(one)) for one in told if one.change is Change.STOPS)
    starts = Counter(_where(_would_ask(one)) for one in told if _is_new(one))
    both = {where for where in starts if where and starts[where] >= stops[where] > 0}
    gone = {_where(_asked(one)): _asked(one) for one in told if one.change is Change.STOPS}

    def seen(one: Compared) -> Compared:
        if one.change is Change.STOPS and _where(_asked(one)) in both:
            return one._replace(change=Change.ROUTE)
        if _is_new(one) and (where := _where(_would_ask(one))) in both:
            return one._replace(change=Change.ROUTE, instead=gone[where])
        return one

    return [seen(one) for one in told]


def _asked(one: Compared) -> PipelineRequest | None:
    return one.was.request if one.was else None


def _would_ask(one: Compared) -> PipelineRequest | None:
    return one.would.request if one.would else None


def _is_new(one: Compared) -> bool:
    return one.change is Change.STARTS and one.was is None


def _where(request: PipelineRequest | None) -> str:
    return request.where.lower() if request else ""
