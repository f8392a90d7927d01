"""Which facts a gate and a start name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.facts import placeholders
from functions.core.gates.gate import GateRefused, gate_of, mentioned
from functions.core.routes.definition import ANY, Needs
from functions.core.routes.filters import FILTERS

if TYPE_CHECKING:
    from functions.core.routes.definition import Concurrency, Match, Start

_OF_VERSION = {("exists",), ("version",), ("run", "id")}  # the registry tells these of a champion


def of(
    match: Match,
    when: str | None,
    start: Start | None,
    concurrency: Concurrency | None = None,
    by: str = "",
) -> Needs:
    """The facts that gate, start and group name, and by which runs are joined.

    The match is asked of the event.
    """
    values: list[object] = [concurrency.group] if start and concurrency else []
    if start:
        values += [start.parameters, [v.value for v in start.variables.values()]]
    values += [f"{{{{ {by} }}}}"] if by else []
    paths = {*map(placeholders.path_of, placeholders.named_in(values)), *_asked(when or "")}
    any_of_run = ("run",) in paths
    of_run = {path[1] for path in paths if path[0] == "run" and len(path) > 1}
    model, champion = _names(paths, "model"), {path for path in paths if path[0] == "champion"}
    if champion:  # of which model, and which version is never its own
        model |= {"name", "version"}
    only_event = of_run & {"type", "properties"} or any(
        one.only_event and one.wanted(match) for one in FILTERS
    )
    return Needs(
        metrics=_names(paths, "run", "metrics"),
        params=_names(paths, "run", "params"),
        model=frozenset(placeholders.FIXED["model"]) if ANY in model else model,
        only_event=any_of_run or bool(only_event),
        properties=_names(paths, "run", "properties"),
        children=any_of_run or "children" in of_run,
        best_child=any_of_run or "best_child_id" in of_run,
        champion=bool(champion),
        champion_run=any(path[1:] not in _OF_VERSION for path in champion),
    )


def _asked(when: str) -> tuple[tuple[str, ...], ...]:
    try:
        return gate_of(when).mentions if when else ()
    except GateRefused:  # which was said
        return mentioned(when)


def _names(paths: set[tuple[str, ...]], *above: str) -> frozenset[str]:
    """What follows `above` in the paths; ANY where a path ends before saying it."""
    found = {path[len(above)] for path in paths if path[: len(above)] == above != path}
    ends_early = any(path == above[: len(path)] for path in paths)
    return frozenset(found | {ANY} if ends_early else found)
