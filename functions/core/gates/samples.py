"""Sample facts for a gate: of each kind that its facts are, and around the values it names."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Kind
from functions.core.texts import celtree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from functions.core.facts.vocabulary import Fact
    from functions.core.texts.celtree import Node

    Path = tuple[str, ...]

MOST_VALUES = 12  # of one fact
_TIMES: Final = ("2026-01-01T00:00:00Z", "2031-12-31T23:59:59Z")
_CONVERSIONS: Final = frozenset({"int", "uint", "double", "bool", "duration", "timestamp"})
_TEXTS: Final = ("1", "x", _TIMES[0], "1h", "true")  # of each kind that a text may be made


def samples(root: Node) -> list[dict[str, Any]]:
    """Nested facts, some for each kind: every value of each fact once, none of them missing."""
    values = values_of(root)
    most = max(map(len, values.values()), default=1)
    return [
        nested((path, found[n % len(found)]) for path, found in values.items()) for n in range(most)
    ]


def values_of(root: Node) -> dict[Path, list[object]]:
    """For each fact that is named, or stands below what is, values that it can have."""
    constants = [node.value for node in celtree.walk(root) if node.kind == "const"]
    texts = tuple(dict.fromkeys(value for value in constants if isinstance(value, str)))
    named = [path for _, path in celtree.paths_in(root) if path[0] in vocabulary.ROOTS]
    return {
        path: _values(fact, constants)
        for whole in dict.fromkeys(named)
        for path, fact in _meant(whole, texts)
    }


def are_all_tried(node: Node) -> bool:
    """Whether it converts a time or a name, of which all are alike to what takes a text.

    A time zone may be known on another machine.
    """
    if node.name not in _CONVERSIONS:
        return False
    facts = [vocabulary.meant_by(path) for _, path in celtree.paths_in(node)]
    return all(fact is not None and fact.kind in {Kind.TIME, Kind.NAME} for fact in facts)


def nested(values: Iterable[tuple[Path, object]]) -> dict[str, Any]:
    """Facts by their paths as the nested mappings that a program is asked about; None: absent."""
    facts: dict[str, Any] = {root: {} for root in vocabulary.ROOTS}
    for path, value in values:
        at = facts
        for name in path[:-1]:
            at = at.setdefault(name, {})
        if value is not None:
            at[path[-1]] = value
    return facts


def around(numbers: Sequence[float]) -> list[float]:
    """Each of the numbers, what lies between two of them, and what lies beyond."""
    known = sorted({float(n) for n in numbers if math.isfinite(n)})
    between = [low / 2 + high / 2 for low, high in itertools.pairwise(known)]
    beyond = [known[0] - 1 - abs(known[0]), known[-1] + 1 + abs(known[-1])] if known else [0.5, 2.0]
    return [*known, *between, *beyond]


def _meant(path: Path, texts: Sequence[str]) -> Iterator[tuple[Path, Fact]]:
    """The facts that a path names, or those below it; of a family any, and those in `texts`."""
    if fact := vocabulary.meant_by(path):
        yield (path[: len(fact.path) + fact.is_family], fact)
        return
    for fact in vocabulary.TABLE:
        if fact.path[: len(path)] == path:
            names = ((name,) for name in ("x", *texts)) if fact.is_family else [()]
            yield from (((*fact.path, *name), fact) for name in names)


def _values(fact: Fact, constants: Sequence[object]) -> list[object]:
    known = (c for c in constants if isinstance(c, int | float) and not isinstance(c, bool))
    numbers = [number for number in known if math.isfinite(number)]
    texts = [c for c in constants if isinstance(c, str)]
    of_kind: dict[Kind, Sequence[object]] = {
        Kind.NUMBER: around(numbers),
        Kind.COUNT: [0, 1, 7, *(int(n) + more for n in numbers for more in (0, 1) if n >= 0)],
        Kind.NAME: fact.names,
        Kind.TRUTH: [True, False],
        Kind.TIME: _TIMES,
        Kind.TEXTS: [["x"], [*texts]],
        Kind.TEXT: [*_TEXTS, *texts],
    }
    return list(of_kind[fact.kind])[:MOST_VALUES]
