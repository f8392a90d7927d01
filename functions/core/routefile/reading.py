"""From the text of a route file to its routes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.core import needs, placeholders, vocabulary
from functions.core.distinct import not_told_apart
from functions.core.gate import GateRefused, gate_of
from functions.core.modelevents import BY_OUTCOME
from functions.core.routefile.document import parse
from functions.core.routefile.wire import FILE, faults
from functions.core.routes import Limit, Match, Route, Routes, Start, Variable
from functions.core.values import Outcome, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from functions.core.routefile.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def decode(text: str, file: str = "routes.yaml") -> Routes:
    """Read a route file. Raises RoutesUnreadable with every mistake, one line each.

    A line reads `routes.yaml:LINE: path.to.key: what is wrong`, with `file` as its beginning.
    """
    source = parse(text.removeprefix("\ufeff"), file)
    if not isinstance(source.data, dict):
        source.refuse()
    for at, what in _mistakes(source.data):
        source.say(at, what)
    source.refuse()
    top: Any = source.data
    routes = [_route(entry, top.get("defaults", {})) for entry in top["routes"]]
    doubts = not_told_apart(routes)
    for i, route in enumerate(routes):
        for below, what in _warnings(route, doubts.get(route.name, "")):
            source.say(("routes", i, *below), what)
    distinct = (replace(route, distinct=doubts.get(route.name) == "") for route in routes)
    return Routes(tuple(distinct), tuple(source.told()))


def _mistakes(data: object) -> Said:
    if not isinstance(data, dict):
        yield (), "the file is no mapping: it needs `version: 1` and `routes:`"
        return
    found = list(faults(data, FILE))
    yield from ((at, what) for at, what, _ in found)
    broken = {at[:2] for at, _, of_kind in found if of_kind}
    if ("routes",) in broken:
        return
    defaults = {} if ("defaults",) in broken else data.get("defaults", {})
    names: dict[str, int] = {}
    for i, entry in enumerate(data["routes"]):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and (first := names.setdefault(name.casefold(), i)) != i:
            yield ("routes", i, "name"), f"is the name of routes[{first}] too"
        found_in = _contradictions(entry, defaults) if ("routes", i) not in broken else ()
        yield from ((("routes", i, *below), what) for below, what in found_in)


def _contradictions(entry: Entry, defaults: Entry) -> Said:
    """What is wrong with a route of the right shape."""
    if "start" not in entry and not entry.get("complete"):
        yield (), "has neither `start` nor `complete: true`: nothing would follow"
    if "event" in entry and "outcome" in entry:
        yield ("event",), "stands beside `outcome`: a route is about one of them"
    yield from _foreign(entry)
    if "champion" in entry:
        yield from _champions().contradictions(entry, _paths(entry))
    for what in _problems_of_gate(entry["when"]) if "when" in entry else ():
        yield ("when",), what
    if "start" in entry:
        for below, what in _contradictions_in_start({**defaults, **entry["start"]}):
            yield ("start", *below), what


def _foreign(entry: Entry) -> Said:
    """What the route names although the news that it is about has none of it."""
    event = entry.get("event")
    kind = next((k for k in BY_OUTCOME.values() if k.outcome == event), None)
    if event and not kind:  # it is no event that is known, which was said
        return
    if kind:
        about_runs: list[At] = [
            (key,) for key in ("children", "step", "model", "champion") if key in entry
        ]
        about_runs += [
            ("match", k) for k in ("experiment", "run_type") if k in entry.get("match", {})
        ]
        yield from ((at, f"is about runs, and {event} is about none") for at in about_runs)
    roots = {
        "event",
        "workspace",
        kind.root if kind else "run",
        *(() if kind else ("model", "champion")),
    }
    for at, paths in _paths(entry):
        for root, *below in sorted(paths):
            if root == "champion" and not kind and "champion" not in entry:
                yield at, "names `champion`, and the route does not say which: `champion: newest`"
            elif root not in roots:
                yield at, f"names `{root}`, which a route on {event or 'runs'} does not know"
            elif kind and root == kind.root and below and below[0] not in kind.facts:
                known = ", ".join(kind.facts)
                yield at, f"names `{root}.{below[0]}`, but {event} tells only {known}"


def _champions() -> ModuleType:
    from functions.core.routefile import champions  # noqa: PLC0415 - most routes have none

    return champions


def _paths(entry: Entry) -> Iterator[tuple[At, set[tuple[str, ...]]]]:
    """The facts that each text names."""
    if "when" in entry and not _problems_of_gate(entry["when"]):
        yield ("when",), {path[:2] for path in gate_of(entry["when"]).mentions}
    for kind in ("parameters", "variables"):
        for name, value in entry.get("start", {}).get(kind, {}).items():
            paths = {placeholders.path_of(n)[:2] for n in placeholders.named_in(value)}
            yield ("start", kind, name), {p for p in paths if p[0] in placeholders.FIXED}


def _problems_of_gate(text: str) -> list[str]:
    try:
        paths = gate_of(text).mentions
    except GateRefused as refused:
        return [str(refused)]
    odd = dict.fromkeys(filter(None, map(vocabulary.first_unknown, paths)))
    return [why for path in odd if (why := placeholders.unknown(".".join(path)))]


def _contradictions_in_start(entry: Entry) -> Said:
    for key in ("organization", "project"):
        if key not in entry:
            yield (key,), "is given neither here nor in `defaults`"
    correlation: str = entry.get("correlation", "")
    for name in entry.get("parameters", {}):  # which Azure Pipelines takes in any case
        if name and name.casefold() == correlation.casefold():
            what = f"names `{bounded(name, 60)}`, which stands among the parameters as well"
            yield ("correlation",), what
    for key in ("parameters", "variables"):
        for name, value in entry.get(key, {}).items():
            for what in placeholders.problems_of(value):
                yield (key, name), what


def _route(entry: Entry, defaults: Entry) -> Route:
    as_written = ("name", "children", "when", "step", "model", "complete")
    start = _start({**defaults, **entry["start"]}) if "start" in entry else None
    match = Match(**entry.get("match", {}))
    wait = entry.get("wait_for_facts", "10m")
    count, _, per = entry.get("limit", "").partition("/")
    return Route(
        **{key: entry[key] for key in as_written if key in entry},
        outcomes=_outcomes(entry),
        match=match,
        champion=_champions().choice(entry["champion"]) if "champion" in entry else None,
        wait_for_facts=timedelta(**{_UNITS[wait[-1]]: int(wait[:-1])}),
        limit=Limit(int(count), per) if count else None,
        shadow=entry.get("mode") == "shadow",
        start=start,
        needs=needs.of(match, entry.get("when"), start),
    )


def _outcomes(entry: Entry) -> frozenset[Outcome]:
    named = entry.get("event") or entry.get("outcome", ["Completed"])
    return frozenset(map(Outcome, [named] if isinstance(named, str) else named))


def _start(entry: Entry) -> Start:
    variables = {
        name: Variable(**value) if isinstance(value, dict) else Variable(value)
        for name, value in entry.get("variables", {}).items()
    }
    skipped = tuple(entry.get("skip_stages", ()))
    return Start(**{**entry, "variables": variables, "skip_stages": skipped})


def _warnings(route: Route, doubt: str) -> Said:
    if doubt:
        yield ("start",), f"{doubt}; a start in doubt will be held for an operator"
    if route.needs.only_event and route.is_about_runs:
        what = "needs the run's type or properties, which only the event tells"
        yield (), f"{what}: the sweep cannot find runs for it"
    if route.model and not route.needs.model:
        yield ("model",), "is asked of nothing: neither the gate nor the start names a fact of it"
    if route.outcomes == {Outcome.NOT_RESPONDING}:
        yield (), "only events tell that a run does not respond: the sweep cannot find it"
