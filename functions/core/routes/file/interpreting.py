"""From the text of a route file to its routes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.core.facts import placeholders
from functions.core.routes import needs
from functions.core.routes.definition import (
    Concurrency,
    Limit,
    Match,
    Route,
    Routes,
    Start,
    Variable,
)
from functions.core.routes.file.contradictions import (
    champions,
    concurrencies,
    contradictions,
    never_right,
    never_sent,
)
from functions.core.routes.file.document import parse
from functions.core.routes.file.faults import faults
from functions.core.routes.file.schema import FILE
from functions.core.routes.lookalikes import not_told_apart
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.policy import FACTS_FOR
from functions.core.terms.words import Outcome
from functions.core.texts.times import parse_span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

_PARENT = ("run", "parent_id")


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
    routes = [_route(entry, top.get("defaults", {})) for entry in top["routes"]]
    for at, what in source.doubtful:
        source.say(at, what)
    doubts = not_told_apart(routes)
    for i, route in enumerate(routes):
        for below, what in _warnings(route, doubts.get(route.name, "")):
            source.say(("routes", i, *below), what)
    distinct = (replace(route, distinct=doubts.get(route.name) == "") for route in routes)
    return Routes(
        tuple(distinct),
        tuple(source.told()),
        mistakes=tuple(mistakes),
        organizations=_organizations(routes, top.get("defaults", {})),
        notify=_channels().channels(top["notify"]) if "notify" in top else (),
    )


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
    yield from _same_names(data["routes"])
    if any(isinstance(entry, dict) and "concurrency" in entry for entry in data["routes"]):
        yield from concurrencies().unlike(data["routes"])
    if any(isinstance(entry, dict) and "notify" in entry for entry in (data, *data["routes"])):
        yield from _channels().contradictions(data)
    defaults = data.get("defaults", {})
    for i, whole in enumerate(data["routes"]):
        if isinstance(whole, dict):
            sound = _sound(whole, wrong, ("routes", i))
            yield from _at(("routes", i), contradictions(sound, whole, defaults))


def _useless(data: object) -> Said:
    """Gates that could not be right, and what is never sent: such routes are held, others go on."""
    entries = data.get("routes") if isinstance(data, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("when"), str):
            yield from _at(("routes", i), never_right(entry))
        if isinstance(entry, dict) and isinstance(entry.get("start"), dict):
            yield from _at(("routes", i), never_sent(entry["start"]))


def _same_names(entries: list[Any]) -> Said:
    names: dict[str, int] = {}
    for i, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and (first := names.setdefault(name.casefold(), i)) != i:
            yield ("routes", i, "name"), f"is the name of routes[{first}] too"


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


def _route(entry: Entry, defaults: Entry) -> Route:
    as_written = ("name", "children", "when", "step", "model", "complete")
    of_start = {name: value for name, value in defaults.items() if name != "follow"}
    start = _start({**of_start, **entry["start"]}) if "start" in entry else None
    match = Match(**entry.get("match", {}))
    concurrency = _concurrency(entry["concurrency"]) if "concurrency" in entry else None
    count, _, per = entry.get("limit", "").partition("/")
    return Route(
        **{key: entry[key] for key in as_written if key in entry},
        outcomes=_outcomes(entry),
        match=match,
        champion=champions().choice(entry["champion"]) if "champion" in entry else None,
        wait_for_facts=_patience(entry),
        limit=Limit(int(count), per) if count else None,
        concurrency=concurrency,
        shadow=entry.get("mode") == "shadow",
        follow=bool(entry.get("follow", defaults.get("follow", True))),
        start=start,
        needs=needs.of(match, entry.get("when"), start, concurrency),
        notify=_channels().channels(entry["notify"]) if "notify" in entry else None,
    )


def _channels() -> ModuleType:
    """What knows of channels, which many files do not name."""
    from functions.core.routes.file import channels as found  # noqa: PLC0415 - as said

    return found


def _organizations(routes: list[Route], defaults: Entry) -> frozenset[str]:
    started = (route.start.organization for route in routes if route.start)
    return frozenset(filter(None, (*started, defaults.get("organization"))))


def _concurrency(said: Entry) -> Concurrency:
    most, latest = said.get("at_most", 1), said.get("queue") == "latest"
    return Concurrency(group=said["group"], at_most=most, latest=latest)


def _patience(entry: Entry) -> timedelta:
    told = entry.get("wait_for_facts")
    return FACTS_FOR if told is None else parse_span(told) or timedelta()


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
    if route.step and not (route.needs.model or route.needs.metrics or route.needs.params):
        what = "names a metric, a parameter or the model: all other facts are the run's own"
        yield ("step",), f"is asked of nothing: neither the gate nor the start {what}"
    if route.is_about_runs and not route.children and _asks_for(route, _PARENT):
        yield (), "asks for run.parent_id, which no root run has: it is for `children: true`"
    if route.outcomes == {Outcome.NOT_RESPONDING}:
        yield (), "only events tell that a run does not respond: the sweep cannot find it"


def _asks_for(route: Route, path: tuple[str, ...]) -> bool:
    """Whether a start, or the gate's answer, needs this fact."""
    start = route.start
    values = [start.parameters, [v.value for v in start.variables.values()]] if start else []
    in_gate = route.gate is not None and path in route.gate.reads.decide
    return in_gate or ".".join(path) in placeholders.named_in(values)
