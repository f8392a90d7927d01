"""Comparisons that are never true, or answered otherwise than they read."""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING, Final

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Kind
from functions.core.gates.advice import COMPARED, COUNTED, EQUAL
from functions.core.texts import celtree
from functions.core.texts.celtext import as_number, converted, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.facts.vocabulary import Fact
    from functions.core.gates.cel import Compiled
    from functions.core.texts.celtree import Node

_VERSIONS: Final = frozenset({("model", "version"), ("champion", "version")})
_PARAMS: Final = frozenset({("run", "params"), ("champion", "run", "params")})
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"(19|20)[0-9]{2}(([0-9]{2}){1,2})?")  # as digits these are in order
_WHOLE: Final = frozenset({"int", "uint", "size"})
_NEVER_OF_ITSELF: Final = frozenset({"_<_", "_>_", "_!=_"})
_TURNED: Final = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_NEVER_ONE: Final = (
    {("model", "version"), ("champion", "version")},
    {("run", "id"), ("champion", "run", "id")},
)
"""The version under judgement, and whatever the run itself made, is never its own champion."""


def misleading(root: Node) -> Iterator[str]:
    """What is wrong, and what to write, each time it occurs."""
    for node in celtree.walk(root):
        if node.kind != "call":
            continue
        if any(isinstance(part.value, float) and math.isinf(part.value) for part in node.parts):
            yield f"`{shown(node)}` holds a number that is too large: at most 1.797e+308 is one"
        if node.name == "@in":
            yield from _of_two_kinds(node)
        if node.name in COMPARED:
            yield from _fractions_lost(node)
            yield from _in_text_order(node)
        elif node.name == "double" and _is_division(node.parts[0]):
            yield _lost(node.parts[0], node)
        elif _is_division(node) and _leaves_rest(node):
            yield _lost(node, node)


def _of_two_kinds(node: Node) -> Iterator[str]:
    """Texts that are sought among numbers, or the other way round, as far as no type tells it."""
    sought, among = node.parts
    fact = vocabulary.meant_by(celtree.path_of(sought) or ("",))
    parts = among.parts if among.kind == "list" else ()
    numbers = [isinstance(part.value, int | float) for part in parts]
    if fact is None or (fact.is_family and len({*numbers}) < 2):  # noqa: PLR2004 - of both kinds
        return
    if fact.kind is Kind.TEXT and any(numbers):
        told = (quoted(shown(p)) if n else shown(p) for p, n in zip(parts, numbers, strict=True))
        right = f"`{shown(sought)} in [{', '.join(told)}]`"
        yield f"`{shown(node)}` looks for text in a list that holds a number: write {right}"
    if fact.kind is Kind.NUMBER and not all(numbers):
        yield f"`{shown(node)}` looks for a number in a list that holds something else"


def _fractions_lost(node: Node) -> Iterator[str]:
    """A division of whole numbers beside what may be no whole one; a limit that is one is exact."""
    for side, other in (node.parts, node.parts[::-1]):
        if node.name == "_==_" and _is_whole(side) and _is_fraction(other):
            yield f"`{shown(node)}` is never true: one side is a whole number"
        if _is_whole(side) and not _is_whole(other) and not _is_integral(other):
            found = (n for n in celtree.walk(side) if _is_division(n) and not _is_fixed(n))
            yield from (_lost(division, division) for division in found)


def _lost(division: Node, whole: Node) -> str:
    right = " / ".join(as_number(part, "int") for part in division.parts)
    return f"`{shown(whole)}` divides whole numbers, which drops the fraction: write `{right}`"


def _is_division(node: Node) -> bool:
    return node.kind == "call" and node.name == "_/_" and _is_whole(node)


def _leaves_rest(node: Node) -> bool:
    """Whether it is one of constants, with a rest."""
    top, bottom = (part.value for part in node.parts)
    return isinstance(top, int) and isinstance(bottom, int) and bottom != 0 and top % bottom != 0


def _is_fixed(node: Node) -> bool:
    return all(part.kind == "const" for part in node.parts)


def _is_whole(node: Node) -> bool:
    """Whether it is certain that it gives a whole number."""
    if node.kind == "const":
        return isinstance(node.value, int) and not isinstance(node.value, bool)
    if path := celtree.path_of(node):
        fact = vocabulary.meant_by(path)
        return fact is not None and fact.kind is Kind.COUNT
    if node.kind != "call":
        return False
    return node.name in _WHOLE or (node.name in COUNTED and all(map(_is_whole, node.parts)))


