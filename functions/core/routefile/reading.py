"""From the text of a route file to its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from functions.core.distinct import not_told_apart
from functions.core.routefile import document, wire
from functions.core.routefile.meaning import route_of
from functions.core.routefile.starting import check_names
from functions.core.routefile.structure import shaped, unknown_key
from functions.core.routes import Routes
from functions.core.values import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.routefile.notes import At, Notes
    from functions.core.routes import Route

VERSION = 1


def read(text: str, file: str) -> Routes:
    """The routes; raises RoutesUnreadable. See `functions.core.routes.decode`."""
    source = document.parse(text.removeprefix("\ufeff"), file)
    notes = source.notes
    notes.refuse()
    top = _top(source.data, notes)
    found = dict(_routes(top, notes))
    notes.refuse()
    whys = not_told_apart(list(found.values()))
    for (at, route), why in zip(found.items(), whys, strict=True):
        _warn(route, why, at, notes)
    routes = zip(found.values(), whys, strict=True)
    return Routes(tuple(_marked(route, why) for route, why in routes), notes.warnings())


def _top(data: object, notes: Notes) -> Mapping[str, object]:
    if not isinstance(data, dict):
        is_what = "is empty" if data is None else "is no mapping"
        notes.problem((), f"the file {is_what}: it needs `version: {VERSION}` and `routes:`")
        return {}
    for key in data:
        if key not in wire.keys_of(""):
            notes.problem((key,), unknown_key(key, ()))
    if "version" not in data:
        notes.problem(("version",), f"is required: write `version: {VERSION}`")
    elif data["version"] != VERSION or isinstance(data["version"], bool):
        what = f"`{bounded(data['version'], 40)}` is not known; write `version: {VERSION}`"
        notes.problem(("version",), what)
    if not data.get("routes"):
        notes.problem(("routes",), "there are none: at least one route is needed")
    elif not isinstance(data["routes"], list):
        notes.problem(("routes",), "must be a list: each route begins with `- name:`")
    return data


def _routes(top: Mapping[str, object], notes: Notes) -> Iterator[tuple[At, Route]]:
    shape = shaped(top.get("defaults", {}), wire.Defaults, ("defaults",), notes)
    defaults = shape or wire.Defaults()
    check_names(defaults, ("defaults",), notes)
    entries = top.get("routes")
    if not isinstance(entries, list):
        return
    _check_names_differ(entries, notes)
    for i, data in enumerate(entries):
        at: At = ("routes", i)
        if (entry := shaped(data, wire.RouteEntry, at, notes)) is not None:
            yield at, route_of(entry, defaults, at, notes)


def _check_names_differ(entries: list[object], notes: Notes) -> None:
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        key = name.casefold()
        if key in first:
            what = f"`{bounded(name, 80)}` is the name of routes[{first[key]}] too"
            notes.problem(("routes", i, "name"), what)
        first.setdefault(key, i)


def _marked(route: Route, why: str) -> Route:
    return msgspec.structs.replace(route, distinct=route.start is not None and not why)


def _warn(route: Route, why: str, at: At, notes: Notes) -> None:
    if why:
        what = f"{why}; a start in doubt will be held for an operator"
        notes.warning((*at, "start"), what)
    if route.needs.only_event:
        what = "needs the run's type or properties, which only the event tells"
        notes.warning(at, f"{what}: the sweep cannot find runs for it")
    if route.event:
        notes.warning((*at, "event"), "this version starts nothing for model events yet")
    if route.complete:
        notes.warning((*at, "complete"), "this version finishes no waiting task yet")
