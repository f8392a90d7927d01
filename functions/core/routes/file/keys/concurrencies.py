"""`concurrency` of a route, and what contradicts itself in it, in one route and among several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.facts import placeholders
from functions.core.routes.definition import Concurrency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.routes.file.document import At

    Entry = dict[str, Any]
    Said = Iterator[tuple[At, str]]


def made(said: Entry) -> Concurrency:
    """What it says, as a value."""
    most, latest = said.get("at_most", 1), said.get("queue") == "latest"
    return Concurrency(group=said["group"], at_most=most, latest=latest)


def contradictions(entry: Entry, whole: Entry, defaults: object) -> Said:
    """What is wrong with the group of one route."""
    if "start" not in whole:
        yield ("concurrency",), "holds back no start: the route has none"
    given = defaults if isinstance(defaults, dict) else {}
    if entry.get("follow", given.get("follow", True)) is False:
        what = "needs to see the pipeline run end, and `follow: false` does not look"
        yield ("concurrency",), f"{what}: say `follow: true` on the route"
    for what in placeholders.problems_of(entry["concurrency"].get("group", "")):
        yield ("concurrency", "group"), what


def unlike(entries: Iterable[tuple[At, Entry]]) -> Said:
    """Routes that say otherwise of one group: how many may go on must not depend on who asks."""
    known: dict[str, tuple[At, Any, Any]] = {}
    for at, entry in entries:
        said = entry.get("concurrency")
        group = said.get("group") if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(group, str):
            continue
        name = placeholders.alike_written(group)
        most, queue = said.get("at_most", 1), said.get("queue", "all")
        first, other, kind = known.setdefault(name, (at, most, queue))
        if most != other:
            yield (*at, "concurrency", "at_most"), _otherwise(first, other, 1)
        if queue != kind:
            yield (*at, "concurrency", "queue"), _otherwise(first, kind, "all")


def _otherwise(first: At, other: object, default: object) -> str:
    said = "says nothing" if other == default else f"says {other}"
    where = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in first).removeprefix(".")
    return f"is another than that of {where}, which {said} of the same group"