def _is_fraction(node: Node) -> bool:
    return isinstance(node.value, float) and not node.value.is_integer()


def _is_integral(node: Node) -> bool:
    return isinstance(node.value, float) and node.value.is_integer()


def _in_text_order(node: Node) -> Iterator[str]:
    """A version or a parameter that should come before or after a number, or another version."""
    if node.name in EQUAL:
        return
    left, right = (celtree.path_of(part) for part in node.parts)
    is_ordered = left in _VERSIONS and right in _VERSIONS
    for part, path in zip(node.parts[::-1], (left, right), strict=True):
        is_number = path in _VERSIONS or path[:-1] in _PARAMS
        is_ordered |= is_number and isinstance(part.value, str) and _is_number(part.value)
    if is_ordered:
        yield (
            f"`{shown(node)}` compares in the order of texts, where 10 comes before 9: "
            f"write `{converted(node)}`"
        )


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and not _DATE.fullmatch(text)


def never_true(compiled: Compiled) -> Iterator[str]:
    """The comparisons that can never be true, and why.

    One that is denied is meant to be so: `!(run.name == "")` says something, if little.
    """
    denied = {inner.id for node in celtree.walk(compiled.tree.root) for inner in _denied_by(node)}
    for node in celtree.walk(compiled.tree.root):
        yield from _of_node(compiled, node, denied=node.id in denied)


def _denied_by(node: Node) -> Iterator[Node]:
    if node.kind == "call" and node.name == "!_":
        yield from celtree.walk(node)


def _of_node(compiled: Compiled, node: Node, *, denied: bool) -> Iterator[str]:
    if node.kind != "call" or node.name not in {*COMPARED, "@in"}:
        return
    for fact, value in _against_constants(node):
        if fact.kind is Kind.NAME and value not in fact.names:
            yield _misspelled(node, fact, str(value))
        elif not denied and node.name == "_==_" and value == "" and not fact.is_family:
            name = ".".join(fact.path)
            yield f"`{shown(node)}` is never true: an empty {name} counts as not known: has({name})"
    if denied:
        return
    yield from _of_facts(node)
    if _is_size_below_zero(node):
        yield f"`{shown(node)}` is never true: no size or count is less than 0"
    if all(part.kind == "const" for part in node.parts) and not compiled.part(node).ask({}).value:
        yield f"`{shown(node)}` is never true"


def _of_facts(node: Node) -> Iterator[str]:
    """Two facts that are always, or never, the same."""
    left, right = (celtree.path_of(part) for part in node.parts)
    if left and left == right and node.name in _NEVER_OF_ITSELF:
        yield f"`{shown(node)}` is never true: both sides are the same"
    if node.name == "_==_" and {left, right} in _NEVER_ONE:
        why = "the champion is another version, or there is none"
        yield f"`{shown(node)}` is never true: {why}: ask `champion.exists`"


def _against_constants(node: Node) -> Iterator[tuple[Fact, object]]:
    """The fact that is compared, with each constant text it is compared with."""
    for part, other in (node.parts, node.parts[::-1]):
        fact = vocabulary.meant_by(celtree.path_of(part) or ("",))
        among = other.parts if other.kind == "list" else (other,)
        if fact:
            yield from ((fact, one.value) for one in among if isinstance(one.value, str))


def _misspelled(node: Node, fact: Fact, value: str) -> str:
    folded = {name.casefold(): name for name in fact.names}
    near = difflib.get_close_matches(value.casefold(), folded, 1)
    meant = f"did you mean {folded[near[0]]}? " if near else ""
    known = ", ".join(fact.names)
    return f"`{shown(node)}`: {fact.name} is never `{value}`; {meant}it is one of {known}"


def _is_size_below_zero(node: Node) -> bool:
    left, right = node.parts
    turned = _TURNED.get(node.name, node.name)
    return _is_size_below(left, right, node.name) or _is_size_below(right, left, turned)


def _is_size_below(part: Node, other: Node, name: str) -> bool:
    least, fact = other.value, vocabulary.meant_by(celtree.path_of(part) or ("",))
    is_size = part.kind == "call" and part.name == "size"
    is_count = fact is not None and fact.kind is Kind.COUNT
    if not (is_size or is_count) or not isinstance(least, int | float):
        return False
    return {"_<_": least <= 0, "_<=_": least < 0, "_==_": least < 0}.get(name, False)
