"""When the ledger first saw each route as it is matched now: rows of so many routes each.

The first row is that of earlier versions, which read `born` and `routes` of it, and write no more.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from functions.core.memory.remembered import is_to_come
from functions.core.routes import near_misses
from functions.core.terms.errors import Lost
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.ports.ledger import Ledger, Shared
    from functions.core.routes.definition import Route, Routes

ROUTES = "chronicle/routes"
ROUTES_IN_A_ROW = 200  # of names of 63 characters some more would fit
DIGITS = 12


class _Route(NamedTuple):
    """Since when, the digest of what it matches, and since when it wants child runs, if it does."""

    at: str = ""
    match: str = ""
    children: str = ""


_Seen = dict[str, _Route]  # by name


class FirstSeen(NamedTuple):
    """When the ledger was born, and when each route was first seen; None: never yet.

    `children`: those that want child runs, and since when. `new` and `gone`: how many routes this
    look added, or forgot.
    """

    born: datetime | None
    routes: Mapping[str, datetime]
    children: Mapping[str, datetime]
    new: int = 0
    gone: int = 0


def recall(ledger: Ledger, routes: Routes | None = None) -> FirstSeen:
    """What is remembered, of these routes as they match; one request for each row.

    Raises LedgerUnavailable.
    """
    rows = _rows(ledger)
    seen = _seen(rows)
    if routes is not None:
        seen = {r.name: seen[r.name] for r in routes.routes if _is_seen(seen.get(r.name), r)}
    return _first_seen(rows[0].value.get("born"), seen)


def register(
    ledger: Ledger, routes: Routes, now: datetime, gives_way: Callable[[], bool]
) -> FirstSeen | None:
    """Remember today's routes from now on, and forget those that are gone.

    So a route that was renamed or matches something else, or was taken away and brought back, is a
    new one. None where something would change, and these routes give way to others just now.
    Raises LedgerUnavailable.
    """
    while True:
        rows = _rows(ledger)
        known = _seen(rows)
        today = {r.name: _kept(known.get(r.name), r, now) for r in routes.routes}
        born = _been(str(rows[0].value.get("born", "")), now) or now.isoformat()
        if today != known and gives_way():
            return None
        try:
            _write(ledger, rows, list(_values(born, today)))
        except Lost:
            continue
        new = sum(known.get(name, _Route()).at != route.at for name, route in today.items())
        return _first_seen(born, today)._replace(new=new, gone=len(known.keys() - today.keys()))


def digest(route: Route) -> str:
    """Stands for all that decides whether the route is swept for a root run, or for promotions.

    What starts nothing, and what only an event can serve, is not: it decides without a trace, or
    decides to start nothing.
    """
    swept = near_misses.is_swept(route) and not route.shadow
    more = (route.promoted,) if route.promoted else ()
    what = (sorted(route.outcomes), route.match, swept, *more)
    return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()[:DIGITS]


def _is_seen(known: _Route | None, route: Route) -> bool:
    return known is not None and known.match in {"", digest(route)}


def _kept(known: _Route | None, route: Route, now: datetime) -> _Route:
    """What an earlier version wrote has no digest: it is taken to have matched the same."""
    was, match, today = known or _Route(), digest(route), now.isoformat()
    at = (was.match in {"", match} and _been(was.at, now)) or today
    wanted = _been(was.children, now) or (today if was.match else at)
    children = wanted if route.children else ""
    return _Route(at, match, children)


def _been(at: str, now: datetime) -> str:
    """The same; "" where only a clock that was wrong can have told it."""
    return "" if is_to_come(parse_time(at), now) else at


def _values(born: str, seen: _Seen) -> Iterator[dict[str, Any]]:
    """One for each row, at least one."""
    names = sorted(seen)
    for first in range(0, len(names) or 1, ROUTES_IN_A_ROW):
        here = names[first : first + ROUTES_IN_A_ROW]
        value: dict[str, Any] = {} if first else {"born": born}
        value["routes"] = {name: seen[name].at for name in here}
        value["match"] = {name: seen[name].match for name in here}
        if children := {name: seen[name].children for name in here if seen[name].children}:
            value["children"] = children
        if first + ROUTES_IN_A_ROW < len(names):
            value["more"] = True
        yield value


def _write(ledger: Ledger, rows: Sequence[Shared], values: Sequence[Mapping[str, Any]]) -> None:
    """The last row first: a name that is lost on the way is a new one, which is swept for less."""
    for at in reversed(range(len(values))):
        row = rows[at] if at < len(rows) else ledger.shared(_name(at))
        if row.value != values[at]:
            ledger.share(row, values[at])


def _rows(ledger: Ledger) -> list[Shared]:
    rows = [ledger.shared(ROUTES)]
    while rows[-1].value.get("more") is True:
        rows.append(ledger.shared(_name(len(rows))))
    return rows


def _name(at: int) -> str:
    return f"{ROUTES}/{at + 1}" if at else ROUTES


def _seen(rows: Sequence[Shared]) -> _Seen:
    """Of one that stands in two rows, the later time."""
    seen: _Seen = {}
    for row in rows:
        more = [row.value.get(part, {}) for part in ("match", "children")]
        for name, at in row.value.get("routes", {}).items():
            route = _Route(str(at), *(str(part.get(name, "")) for part in more))
            seen[name] = max(seen.get(name, route), route)
    return seen


def _first_seen(born: object, seen: _Seen) -> FirstSeen:
    routes = _times({name: route.at for name, route in seen.items()})
    children = _times({name: route.children for name, route in seen.items()})
    return FirstSeen(parse_time(born), routes, children)


def _times(texts: Mapping[str, str]) -> dict[str, datetime]:
    times = {name: parse_time(text) for name, text in texts.items()}
    return {name: at for name, at in times.items() if at is not None}
