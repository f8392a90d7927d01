"""What the program says of a gate's parts, with facts that could be: what no checker knows."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from functions.core.facts import vocabulary
from functions.core.gates import advice
from functions.core.gates.samples import are_all_tried, samples
from functions.core.texts import celtree
from functions.core.texts.celtext import CONDITIONAL, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.gates.cel import Compiled
    from functions.core.texts.celtree import Node

MOST_PARTS = 100  # of one gate that are asked one by one
TYPE_ERROR: Final = re.compile(
    r"No matching overloads|SELECT to non-message|Invalid container type|expected integer type"
)
_OVERLOADS: Final = re.compile(r"overloads found : (?P<name>\S+)\((?P<kinds>[^()]*)\)$")
_BAD_PATTERN: Final = "invalid regular expression"
_LOOKED_UP: Final = "what a name `k` stands for is `run.metrics[k]`"
_LOGIC: Final = frozenset({"_&&_", "_||_", "!_", CONDITIONAL, "@not_strictly_false"})


def asked(compiled: Compiled) -> Iterator[str]:
    """What the program says of parts, with facts that could be."""
    facts = samples(compiled.tree.root)
    for node in _parts(compiled):
        program = compiled.part(node)
        if not _free(node):
            answer = program.ask(facts[0])
            yield from _constant(node, answer.error)
            if isinstance(answer.value, float) and not math.isfinite(answer.value):
                yield f"`{shown(node)}` is no number, and no gate goes by that: see `is_finite(…)`"
        elif node.name not in _LOGIC:
            yield from _with_samples(compiled, node, facts)
        else:
            yield from _no_condition(compiled, node, facts)


def _no_condition(compiled: Compiled, node: Node, facts: list[dict[str, Any]]) -> Iterator[str]:
    """The checker knows no type of a fact alone, and what is the one or the other may be none."""
    if not any(part.kind == "select" or part.name == CONDITIONAL for part in node.parts):
        return
    known = [kinds for given in facts if (kinds := _kinds(compiled, node, given))]
    if known and all(advice.is_no_condition(node.name, kinds) for kinds in known):
        yield advice.advice(node, known[0])


def clash(compiled: Compiled, facts: Mapping[str, Any]) -> str:
    """Where these facts do not go together with the gate, in the same words; "" where they do."""
    for node in _parts(compiled):
        error = compiled.part(node).ask(facts).error
        if said := _worded(node, error, _kinds(compiled, node, facts)):
            return said
    return ""


def no_answer(compiled: Compiled) -> Iterator[str]:
    """A gate that is no comparison gives something else than true or false."""
    gives = {compiled.gives} - {"dyn"} or {
        compiled.program.ask(facts).kind for facts in samples(compiled.tree.root)
    } - {"error", "dyn"}
    if gives and "bool" not in gives:
        yield f"gives {min(gives)}, but a gate is true or false: compare it"


def _constant(node: Node, error: str) -> Iterator[str]:
    if node.kind == "loop" and TYPE_ERROR.search(error):
        yield _in_words(node, error)
    if error and node.kind == "call":
        yield f"`{shown(node)}` can never be worked out: {error.partition(': ')[2] or error}"


def _with_samples(compiled: Compiled, node: Node, facts: list[dict[str, Any]]) -> Iterator[str]:
    program = compiled.part(node)
    errors = [program.ask(given).error for given in facts]
    if all(_BAD_PATTERN in error for error in errors):
        yield f"`{shown(node)}`: {errors[0].partition(': ')[2]}"
    kinds = [_kinds(compiled, node, given) for given in facts]
    worded = (_worded(node, error, found) for error, found in zip(errors, kinds, strict=True))
    if said := next(filter(None, worded), ""):
        yield said
    elif all(errors) and all(kinds) and are_all_tried(node):
        yield from _constant(node, errors[0])
    elif (known := [*filter(None, kinds)]) and all(_are_unlike(node.name, k) for k in known):
        yield advice.advice(node, known[0])


def _are_unlike(name: str, kinds: tuple[str, ...]) -> bool:
    """Whether two values of these kinds are never equal, which no error tells."""
    if name not in advice.EQUAL or kinds[0] == kinds[1]:
        return False
    heads = {kind.partition("(")[0] for kind in kinds}
    return len(heads) > 1 and not heads & {"dyn", "error"} and not heads <= advice.NUMBERS


def _kinds(compiled: Compiled, node: Node, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of a call's parts; empty where one of them has no value."""
    if node.kind != "call" or any(part.kind == "name" for part in node.parts):
        return ()
    kinds = tuple(compiled.part(part).ask(facts).kind for part in node.parts)
    return () if "error" in kinds else kinds


def _worded(node: Node, error: str, kinds: tuple[str, ...]) -> str:
    """A type's error in words, where it is the node's own; "" where a part of it has it."""
    if not TYPE_ERROR.search(error):
        return ""
    if kinds:
        return advice.advice(node, kinds)
    of_name = any(part.kind == "name" for part in node.parts)  # math.abs, and a macro's variable
    return _in_words(node, error) if node.kind == "loop" or of_name else ""


def _in_words(node: Node, error: str) -> str:
    """What the library says of a part that cannot be asked alone, by the node that it is about."""
    if "SELECT" in error:
        return f"`{shown(node)}` goes through names, below which nothing stands: {_LOOKED_UP}"
    if "jump_condition" in error:
        return f"`{shown(node)}` asks what is neither true nor false: compare it"
    found = _OVERLOADS.search(error)
    inner = found and next((n for n in celtree.walk(node) if n.name == found["name"]), None)
    if not found or not inner or inner.kind != "call":
        return f"`{shown(node)}`: {error.partition(': ')[2] or error}"
    kinds = tuple(kind.strip().removesuffix("64") for kind in found["kinds"].split(","))
    return advice.advice(inner, kinds) if len(kinds) == len(inner.parts) else error


def _parts(compiled: Compiled) -> list[Node]:
    """The calls that can be asked alone: none within a macro, whose variable they would lack."""
    free = [node for node in celtree.walk(compiled.tree.root) if not is_bound(node)]
    return [node for node in free if node.kind in {"call", "loop"}][:MOST_PARTS]


def is_bound(node: Node) -> bool:
    """Whether it needs the variable of a macro around it, so that it cannot be asked alone."""
    return bool(_free(node) - {*vocabulary.ROOTS, "math", "double", "string", "int", "bool"})


def _free(node: Node) -> set[str]:
    names = {node.name} if node.kind == "name" else {n for p in node.parts for n in _free(p)}
    return names - {*node.name.split(",")} if node.kind == "loop" else names
