"""`champion` of a route: which version it names, and what contradicts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.standing import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.routes.file.document import At

    Named = Iterable[tuple[At, set[tuple[str, ...]]]]


def choice(given: str | dict[str, Any]) -> Choice:
    """`newest`, `{alias: NAME}` or `{tag: {NAME: VALUE}}` as a value."""
    told = given if isinstance(given, dict) else {}
    return Choice(alias=told.get("alias", ""), tags=told.get("tag", {}))


def contradictions(entry: dict[str, Any], named: Named) -> Iterator[tuple[At, str]]:
    """What is wrong with it in a route whose texts name these facts; it has the right shape."""
    given = entry["champion"]
    if isinstance(given, dict) and ("alias" in given) == ("tag" in given):
        yield ("champion",), "names either an `alias` or a `tag`, or is `newest`"
    elif isinstance(given, dict) and not given.get("tag", True):
        yield ("champion", "tag"), "is empty: {stage: production}, or `champion: newest`"
    naming = any(path[0] == "champion" for _, paths in named for path in paths)
    if not naming and not entry.get("event") and "then" not in entry:
        what = "is asked of nothing: neither the gate nor the start names a fact of it"
        yield ("champion",), what
