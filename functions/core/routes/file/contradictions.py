"""What contradicts itself, could never be, or may not be meant, in a route whose keys are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.events.model_events import BY_OUTCOME
from functions.core.facts import placeholders, vocabulary
from functions.core.facts.expanding import expanded
from functions.core.gates.gate import LONGEST_EXPRESSION, GateRefused, gate_of, mentioned
from functions.core.routes.file.seldom import champions, concurrencies, promotions, workflows
from functions.core.routes.filters import FILTERS
from functions.core.terms.words import ENDS, Outcome
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.events.model_events import Kind
    from functions.core.routes.definition import Route
    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]

_PARENT = ("run", "parent_id")
VALUES = ("parameters", "variables", "inputs")  # what a start writes facts into
_NOWHERE = "is given neither here nor in `defaults`"
AFTER = "after"  # in the entry of a sequel: the name of the route that it goes on after


def contradictions(entry: Entry, whole: Entry, defaults: object) -> Said:
    """What is wrong with a route; `entry` is what has the right shape of the `whole`."""
    wanted = "tell" if AFTER in entry else "complete"
    if "start" not in whole and not entry.get(wanted) and entry.keys() == whole.keys():
        other = "`tell`" if AFTER in entry else "`complete: true`"
        yield (), f"has neither `start` nor {other}: nothing would follow"
    if "event" in whole and "outcome" in whole:
        yield ("event",), "stands beside `outcome`: a route is about one of them"
    yield from _foreign(entry, whole)
    if "champion" in entry and AFTER not in entry:
        yield from champions().contradictions(entry, _paths(entry))
    if "concurrency" in entry:
        yield from concurrencies().contradictions(entry, whole, defaults)
    if entry.get("complete") == "after":
        yield from _never_after(entry, whole, defaults)
    for what in _problems_of_gate(entry["when"]) if "when" in entry else ():
        yield ("when",), what
    if "start" in entry:
        for below, what in _of_start(entry["start"], whole["start"], defaults):
            yield ("start", *below), what


def _of_start(entry: Entry, whole: Entry, defaults: object) -> Said:
    if "github" in whole:
        yield from workflows().contradictions(entry)
    else:
        yield from (((key,), _NOWHERE) for key in _not_given(whole, defaults))
    yield from _contradictions_in_start(entry)


def _not_given(start: Entry, defaults: object) -> list[str]:
    given = defaults if isinstance(defaults, dict) else ("organization", "project")
    return [key for key in ("organization", "project") if key not in {*start, *given}]


def _never_after(entry: Entry, whole: Entry, defaults: object) -> Said:
    """What keeps the end, by which a waiting task is to be answered, from ever coming."""
    given = defaults if isinstance(defaults, dict) else {}
    if "start" not in whole:
        yield ("complete",), "waits for the end of a pipeline run, and the route starts none"
    if entry.get("follow", given.get("follow", True)) is False:
        what = "needs to see the pipeline run end, and `follow: false` does not look"
        yield ("complete",), f"{what}: say `follow: true` on the route"


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
    for kind in VALUES:
        given = start.get(kind)
        for name, value in given.items() if isinstance(given, dict) else ():
            if wrong := expanded(placeholders.written(value), github="github" in start):
                yield ("start", kind, name), f"{wrong}: it is never sent"


def _foreign(entry: Entry, whole: Entry) -> Said:
    """What the route names although the news that it is about has none of it."""
    event = entry.get("event")
    kind = next((k for k in BY_OUTCOME.values() if k.outcome == event), None)
    if event and not kind:  # it is no event that is known, which was said
        return
    if AFTER not in entry and ("promoted" in whole or event == Outcome.MODEL_PROMOTED):
        yield from promotions().contradictions(entry, whole)
    if kind and AFTER not in entry:
        yield from _of_runs(entry, kind.outcome)
    yield from _named(entry, kind)


def _of_runs(entry: Entry, event: Outcome) -> Said:
    """What only a run has, on a route about other news."""
    keys: list[At] = [(key,) for key in ("children", "step", "model", "champion") if key in entry]
    match = entry.get("match", {})
    keys += [("match", f.name) for f in FILTERS if f.of_runs and f.name in match]
    yield from ((at, f"is about runs, and {event} is about none") for at in keys)


def _named(entry: Entry, kind: Kind | None) -> Said:
    """The facts that are named, and that such a route does not know."""
    joins = "join" in entry and not kind
    own = ("join",) if joins else (kind.root,) if kind else ("run", "model", "champion")
    ended = ("pipeline",) if AFTER in entry else ()
    roots = {"event", "workspace", *own, *ended}
    about = "that joins runs" if joins else f"on {kind.outcome if kind else 'runs'}"
    for at, paths in _paths(entry):
        for root, *below in sorted(paths):
            if root == "champion" and root in own and "champion" not in entry:
                yield at, "names `champion`, and the route does not say which: `champion: newest`"
            if root == "pipeline" and AFTER not in entry:
                yield at, "names `pipeline`, whose run has not ended yet: that is for `then`"
            elif root not in roots:
                yield at, f"names `{root}`, which a route {about} does not know"
            elif kind and root == kind.root and below and below[0] not in kind.facts:
                known = ", ".join(kind.facts)
                yield at, f"names `{root}.{below[0]}`, but {kind.outcome} tells only {known}"


def _paths(entry: Entry) -> Iterator[tuple[At, set[tuple[str, ...]]]]:
    """The facts that each text names."""
    if len(entry.get("when", "")) <= LONGEST_EXPRESSION:
        yield ("when",), {path[:2] for path in mentioned(entry.get("when", ""))}
    given: list[tuple[At, Any]] = [
        (("start", kind, name), value)
        for kind in VALUES
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
    for key in VALUES:
        for name, value in entry.get(key, {}).items():
            for what in placeholders.problems_of(value):
                yield (key, name), what


def warnings(route: Route, doubt: str) -> Said:
    """What may not be meant, in a route that has no mistake; `doubt`: why it is not told apart."""
    if doubt:
        yield ("start",), f"{doubt}; a start in doubt will be held for an operator"
    for name, value in route.start.parameters.items() if route.start else ():
        if value is None:
            what = f"gives `{bounded(name, 60)}` no value, which is sent as the text null"
            yield ("start",), f'{what}: write "" for an empty one, or leave it out'
    if not route.after:
        yield from _warnings_of_route(route)


def _warnings_of_route(route: Route) -> Said:
    """What only a route that events concern is warned of."""
    if route.needs.only_event and route.is_about_runs:
        what = "needs the run's type or properties, which only the event tells"
        yield (), f"{what}: the sweep cannot find runs for it"
    if route.model and not route.needs.model and not route.then:
        yield ("model",), "is asked of nothing: neither the gate nor the start names a fact of it"
    asks = route.needs.model or route.needs.metrics or route.needs.params or route.then
    if route.step and not asks:
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
