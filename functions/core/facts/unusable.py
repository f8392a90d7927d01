"""Facts that are there and may not be used: metrics that are no numbers, texts that were cut.

And which facts a gate goes by, which it only asks to be there, which it asks to be numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from functions.core.facts import vocabulary
from functions.core.terms.errors import RelayError
from functions.core.terms.reasons import Reason
from functions.core.texts import celtree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from functions.core.texts.celtree import Node

    Path = tuple[str, ...]

_OF_NAN: Final = frozenset({"is_nan", "isNaN", "is_finite", "isFinite"})
_OF_INFINITE: Final = frozenset({"isInf", "is_finite", "isFinite"})
ASKING: Final = _OF_NAN | _OF_INFINITE
"""Functions by which a gate asks on purpose whether a metric is a number, and of what kind."""
_KEYS_ONLY: Final = {"@in": 1, "size": 0}  # which part of a call is a map of which the keys matter
_MAY_BE: Final = tuple(
    (fact, fact.path, fact.is_family)
    for fact in vocabulary.TABLE
    if fact.kind is vocabulary.Kind.NUMBER or fact.cut_at or fact.kept_at
)
UNREAD = "unread"  # beside the facts: what could not be read as it is, and why
UNTOLD = "untold"  # beside them: the names of facts of which nobody can tell whether they are there
_HAS, _WHOLE = "has", "whole"


class Unusable(RelayError):
    """A fact is there, and no gate and no parameter may take it for what it seems."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def why(path: Path, value: object, facts: Mapping[str, Any]) -> Unusable | None:
    """What is wrong with this value of that fact; None where it may be used."""
    return _why(vocabulary.meant_by(path), path, value, facts)


def _why(
    fact: vocabulary.Fact | None, path: Path, value: object, facts: Mapping[str, Any]
) -> Unusable | None:
    if isinstance(value, float) and not math.isfinite(value):
        return Unusable(Reason.NOT_A_NUMBER, f"{'.'.join(path)} {_no_number(path, value, facts)}")
    if fact and fact.cut_at and isinstance(value, str) and len(value) == fact.cut_at:
        cut = f"has {fact.cut_at} characters, where MLflow cuts: it may not be whole"
        return Unusable(Reason.CUT, f"{'.'.join(path)} {cut}")
    if fact and fact.kept_at and len(str(value)) == fact.kept_at and str(value).endswith("…"):
        cut = f"is longer than {fact.kept_at} characters, and was cut"
        return Unusable(Reason.CUT, f"{'.'.join(path)} {cut}")
    return None


def _no_number(path: Path, value: float, facts: Mapping[str, Any]) -> str:
    if told := facts.get(UNREAD, {}).get(".".join(path)):
        return str(told)
    diverged = ": the training diverged" if path[:2] == ("run", "metrics") else ""
    return f"is {'NaN' if math.isnan(value) else 'infinite'}{diverged}"


def those_in(facts: Mapping[str, Any]) -> Iterator[tuple[Path, Unusable]]:
    """Every fact that may not be used, by its path."""
    for fact, above, is_family in _MAY_BE:
        found: Any = facts
        for name in above:
            found = found.get(name) if isinstance(found, dict) else None
        if not found:
            continue  # most are not there
        for path, value in _values(found, above) if is_family else [(above, found)]:
            if wrong := _why(fact, path, value, facts):
                yield path, wrong


def _values(found: object, above: Path) -> list[tuple[Path, object]]:
    """What stands in a family, in the order of its names."""
    if not isinstance(found, dict):
        return []
    return [((*above, str(name)), found[name]) for name in sorted(found, key=str)]


class Reads(NamedTuple):
    """Paths whose values decide, those of which is asked whether they are NaN, infinite, or there.

    A path that ends above facts stands for all below it. `whole` are maps that are handed on, and
    neither gone through nor looked into on the spot.
    """

    decide: frozenset[Path]
    nan: frozenset[Path]
    infinite: frozenset[Path]
    there: frozenset[Path]
    whole: frozenset[Path]

    def go_by(self, path: Path, value: object) -> bool:
        """Whether this value of the fact, which is no number, decides, and nothing asks for it.

        Who asks for NaN has not thought of what is infinite, nor the other way round.
        """
        is_nan = isinstance(value, float) and math.isnan(value)
        asked = self.nan if is_nan else self.infinite
        return _covers(self.decide, path) and not _covers(asked, path)

    @property
    def presence(self) -> Iterator[Path]:
        """Those of which the presence alone decides something: of what is named, of all below."""
        yield from sorted(self.there)
        yield from sorted(path for path in self.decide if vocabulary.meant_by(path) is None)

    def name(self, path: Path) -> bool:
        """Whether the fact's value decides and it is named itself, or handed on with others."""
        return any(read[: len(path)] == path for read in self.decide) or _covers(self.whole, path)


def read_by(root: Node) -> Reads:
    """What the whole expression reads, whatever decides it first."""
    told = list(_read(root, {}))
    kinds = ({"", _WHOLE}, _OF_NAN, _OF_INFINITE, {_HAS}, {_WHOLE})
    return Reads(*(frozenset(path for path, by in told if by in of) for of in kinds))


def _read(node: Node, loops: Mapping[str, Path]) -> Iterator[tuple[Path, str]]:
    """Each path, and what is asked of it: what kind of number it is, or `has`; "" for its value.

    `loops`: the variables of the loops around it, with the family that each goes through.
    """
    if path := celtree.path_of(node):
        if path[0] in vocabulary.ROOTS:
            yield path, _HAS if node.kind == "has" else _WHOLE if _is_map(node) else ""
        return
    if node.kind == "call" and node.name in ASKING:
        if asked := celtree.path_of(node.parts[-1]) or _any_of(node.parts[-1], loops):
            yield asked, node.name
        else:
            yield from _read(node.parts[-1], loops)
        return
    if node.kind == "loop":
        loops = {**loops, node.name.partition(",")[0]: celtree.path_of(node.parts[0])}
    keys = _KEYS_ONLY.get(node.name, -1) if node.kind == "call" else -1
    is_inside = node.kind == "loop" or node.name == celtree.INDEX
    for n, part in enumerate(node.parts):
        if n == 0 and is_inside and celtree.path_of(part)[:1] and _is_map(part):
            yield from ((path, "") for path, _ in _read(part, loops))
        elif n != keys or not _is_map(part):
            yield from _read(part, loops)
        else:
            sought = node.parts[0].value if n else None  # in `"a.b" in run.tags`
            yield (*celtree.path_of(part), *([sought] if isinstance(sought, str) else [])), _HAS


def _any_of(node: Node, loops: Mapping[str, Path]) -> Path:
    """`run.metrics[k]` as ("run", "metrics") where `k` goes through all of these; else ()."""
    if node.kind != "call" or node.name != celtree.INDEX:
        return ()
    family, index = node.parts
    path = celtree.path_of(family)
    return path if index.kind == "name" and path and loops.get(index.name) == path else ()


def _is_map(node: Node) -> bool:
    """Whether it is a root, or a family as a whole."""
    path = celtree.path_of(node)
    return bool(path) and vocabulary.meant_by(path) is None


def _covers(paths: frozenset[Path], path: Path) -> bool:
    return any(path[: len(read)] == read for read in paths)
