"""`champion` of a route: which version it names, and what contradicts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.champion import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.routefile.document import At

    Named = Iterable[tuple[At, set[tuple[str, ...]]]]


def choice(given: str | dict[str, Any] | None) -> Choice | None:
    """`newest`, `{alias: NAME}` or `{tag: {NAME: VALUE}}` as a value."""
    if given is None:
        return None
    told = given if isinstance(given, dict) else {}
    return Choice(alias=told.get("alias", ""), tags=told.get("tag", {}))


def contradictions(entry: dict[str, Any], named: Named) -> Iterator[tuple[At, str]]:
    """What is wrong with it in a route whose texts name these facts; it has the right shape."""
    given = entry.get("champion")
    if isinstance(given, dict) and ("alias" in given) == ("tag" in given):
        yield ("champion",), "names either an `alias` or a `tag`, or is `newest`"
    elif isinstance(given, dict) and not given.get("tag", True):
        yield ("champion", "tag"), "is empty: {stage: production}, or `champion: newest`"
    naming = [at for at, paths in named if any(path[0] == "champion" for path in paths)]
    if given is None and not entry.get("event"):
        for at in naming:
            yield at, "names `champion`, and the route does not say which: `champion: newest`"
    if given is not None and not naming and not entry.get("event"):
        what = "is asked of nothing: neither the gate nor the start names a fact of it"
        yield ("champion",), what
