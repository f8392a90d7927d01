"""When the ledger first saw each route as it is matched now: rows of so many routes each.

The first row is that of earlier versions, which read `born` and `routes` of it, and write no more.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from functions.core.errors import Lost
from functions.core.values import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.ledger import Ledger
    from functions.core.routes import Route, Routes
    from functions.core.values import Shared

ROUTES = "chronicle/routes"
ROUTES_IN_A_ROW = 300  # of names of 63 characters some more would fit
DIGITS = 12

_Seen = dict[str, tuple[str, str]]  # by name: when, and the digest of what it matches


class FirstSeen(NamedTuple):
    """When the ledger was born, and when each route was first seen; None: never yet.

    `new` and `gone`: how many routes this look added, or forgot.
    """

    born: datetime | None
    routes: Mapping[str, datetime]
    new: int = 0
    gone: int = 0


def recall(ledger: Ledger) -> FirstSeen:
    """What is remembered, one request for each row. Raises LedgerUnavailable."""
    rows = _rows(ledger)
    return _first_seen(rows[0].value.get("born"), _seen(rows))


def register(ledger: Ledger, routes: Routes, now: datetime) -> FirstSeen:
    """Remember today's routes from now on, and forget those that are gone.

    So a route that was renamed or matches something else, or was taken away and brought back, is a
    new one. Raises LedgerUnavailable.
    """
    while True:
        rows = _rows(ledger)
        known = _seen(rows)
        today = {r.name: _kept(known.get(r.name), digest(r), now) for r in routes.routes}
        born = rows[0].value.get("born", now.isoformat())
        try:
            _write(ledger, rows, list(_values(born, today)))
        except Lost:
            continue
        new = sum(known.get(name, ("",))[0] != at for name, (at, _) in today.items())
        return _first_seen(born, today)._replace(new=new, gone=len(known.keys() - today.keys()))


def digest(route: Route) -> str:
    """Stands for all that decides whether the route is swept for a run."""
    what = (sorted(route.outcomes), route.match, route.children, route.start is not None)
    return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()[:DIGITS]


def _kept(known: tuple[str, str] | None, is_now: str, now: datetime) -> tuple[str, str]:
    """What an earlier version wrote has no digest: it is taken to have matched the same."""
    at, was = known or ("", "")
    return (at, is_now) if at and was in {"", is_now} else (now.isoformat(), is_now)


def _values(born: str, seen: _Seen) -> Iterator[dict[str, Any]]:
    """One for each row, at least one."""
    names = sorted(seen)
    for first in range(0, len(names) or 1, ROUTES_IN_A_ROW):
        here = names[first : first + ROUTES_IN_A_ROW]
        value: dict[str, Any] = {} if first else {"born": born}
        value["routes"] = {name: seen[name][0] for name in here}
        value["match"] = {name: seen[name][1] for name in here}
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
        digests = row.value.get("match", {})
        for name, at in row.value.get("routes", {}).items():
            seen[name] = max(seen.get(name, ("", "")), (str(at), str(digests.get(name, ""))))
    return seen


def _first_seen(born: object, seen: _Seen) -> FirstSeen:
    times = {name: parse_time(at) for name, (at, _) in seen.items()}
    return FirstSeen(parse_time(born), {name: at for name, at in times.items() if at is not None})
