"""Comparisons, and whole gates of plain ones, that no value makes true."""

from __future__ import annotations

import difflib
import itertools
import math
from typing import TYPE_CHECKING, Any, Final

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Kind
from functions.core.gates.advice import COMPARED
from functions.core.gates.samples import around, nested
from functions.core.texts import celtree
from functions.core.texts.celtext import dotted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.facts.vocabulary import Fact
    from functions.core.gates.cel import Compiled
    from functions.core.texts.celtree import Node

    Path = tuple[str, ...]

MOST_TRIES = 600  # combinations of values that one gate is asked about
_NEVER_OF_ITSELF: Final = frozenset({"_<_", "_>_", "_!=_"})
_STATUS: Final = vocabulary.BY_PATH["run", "status"]
_LOGIC: Final = frozenset({"_&&_", "_||_", "!_"})
_TURNED: Final = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}


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


def statuses(compiled: Compiled) -> frozenset[str]:
    """The statuses of a run that do not make the whole false whatever the other facts are."""
    left = set(_STATUS.names)
    for node in _conjuncts(compiled.tree.root):
        if {path for _, path in celtree.paths_in(node)} == {_STATUS.path}:
            left &= {name for name in left if _holds(compiled, node, name)}
    return frozenset(left)


def _holds(compiled: Compiled, node: Node, status: str) -> bool:
    return compiled.part(node).ask(nested([(_STATUS.path, status)])).value is True


def _conjuncts(node: Node) -> Iterator[Node]:
    if node.kind == "call" and node.name == "_&&_":
        for part in node.parts:
            yield from _conjuncts(part)
    else:
        yield node


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
    left, right = (celtree.path_of(part) for part in node.parts)
    if left and left == right and node.name in _NEVER_OF_ITSELF:
        yield f"`{shown(node)}` is never true: both sides are the same"
    if _is_size_below_zero(node):
        yield f"`{shown(node)}` is never true: no size or count is less than 0"
    if all(part.kind == "const" for part in node.parts) and not compiled.part(node).ask({}).value:
        yield f"`{shown(node)}` is never true"


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


def never_held(compiled: Compiled) -> Iterator[str]:
    """Whether the gate as a whole can never be true.

    Of one that only compares facts with constants every case can be tried.
    """
    if not statuses(compiled):
        yield f"can never be true: {_STATUS.name} is one of {', '.join(_STATUS.names)}"
        return
    atoms = list(_atoms(compiled.tree.root))
    if not atoms or not all(map(_is_plain, atoms)):
        return
    values = _cases(atoms)
    if not values or math.prod(map(len, values.values())) > MOST_TRIES:
        return
    for combination in itertools.product(*values.values()):
        known = nested(zip(values, combination, strict=True))
        if compiled.program.ask(known).value is True:
            return
    yield f"can never be true: no value of {' and '.join(map(dotted, values))} makes it so"


def _atoms(node: Node) -> Iterator[Node]:
    if node.kind == "call" and node.name in _LOGIC:
        for part in node.parts:
            yield from _atoms(part)
    else:
        yield node


def _is_plain(node: Node) -> bool:
    """Whether it is a fact's presence, or a fact beside constants in whose order all cases lie."""
    if node.kind == "has":
        return vocabulary.meant_by(celtree.path_of(node)) is not None
    if node.kind != "call" or node.name not in {*COMPARED, "@in"}:
        return False
    fact = _fact_of(node)
    constants = [part for part in node.parts if _is_constant(part)]
    if fact is None or len(constants) != 1 or fact.kind in {Kind.TIME, Kind.TEXTS}:
        return False
    return fact.kind is not Kind.TEXT or node.name in {"_==_", "_!=_", "@in"}


def _is_constant(node: Node) -> bool:
    return node.kind == "const" or (node.kind == "list" and all(map(_is_constant, node.parts)))


def _fact_of(node: Node) -> Fact | None:
    paths = [celtree.path_of(part) for part in node.parts]
    return next((vocabulary.meant_by(path) for path in paths if path), None)


def _cases(atoms: list[Node]) -> dict[Path, list[Any]]:
    """For each fact the values around those that it is compared with; None: it is not there."""
    cases: dict[Path, list[Any]] = {}
    for atom in atoms:
        for node in (atom, *atom.parts):
            if (path := celtree.path_of(node)) and vocabulary.meant_by(path):
                constants = [n.value for n in celtree.walk(atom) if n.kind == "const"]
                cases.setdefault(path, []).extend(constants)
                break
    asked = {celtree.path_of(n) for a in atoms for n in celtree.walk(a) if n.kind == "has"}
    return {p: [*_tried(p, found), *([None] if p in asked else [])] for p, found in cases.items()}


def _tried(path: Path, constants: list[Any]) -> list[Any]:
    fact, numbers = vocabulary.meant_by(path), [c for c in constants if isinstance(c, int | float)]
    if fact and fact.kind is Kind.NUMBER:
        return around(numbers)
    if fact and fact.kind is Kind.COUNT:
        beside = (math.floor(n) + more for n in numbers if math.isfinite(n) for more in (-1, 0, 1))
        return sorted({0, *(n for n in beside if n >= 0)})
    if fact and fact.kind is Kind.TRUTH:
        return [True, False]
    texts = list(dict.fromkeys(c for c in constants if isinstance(c, str)))
    return list(fact.names) if fact and fact.names else [*texts, "".join(("another", *texts))]
