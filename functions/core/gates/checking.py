"""What is wrong with a gate that compiles: types that do not go together, and what never holds.

The checker of the CEL library says what the declared types forbid. What it cannot know is asked of
the program itself, part by part, with facts that could be: a gate is written once and asked when
hours have been spent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from functions.core.facts import vocabulary
from functions.core.gates import advice
from functions.core.gates.asking import asked, no_answer
from functions.core.gates.cel import COMPLAINT, plain_name
from functions.core.gates.constant import decided
from functions.core.gates.misleading import misleading, never_true
from functions.core.texts import celtree
from functions.core.texts.bounds import bounded
from functions.core.texts.celtext import dotted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.gates.cel import Compiled
    from functions.core.texts.celtree import Node

_OVERLOAD: Final = re.compile(
    r"found no matching overload for '(?P<name>\S+)' applied to '\((?P<kinds>.*)\)'"
)
_SELECTED: Final = "operand of a select"
_FOLLOWS: Final = re.compile(  # what is also told of the part that is wrong
    r"^`a macro over .*(No matching overloads|neither true nor false)|does not take anything"
    r"|^`has\(\S+\)` is a map, and no condition|^gives map"
)
_DASHED: Final = re.compile(r"(?P<path>run(?:\.\w+)+)\s*[-/]\s*$")
_NAMED: Final = re.compile(r"undeclared reference to '(?P<name>\w+)")


class Complaint(NamedTuple):
    """What the library's checker says, and where: `at` counts characters.

    `name` and `kinds` are the function and the types it was called with, where that is why.
    """

    at: int
    what: str
    place: str
    name: str = ""
    kinds: tuple[str, ...] = ()


def refusals(compiled: Compiled, text: str) -> list[str]:
    """Why it can be no gate, whatever the facts are: names that nobody knows, and no question."""
    told = _complaints(compiled.said, text)
    unknown = ((c, _at(compiled, c)) for c in told if not _is_taken(c))
    found = [_not_compiled(complaint, text) for complaint, node in unknown if node is None]
    asked = compiled.tree.root.kind in {"call", "const", "list", "map"}
    return found or ([*no_answer(compiled)] if asked and not told else [])


def mistakes(compiled: Compiled, text: str) -> list[str]:
    """What the types of the facts forbid or make useless, each once, in words for its author."""
    told = [*_begun_with_a_dot(compiled), *_shadowing(compiled), *_named_as_a_variable(compiled)]
    told += [*_of_maps(compiled), *_of_types(compiled, text), *_below_text(compiled)]
    told += asked(compiled)
    told += misleading(compiled.tree.root)
    found = [*told, *never_true(compiled)] or [*decided(compiled)] or [*no_answer(compiled)]
    said = list(dict.fromkeys(bounded(mistake, 400) for mistake in found))
    return [mistake for mistake in said if not _FOLLOWS.search(mistake)] or said


def _begun_with_a_dot(compiled: Compiled) -> Iterator[str]:
    """To CEL `.run` is `run` as well; to whoever looks for the facts that are named it is none."""
    for node in celtree.walk(compiled.tree.root):
        if node.kind == "name" and node.name.startswith("."):
            yield f"`{node.name}` begins with a dot: write `{node.name[1:]}`"


def _shadowing(compiled: Compiled) -> Iterator[str]:
    for node in celtree.walk(compiled.tree.root):
        for name in node.name.split(",") if node.kind == "loop" else ():
            if name in vocabulary.ROOTS:
                yield f"names a macro's variable `{name}`, which is a fact's name: take another"


def _named_as_a_variable(compiled: Compiled) -> Iterator[str]:
    """A macro that never uses its variable, and reads a fact of that very name."""
    for node in celtree.walk(compiled.tree.root):
        variable = node.name.partition(",")[0] if node.kind == "loop" else ""
        below = [n for part in node.parts[1:] for n in celtree.walk(part)] if variable else []
        if any(n.kind == "name" and n.name == variable for n in below):
            continue
        for one in (n for n in below if n.kind in {"select", "has"}):
            path = celtree.path_of(one) or ("",)
            if path[-1] == variable and path[:-1] in vocabulary.FAMILIES:
                family = ".".join(path[:-1])
                meant = f"{variable} in {family}" if one.kind == "has" else f"{family}[{variable}]"
                yield f"`{shown(one)}` reads the one named {variable}: write `{meant}`"


def _of_types(compiled: Compiled, text: str) -> Iterator[str]:
    """What the checker says, but where the program takes what the checker does not."""
    for complaint in _complaints(compiled.said, text):
        node = None if _is_taken(complaint) else _at(compiled, complaint)
        if node and node.kind == "call":
            yield advice.advice(node, complaint.kinds)


def _of_maps(compiled: Compiled) -> Iterator[str]:
    """Presence that is asked of what is no fact, but has facts below: it says nothing of any."""
    for node in celtree.walk(compiled.tree.root):
        path = celtree.path_of(node) if node.kind == "has" else ()
        if len(path) > 1 and path[0] in vocabulary.ROOTS and vocabulary.meant_by(path) is None:
            name = dotted(path)
            below = next((f for f in vocabulary.TABLE if f.path[: len(path)] == path), None)
            is_family = path in vocabulary.FAMILIES
            right = f"size({name}) > 0" if is_family else f"has({below.name})" if below else ""
            yield f"`{shown(node)}` asks for no fact: write `{right}`"


def _below_text(compiled: Compiled) -> Iterator[str]:
    """Names with dots that are read by dots: nothing stands below a text or a number."""
    for _, path in celtree.paths_in(compiled.tree.root):
        fact = vocabulary.meant_by(path)
        if fact and len(path) > len(fact.path) + fact.is_family:
            yield advice.below_text(path)


def _is_taken(complaint: Complaint) -> bool:
    """Whether the program takes what the checker does not, or it only follows from another one."""
    name, kinds = complaint.name, complaint.kinds
    follows = "*error*" in kinds and not advice.is_no_condition(name, kinds)
    return follows or advice.go_together(name, kinds)


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


def _complaints(said: str, text: str) -> list[Complaint]:
    return [_complaint(found, text) for found in COMPLAINT.finditer(said)]


def _complaint(found: re.Match[str], text: str) -> Complaint:
    lines = text.splitlines(keepends=True)[: max(int(found["line"]) - 1, 0)]
    at = sum(map(len, lines)) + int(found["column"]) - 1
    place = f"at {found['line']}:{found['column']}"
    if overload := _OVERLOAD.match(found["what"]):
        return Complaint(at, found["what"], place, overload["name"], _split(overload["kinds"]))
    return Complaint(at, found["what"], place)


def _split(kinds: str) -> tuple[str, ...]:
    """`string, map(string, dyn)` as two."""
    found, depth = [""], 0
    for letter in kinds:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return tuple(plain_name(kind.strip()) for kind in found)
