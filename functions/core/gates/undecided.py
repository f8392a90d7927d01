"""Whether an answer hangs on what is no value: worked out to no number, cut, or not there at all.

A fact that is no number is never gone by, wherever it stands. Of what a gate makes of its facts
only that counts which its answer needs: a division that a condition keeps from zero is right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from functions.core.facts import unusable, vocabulary
from functions.core.facts.placeholders import found_at
from functions.core.facts.vocabulary import Kind
from functions.core.gates.advice import COUNTED
from functions.core.gates.asking import is_bound
from functions.core.terms.reasons import Reason
from functions.core.texts import celtree
from functions.core.texts.celtext import CONDITIONAL, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from functions.core.gates.cel import Compiled
    from functions.core.texts.celtree import Node

_WORKED_OUT: Final = {*COUNTED, "double"}
_EITHER: Final = {"_&&_": False, "_||_": True}  # which answer of one part alone decides


class Doubt(NamedTuple):
    """What the answer hangs on: what may not be used, or the path of what is not there yet."""

    wrong: unusable.Unusable | None = None
    missing: str = ""


def may_be(compiled: Compiled) -> bool:
    """Whether there are facts that leave it undecided; what that takes is then made ready."""
    nodes = [*celtree.walk(compiled.tree.root)]
    found = any(_is_worked_out(n) or _is_computed(n) or _is_over_numbers(n) for n in nodes)
    for node in nodes if found else ():
        if not is_bound(node):
            compiled.part(node)
    return found


def doubt(compiled: Compiled, known: Mapping[str, Any]) -> Doubt | None:
    """What its answer about these facts hangs on; None where it stands."""
    look = _Look(compiled, known)
    root = compiled.tree.root
    return look.doubt(root) if look.settled(root) is None else None


class _Look:
    """What each part is worth with these facts; each is looked at once."""

    def __init__(self, compiled: Compiled, known: Mapping[str, Any]) -> None:
        self._compiled, self._known = compiled, known
        self._settled: dict[int, bool | None] = {}
        self._doubts: dict[int, Doubt | None] = {}

    def settled(self, node: Node) -> bool | None:
        """True or false where that hangs on nothing; None where it does, or is neither."""
        if node.id not in self._settled:
            self._settled[node.id] = self._settle(node)
        return self._settled[node.id]

    def doubt(self, node: Node) -> Doubt | None:
        """The first thing below that its value hangs on."""
        if node.id not in self._doubts:
            self._doubts[node.id] = self._below(node) or self._own(node)
        return self._doubts[node.id]

    def _settle(self, node: Node) -> bool | None:
        if node.kind == "call" and node.name in _EITHER:
            parts, decides = {self.settled(part) for part in node.parts}, _EITHER[node.name]
            return decides if decides in parts else None if None in parts else not decides
        if node.kind == "call" and node.name == "!_":
            denied = self.settled(node.parts[0])
            return None if denied is None else not denied
        if node.kind == "call" and node.name == CONDITIONAL:
            chosen = self._chosen(node)
            return None if chosen is None else self.settled(chosen)
        value = None if self.doubt(node) else self._value(node)
        return value if isinstance(value, bool) else None

    def _chosen(self, node: Node) -> Node | None:
        """What a condition chooses; None while it is undecided."""
        condition = self.settled(node.parts[0])
        return None if condition is None else node.parts[1 if condition else 2]

    def _below(self, node: Node) -> Doubt | None:
        parts: tuple[Node, ...] = node.parts
        if node.kind == "call" and node.name in unusable.ASKING:
            return None
        if node.kind == "call" and not is_bound(node):
            if node.name in {*_EITHER, "!_"} and self.settled(node) is not None:
                return None
            if node.name == CONDITIONAL:
                parts = tuple(filter(None, (self._chosen(node),))) or parts[:1]
        return next(filter(None, map(self.doubt, parts)), None)

    def _own(self, node: Node) -> Doubt | None:
        if _is_over_numbers(node) and found_at(celtree.path_of(node.parts[0]), self._known) == {}:
            return Doubt(missing=".".join(celtree.path_of(node.parts[0])))
        if _is_computed(node):
            return next((Doubt(wrong) for wrong in self._cut(node)), None)
        if _is_worked_out(node) and (said := self._no_number(node)):
            return Doubt(unusable.Unusable(Reason.NOT_A_NUMBER, f"`{shown(node)}` {said}"))
        return None

    def _no_number(self, node: Node) -> str:
        """What it is instead of a number; of a part of a macro only a zero below it is known."""
        if is_bound(node):
            return "divides by 0" if node.name == "_/_" and self._value(node.parts[1]) == 0 else ""
        value = self._value(node)
        if not isinstance(value, float) or math.isfinite(value):
            return ""
        return "is NaN" if math.isnan(value) else "is infinite"

    def _cut(self, node: Node) -> Iterator[unusable.Unusable]:
        """Texts that may have been cut, among those that are looked up by a name worked out."""
        family, names = celtree.path_of(node.parts[0]), self._names(node.parts[1])
        for path, wrong in unusable.those_in(self._known):
            is_below = path[: len(family)] == family
            if wrong.reason is not Reason.CUT or not is_below:
                continue
            if names is None or path[len(family)] in names:
                yield wrong

    def _names(self, index: Node) -> Collection[object] | None:
        """What the index may be: its value, or what the macro goes through; None: anything."""
        if not is_bound(index):
            return [self._value(index)]
        loops = (n for n in celtree.walk(self._compiled.tree.root) if n.kind == "loop")
        ranges = [n.parts[0] for n in loops if index.name in n.name.split(",")]
        found = [self._value(one) for one in ranges]
        named = [name for one in found if isinstance(one, list | dict) for name in one]
        is_known = index.kind == "name" and all(isinstance(one, list | dict) for one in found)
        return named if is_known else None

    def _value(self, node: Node) -> object:
        """What it is worth; None where it has no value, or cannot be asked alone."""
        if is_bound(node):
            return None
        answer = self._compiled.part(node).ask(self._known)
        return None if answer.error else answer.value


def _is_worked_out(node: Node) -> bool:
    return node.kind == "call" and node.name in _WORKED_OUT


def _is_computed(node: Node) -> bool:
    """Whether it looks up a fact by a name that is worked out."""
    is_lookup = node.kind == "call" and node.name == celtree.INDEX and not celtree.path_of(node)
    return is_lookup and (celtree.path_of(node.parts[0]) or ("",))[0] in vocabulary.ROOTS


def _is_over_numbers(node: Node) -> bool:
    """Whether it is a macro over all metrics: over none it holds, or does not, for nothing."""
    path = celtree.path_of(node.parts[0]) if node.kind == "loop" else ()
    fact = vocabulary.BY_PATH.get(path)
    return fact is not None and fact.is_family and fact.kind is Kind.NUMBER
