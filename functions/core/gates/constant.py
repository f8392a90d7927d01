"""Whole gates, and parts of them, that no value makes true, or every value does."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Kind
from functions.core.gates.advice import COMPARED
from functions.core.gates.samples import around, nested
from functions.core.texts import celtree
from functions.core.texts.celtext import CONDITIONAL, dotted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.facts.vocabulary import Fact
    from functions.core.gates.cel import Compiled
    from functions.core.texts.celtree import Node

    Path = tuple[str, ...]

MOST_TRIES = 600  # combinations of values that one gate is asked about
_STATUS: Final = vocabulary.BY_PATH["run", "status"]
_LINKS: Final = frozenset({"_&&_", "_||_"})
_LOGIC: Final = _LINKS | {"!_"}


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


def decided(compiled: Compiled) -> Iterator[str]:
    """What no run can make true, or none can make false: the gate as a whole, or a part of it.

    Of what only compares facts with constants every case can be tried.
    """
    root = compiled.tree.root
    if not statuses(compiled):
        yield f"can never be true: {_STATUS.name} is one of {', '.join(_STATUS.names)}"
        return
    for chain in _chains(root):
        plain = [part for part in _linked(chain) if all(map(_is_plain, _atoms(part)))]
        for group in _groups(plain):
            yield from _decided(compiled, chain, group, is_whole=chain is root)
    asks = any(path[0] in vocabulary.ROOTS for _, path in celtree.paths_in(root))
    if not asks and root.kind != "const" and compiled.program.ask(nested([])).value is False:
        yield "can never be true, and asks of no fact: compare one"


def _decided(
    compiled: Compiled, chain: Node, group: list[Node], *, is_whole: bool
) -> Iterator[str]:
    """What is told of parts of a chain that ask of the same facts, if these can change nothing."""
    atoms = [atom for node in group for atom in _atoms(node)]
    cases = _cases(atoms)
    if not cases or math.prod(map(len, cases.values())) > MOST_TRIES:
        return
    tried = (
        [compiled.part(node).ask(known).value is True for node in group]
        for known in (
            nested(zip(cases, values, strict=True)) for values in itertools.product(*cases.values())
        )
    )
    met = {(all(one), any(one)) for one in tried}
    of, name = " and ".join(map(dotted, cases)), f"`{shown(chain)}`"
    if chain.name != "_||_" and not any(together for together, _ in met):
        what = "can never be true" if is_whole else f"{name} is never true"
        yield f"{what}: no value of {of} makes it so"
    if chain.name != "_&&_" and all(one for _, one in met) and _is_no_list_of_names(atoms):
        other = "&&" if chain.name == "_||_" else "||"
        yield f"{name} is always true, whatever {of} may be: is `{other}` meant?"


def _is_no_list_of_names(atoms: list[Node]) -> bool:
    """Whether it says more than one thing, and does not only count up what there may be."""
    facts = [_fact_of(atom) for atom in atoms]
    is_of_names = all(fact is not None and fact.kind is Kind.NAME for fact in facts)
    return len(atoms) > 1 and not (is_of_names and all(atom.name == "_==_" for atom in atoms))


def _chains(node: Node) -> Iterator[Node]:
    """What is joined by `&&` or by `||`, as far as one of these goes, and what is denied."""
    yield node
    for part in node.parts[1:] if node.name == CONDITIONAL else _linked(node):
        if part is not node and part.kind == "call" and part.name in {*_LOGIC, CONDITIONAL}:
            yield from _chains(part)


def _linked(node: Node, name: str = "") -> Iterator[Node]:
    """The parts that `&&` or `||` joins, however they are bracketed; else the node itself."""
    if node.kind == "call" and node.name in _LINKS and node.name == (name or node.name):
        for part in node.parts:
            yield from _linked(part, node.name)
    else:
        yield node


def _groups(parts: Iterable[Node]) -> list[list[Node]]:
    """Those together that ask of the same facts: only these have to do with each other."""
    groups: list[tuple[set[Path], list[Node]]] = []
    for part in parts:
        facts, nodes = set(_cases([*_atoms(part)])), [part]
        for one in [one for one in groups if one[0] & facts]:
            groups.remove(one)
            facts, nodes = facts | one[0], [*one[1], *nodes]
        groups.append((facts, nodes))
    return [nodes for _, nodes in groups]


def _atoms(node: Node) -> Iterator[Node]:
    if node.kind == "call" and node.name in {*_LOGIC, CONDITIONAL}:
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
        return sorted({0, *(n for n in beside if 0 <= n < vocabulary.MOST_CHILDREN)})
    if fact and fact.kind is Kind.TRUTH:
        return [True, False]
    texts = list(dict.fromkeys(c for c in constants if isinstance(c, str)))
    return list(fact.names) if fact and fact.names else [*texts, "".join(("another", *texts))]
