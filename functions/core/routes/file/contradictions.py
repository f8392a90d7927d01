"""What contradicts itself, or could never be, in a route whose keys are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.events.model_events import BY_OUTCOME
from functions.core.facts import placeholders, unusable, vocabulary
from functions.core.gates.gate import LONGEST_EXPRESSION, GateRefused, gate_of, mentioned
from functions.core.routes.filters import FILTERS
from functions.core.terms.words import ENDS
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]


def contradictions(entry: Entry, whole: Entry, defaults: object) -> Said:
    """What is wrong with a route; `entry` is what has the right shape of the `whole`."""
    if "start" not in whole and not entry.get("complete") and entry.keys() == whole.keys():
        yield (), "has neither `start` nor `complete: true`: nothing would follow"
    if "event" in whole and "outcome" in whole:
        yield ("event",), "stands beside `outcome`: a route is about one of them"
    yield from _foreign(entry)
    if "champion" in entry:
        yield from champions().contradictions(entry, _paths(entry))
    if "concurrency" in entry:
        yield from concurrencies().contradictions(entry, whole, defaults)
    for what in _problems_of_gate(entry["when"]) if "when" in entry else ():
        yield ("when",), what
    if "start" in entry:
        for key in _not_given(whole["start"], defaults):
            yield ("start", key), "is given neither here nor in `defaults`"
        for below, what in _contradictions_in_start(entry["start"]):
            yield ("start", *below), what


def _not_given(start: Entry, defaults: object) -> list[str]:
    given = defaults if isinstance(defaults, dict) else ("organization", "project")
    return [key for key in ("organization", "project") if key not in {*start, *given}]


def champions() -> ModuleType:
    """What knows of champions, which most routes do not name."""
    from functions.core.routes.file import champions as found  # noqa: PLC0415 - as said

    return found


def concurrencies() -> ModuleType:
    """What knows of concurrency, which most routes do not name either."""
    from functions.core.routes.file import concurrencies as found  # noqa: PLC0415 - as said

    return found


def never_right(entry: Entry) -> Said:
    """What is wrong with a gate by the kinds of its facts: asked it could never be right."""
    try:
        gate = gate_of(entry["when"])
    except GateRefused:  # which was said
        return
    yield from ((("when",), what) for what in gate.mistakes)
    told = entry.get("outcome", "Completed")
    outcomes = {told} if isinstance(told, str) else set(map(str, told))
    known = " or ".join(name for name in map(str, ENDS) if name in outcomes)
    if known and not gate.mistakes and gate.statuses.isdisjoint(outcomes):
        wanted = " or ".join(sorted(gate.statuses))
        yield ("when",), f"wants run.status to be {wanted}; on this route it is {known}"


def never_sent(start: Entry) -> Said:
    """What a start writes out itself and no pipeline may be sent: every run would be held."""
    for kind in ("parameters", "variables"):
        given = start.get(kind)
        for name, value in given.items() if isinstance(given, dict) else ():
            if wrong := unusable.expanded(placeholders.written(value)):
                yield ("start", kind, name), f"{wrong}: it is never sent"


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
            ("match", f.name) for f in FILTERS if f.of_runs and f.name in entry.get("match", {})
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
            if root not in roots:
                yield at, f"names `{root}`, which a route on {event or 'runs'} does not know"
            elif kind and root == kind.root and below and below[0] not in kind.facts:
                known = ", ".join(kind.facts)
                yield at, f"names `{root}.{below[0]}`, but {event} tells only {known}"


def _paths(entry: Entry) -> Iterator[tuple[At, set[tuple[str, ...]]]]:
    """The facts that each text names."""
    if len(entry.get("when", "")) <= LONGEST_EXPRESSION:
        yield ("when",), {path[:2] for path in mentioned(entry.get("when", ""))}
    given: list[tuple[At, Any]] = [
        (("start", kind, name), value)
        for kind in ("parameters", "variables")
        for name, value in entry.get("start", {}).get(kind, {}).items()
    ]
    group = entry.get("concurrency", {}).get("group", "")
    for at, value in (*given, (("concurrency", "group"), group)):
        paths = {placeholders.path_of(n)[:2] for n in placeholders.named_in(value)}
        yield at, {p for p in paths if p[0] in placeholders.FIXED}


def _problems_of_gate(text: str) -> list[str]:
    try:
        found, paths = [], gate_of(text).mentions
    except GateRefused as refused:
        if len(text) > LONGEST_EXPRESSION:
            return list(refused.problems)
        found, paths = list(refused.problems), mentioned(text)
    odd = dict.fromkeys(filter(None, map(vocabulary.first_unknown, paths)))
    return [*found, *(why for path in odd if (why := placeholders.unknown(".".join(path))))]


def _contradictions_in_start(entry: Entry) -> Said:
    correlation: str = entry.get("correlation", "")
    for name in entry.get("parameters", {}):  # which Azure Pipelines takes in any case
        if name and name.casefold() == correlation.casefold():
            what = f"names `{bounded(name, 60)}`, which stands among the parameters as well"
            yield ("correlation",), what
    for key in ("parameters", "variables"):
        for name, value in entry.get(key, {}).items():
            for what in placeholders.problems_of(value):
                yield (key, name), what
