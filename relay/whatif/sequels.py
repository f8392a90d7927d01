"""What went on by the ends of pipeline runs, and what would have by the routes that are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.kept import after
from functions.core.rounds.following import sequels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.kept.continuation import Continuation
    from functions.core.routes.definition import Route, Routes
    from functions.core.terms.runs import RunEvent

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


def meant(event: RunEvent, routes: Routes) -> tuple[Route, ...]:
    """The routes that are asked of news: those of events, or the one that goes on by this end."""
    end = after.end(event)
    if not end:
        return routes.routes
    names = {one.then.get(end["end"]) for one in routes.every if one.name == end["route"]}
    return tuple(one for one in routes.sequels if one.name in names and one.start)
