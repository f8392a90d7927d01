"""What is wrong with a gate that compiles: types that do not go together, and what never holds.

The checker of the CEL library says what the declared types forbid. What it cannot know is asked of
the program itself, part by part, with facts that could be: a gate is written once and asked when
hours have been spent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from functions.core.facts import vocabulary
from functions.core.gates import advice
from functions.core.gates.misleading import misleading
from functions.core.gates.never_true import never_held, never_true
from functions.core.gates.samples import are_all_tried, samples
from functions.core.gates.text import CONDITIONAL, dotted, shown
from functions.core.texts import celtree
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.gates.cel import Compiled, Complaint
    from functions.core.texts.celtree import Node

MOST_PARTS = 100  # of one gate that are asked one by one
TYPE_ERROR: Final = re.compile(
    r"No matching overloads|SELECT to non-message|Invalid container type|expected integer type"
)
_OVERLOADS: Final = re.compile(r"overloads found : (?P<name>\S+)\((?P<kinds>[^()]*)\)$")
_BAD_PATTERN: Final = "invalid regular expression"
_SELECTED: Final = "operand of a select"
_DASHED: Final = re.compile(r"(?P<path>run(?:\.\w+)+)\s*[-/]\s*$")
_NAMED: Final = re.compile(r"undeclared reference to '(?P<name>\w+)")
_LOGIC: Final = frozenset({"_&&_", "_||_", "!_", CONDITIONAL, "@not_strictly_false"})


def refusals(compiled: Compiled, text: str) -> list[str]:
    """Why it can be no gate, whatever the facts are: names that nobody knows, and no question."""
    unknown = ((c, _at(compiled, c)) for c in compiled.complaints if not _is_taken(c))
    found = [_not_compiled(complaint, text) for complaint, node in unknown if node is None]
    asked = compiled.tree.root.kind in {"call", "const", "list", "map"}
    return found or ([*_no_answer(compiled)] if asked and not compiled.complaints else [])


def mistakes(compiled: Compiled) -> list[str]:
    """What the types of the facts forbid or make useless, each once, in words for its author."""
    told = [*_begun_with_a_dot(compiled), *_shadowing(compiled)]
    told += [*_of_types(compiled), *_below_text(compiled)]
    told += _asked(compiled)
    told += misleading(compiled.tree.root)
    found = [*told, *never_true(compiled)] or [*never_held(compiled)] or [*_no_answer(compiled)]
    return list(dict.fromkeys(bounded(mistake, 400) for mistake in found))


def _begun_with_a_dot(compiled: Compiled) -> Iterator[str]:
    """To CEL `.run` is `run` as well; to whoever looks for the facts that are named it is none."""
    for node in celtree.walk(compiled.tree.root):
        if node.kind == "name" and node.name.startswith("."):
            yield f"`{node.name}` begins with a dot: write `{node.name[1:]}`"


def clash(compiled: Compiled, facts: Mapping[str, Any]) -> str:
    """Where these facts do not go together with the gate, in the same words; "" where they do."""
    for node in _parts(compiled):
        error = compiled.part(node).ask(facts).error
        if said := _worded(node, error, _kinds(compiled, node, facts)):
            return said
    return ""


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
    found = _OVERLOADS.search(error)
    inner = found and next((n for n in celtree.walk(node) if n.name == found["name"]), None)
    if not found or not inner or inner.kind != "call":
        return f"`{shown(node)}`: {error.partition(': ')[2] or error}"
    kinds = tuple(kind.strip().removesuffix("64") for kind in found["kinds"].split(","))
    return advice.advice(inner, kinds) if len(kinds) == len(inner.parts) else error


def _shadowing(compiled: Compiled) -> Iterator[str]:
    for node in celtree.walk(compiled.tree.root):
        for name in node.name.split(",") if node.kind == "loop" else ():
            if name in vocabulary.ROOTS:
                yield f"names a macro's variable `{name}`, which is a fact's name: take another"


def _of_types(compiled: Compiled) -> Iterator[str]:
    """What the checker says, but where the program takes what the checker does not."""
    for complaint in compiled.complaints:
        node = None if _is_taken(complaint) else _at(compiled, complaint)
        if node and node.kind == "call":
            yield advice.advice(node, complaint.kinds)


def _below_text(compiled: Compiled) -> Iterator[str]:
    """Names with dots that are read by dots: nothing stands below a text or a number."""
    for _, path in celtree.paths_in(compiled.tree.root):
        fact = vocabulary.meant_by(path)
        if fact and len(path) > len(fact.path) + fact.is_family:
            yield advice.below_text(path)


def _is_taken(complaint: Complaint) -> bool:
    """Whether the program takes what the checker does not, or it only follows from another one."""
    follows = "*error*" in complaint.kinds and not advice.is_no_condition(complaint)
    return follows or advice.go_together(complaint.name, complaint.kinds)


def _not_compiled(complaint: Complaint, text: str) -> str:
    return f"does not compile: {complaint.what} ({complaint.place}){_hint(complaint, text)}"


def _at(compiled: Compiled, complaint: Complaint) -> Node | None:
    """The node that a complaint is about."""
    is_select = _SELECTED in complaint.what
    for node in celtree.walk(compiled.tree.root):
        if compiled.tree.positions.get(node.id) == complaint.at and (
            (node.kind == "call" and node.name == complaint.name)
            or (is_select and node.kind in {"select", "has"} and celtree.path_of(node))
        ):
            return node
    return None


def _hint(complaint: Complaint, text: str) -> str:
    """A name with a dash is a subtraction to CEL."""
    before, name = _DASHED.search(text[: complaint.at]), _NAMED.search(complaint.what)
    if not before or not name:
        return ""
    *above, last = before["path"].split(".")
    whole = f"{last}{before[0].strip()[-1]}{name['name']}"
    return f": a name with other signs is written {dotted((*above, whole))}"


def _parts(compiled: Compiled) -> list[Node]:
    """The calls that can be asked alone: none within a macro, whose variable they would lack."""
    free = [node for node in celtree.walk(compiled.tree.root) if not _is_bound(node)]
    return [node for node in free if node.kind in {"call", "loop"}][:MOST_PARTS]


def _is_bound(node: Node) -> bool:
    return bool(_free(node) - {*vocabulary.ROOTS, "math", "double", "string", "int", "bool"})


def _free(node: Node) -> set[str]:
    names = {node.name} if node.kind == "name" else {n for p in node.parts for n in _free(p)}
    return names - {*node.name.split(",")} if node.kind == "loop" else names


def _asked(compiled: Compiled) -> Iterator[str]:
    """What the program says of parts, with facts that could be."""
    facts = samples(compiled.tree.root)
    for node in _parts(compiled):
        program = compiled.part(node)
        if not _free(node):
            yield from _constant(node, program.ask(facts[0]).error)
        elif node.name not in _LOGIC:
            yield from _with_samples(compiled, node, facts)
        else:
            known = [kinds for given in facts if (kinds := _kinds(compiled, node, given))]
            if known and all(advice.has_no_condition(node.name, kinds) for kinds in known):
                yield advice.advice(node, known[0])


def _constant(node: Node, error: str) -> Iterator[str]:
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


def _no_answer(compiled: Compiled) -> Iterator[str]:
    """A gate that is no comparison gives something else than true or false."""
    gives = {compiled.gives} - {"dyn"} or {
        compiled.program.ask(facts).kind for facts in samples(compiled.tree.root)
    } - {"error", "dyn"}
    if gives and "bool" not in gives:
        yield f"gives {min(gives)}, but a gate is true or false: compare it"
