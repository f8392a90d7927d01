"""What went on by the ends of pipeline runs, and what would have by the routes that are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept import after
from functions.core.rounds.following import sequels
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.kept.continuation import Continuation
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.runs import RunEvent
    from relay.whatif.past import Happened

    Led = tuple[RunEvent, dict[str, Continuation]]  # news, and what it led to by its route


def of(kept: Iterable[Continuation], routes: Routes) -> Iterator[Led]:
    """Each as news of its own: what went on, and what would have, by an end that is known."""
    kept = list(kept)
    keys = {c.key for c in kept}
    for c in kept:
        if after.before(c):
            yield c.event, {c.key.route: c}
        behind = routes.sequel(c.key.route, c.ended.how) if c.ended else None
        if behind and behind.start and c.event.key(behind.name) not in keys and c.ended:
            yield sequels.opened(c, behind.name, c.ended.at, "").event, {}


def meant(happened: Happened, routes: Routes) -> tuple[Route, ...]:
    """The routes that are asked of news: those of events, or the one that goes on by this end.

    Of several runs that were joined it is the one that joined them, if it does so still.
    """
    end = after.end(happened.event)
    if not end and happened.event.outcome is Outcome.JOINED:
        return tuple(one for one in routes.routes if one.name in happened.known and one.join)
    if not end:
        return routes.routes
    names = {one.then.get(end["end"]) for one in routes.every if one.name == end["route"]}
    return tuple(one for one in routes.sequels if one.name in names and one.start)
