"""`promoted` of a route on ModelPromoted: what makes a version so, and what contradicts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.standing import Promotion
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.file.document import At

_BY = ("alias", "tag", "stage")
_UNTOLD = ("tags", "properties")


def made(given: dict[str, Any]) -> Promotion:
    """`{alias: NAME}`, `{tag: {NAME: VALUE}}` or `{stage: NAME}` as a value."""
    others = {name: told for name, told in given.items() if name != "tag"}
    return Promotion(**others, tags=given.get("tag", {}))


def contradictions(entry: dict[str, Any], whole: dict[str, Any]) -> Iterator[tuple[At, str]]:
    """What is wrong in a route that is about promotions, or has `promoted`."""
    if entry.get("event") != Outcome.MODEL_PROMOTED:
        yield ("promoted",), "is for `event: ModelPromoted`"
    elif "promoted" not in whole:
        yield (), "does not say what `promoted` is: {alias: production}"
    given = entry.get("promoted")
    if given is not None and given == whole["promoted"]:  # otherwise its shape was wrong
        if sum(by in given for by in _BY) != 1:
            yield ("promoted",), "names one of `alias`, `tag` and `stage`"
        if "tag" in given and len(given["tag"]) != 1:
            yield ("promoted", "tag"), "names one tag and its value: {stage: production}"
    for name in _UNTOLD:
        if name in entry.get("match", {}):
            yield ("match", name), "is about what an event tells, and no event tells a promotion"
