"""Which facts a route names, read from its placeholders and its gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.mentions import mentioned
from functions.core.placeholders import FIXED, named_in, path_of
from functions.core.routes import ANY, Needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.routes import Match, Start

    Paths = Iterable[tuple[str, ...]]

_EVENT_TELLS = ("id", "status", "experiment", "url")
_ONLY_EVENT_TELLS = ("type", "properties")


def needs_of(match: Match, when: str | None, start: Start | None) -> Needs:
    """The facts that the gate and the start name; the match is asked of the event."""
    paths = {*_named_in_start(start), *mentioned(when or "")}
    asked = {path[1] for path in paths if path[0] == "run" and len(path) > 1}
    whole_run = ("run",) in paths
    metrics, params = (_names(paths, "run", family) for family in ("metrics", "params"))
    model = frozenset(FIXED["model"]) if ("model",) in paths else _names(paths, "model")
    return Needs(
        metrics=metrics,
        params=params,
        model=model,
        beyond_event=whole_run or bool(model) or bool(asked - {*_EVENT_TELLS, *_ONLY_EVENT_TELLS}),
        only_event=whole_run
        or bool(match.run_type or match.properties)
        or not asked.isdisjoint(_ONLY_EVENT_TELLS),
    )


def _named_in_start(start: Start | None) -> Paths:
    if start is None:
        return ()
    values = [start.parameters, *(variable.value for variable in start.variables.values())]
    return [path_of(name) for value in values for name in named_in(value)]


def _names(paths: Paths, *above: str) -> frozenset[str]:
    """What follows `above` in the paths; ANY where a path ends before saying it."""
    found = {path[len(above)] for path in paths if path[: len(above)] == above != path}
    ends_early = any(path == above[: len(path)] for path in paths)
    return frozenset(found | {ANY} if ends_early else found)
