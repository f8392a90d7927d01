"""From the text of a route file to its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.core.routes.definition import Routes
from functions.core.routes.file.contradictions import (
    contradictions,
    never_right,
    never_sent,
    warnings,
)
from functions.core.routes.file.document import parse
from functions.core.routes.file.faults import faults
from functions.core.routes.file.making import made, organizations
from functions.core.routes.file.schema import FILE
from functions.core.routes.file.seldom import (
    channels,
    concurrencies,
    expectations,
    joins,
    sequels,
    workflows,
)
from functions.core.routes.requests.lookalikes import not_told_apart
from functions.core.terms.errors import RoutesUnreadable
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

_ROUTE = ("routes", 0)  # where a route stands, and no sequel


def decode(text: str, file: str = "routes.yaml") -> Routes:
    """Read a route file. Raises RoutesUnreadable with every mistake, one line each.

    A line reads `routes.yaml:LINE: path.to.key: what is wrong`, with `file` as its beginning.
    """
    source = parse(text.removeprefix("\ufeff"), file)
    if not isinstance(source.data, dict):
        source.refuse()
    for at, what in _mistakes(source.data):
        source.say(at, what)
    is_usable = not source.told()
    for at, what in _useless(source.data):
        source.say(at, what)
    mistakes = source.taken()
    if not is_usable:
        raise RoutesUnreadable(mistakes)
    top: Any = source.data
    defaults = top.get("defaults", {})
    entries = [(at, entry) for at, entry, _ in _entries(top["routes"])]
    every = [made(entry, defaults) for _, entry in entries]
    for at, what in source.doubtful:
        source.say(at, what)
    doubts = not_told_apart(every)
    for (at, _), route in zip(entries, every, strict=True):
        for below, what in warnings(route, doubts.get(route.name, "")):
            source.say((*at, *below), what)
    distinct = [replace(route, distinct=doubts.get(route.name) == "") for route in every]
    return Routes(
        tuple(route for route in distinct if not route.after),
        tuple(source.told()),
        mistakes=tuple(mistakes),
        organizations=organizations(every, defaults),
        notify=channels().channels(top["notify"]) if "notify" in top else (),
        sequels=tuple(route for route in distinct if route.after),
    )


def _entries(entries: Any) -> Iterator[tuple[At, Entry, bool]]:  # noqa: ANN401 - from YAML
    """Every entry with where it stands, and behind each those of its sequels, which are none."""
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield ("routes", i), entry, True
            if "then" in entry:
                below = sequels().below(entry)
                yield from ((("routes", i, *at), own, False) for at, own in below)


def _mistakes(data: object) -> Said:
    """All of them at once: what has the right shape is looked at although other things have not."""
    if not isinstance(data, dict):
        yield (), "the file is no mapping: it needs `version: 1` and `routes:`"
        return
    found = list(faults(data, FILE))
    yield from ((at, what) for at, what, _ in found)
    wrong = {at for at, _, of_kind in found if of_kind}
    if ("routes",) in wrong:
        return
    entries = [(at, entry) for at, entry, _ in _entries(data["routes"])]
    defaults = data.get("defaults", {})
    yield from _same_names(entries)
    yield from _between(entries, data, defaults)
    for at, whole, is_route in _entries(data["routes"]):
        if is_route:
            sound = _sound(whole, wrong, at)
            yield from _at(at, contradictions(sound, whole, defaults))
            if "expect" in sound:
                yield from _at(at, expectations().contradictions(sound, whole))
            if "join" in sound:
                yield from _at(at, joins().contradictions(sound, whole))
            if "then" in sound:
                yield from _at(at, sequels().contradictions(sound, whole, defaults))


def _between(entries: list[tuple[At, Entry]], data: Entry, defaults: object) -> Said:
    """What routes that are right alone cannot say beside each other."""
    if any("concurrency" in entry for _, entry in entries):
        yield from concurrencies().unlike(entries)
    if "notify" in data or any({"notify", "tell"} & entry.keys() for _, entry in entries):
        yield from channels().contradictions([((), data), *entries])
    if any("github" in start for _, e in entries if isinstance(start := e.get("start"), dict)):
        yield from workflows().shared_secrets(entries, defaults)


def _useless(data: object) -> Said:
    """Gates that could not be right, and what is never sent: such routes are held, others go on."""
    for at, entry, _ in _entries(data.get("routes") if isinstance(data, dict) else None):
        if isinstance(entry.get("when"), str):
            yield from _at(at, never_right(entry))
        if isinstance(entry.get("start"), dict):
            yield from _at(at, never_sent(entry["start"]))


def _same_names(entries: list[tuple[At, Entry]]) -> Said:
    names: dict[str, At] = {}
    for at, entry in entries:
        name = entry.get("name")
        if isinstance(name, str) and (first := names.setdefault(name.casefold(), at)) != at:
            if len(first) == len(at) == len(_ROUTE):
                yield (*at, "name"), f"is the name of routes[{first[1]}] too"
            else:
                yield at, f"has the name {bounded(name, 80)}, which another has too"


def _sound(value: Any, wrong: set[At], at: At) -> Any:  # noqa: ANN401 - from YAML
    """What is left without that which has the wrong kind."""
    if isinstance(value, list):
        return [_sound(item, wrong, (*at, i)) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    entries = ((key, entry, (*at, key)) for key, entry in value.items())
    return {key: _sound(entry, wrong, below) for key, entry, below in entries if below not in wrong}


def _at(above: At, said: Said) -> Said:
    yield from (((*above, *below), what) for below, what in said)
