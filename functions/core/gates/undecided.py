"""Whether an answer hangs on what is no value: worked out to no number, cut, or not there at all.

A fact that is no number is never gone by, wherever it stands. Of what a gate makes of its facts
only that counts which its answer needs: a division that a condition keeps from zero is right. So
the gate is asked with each such part inside a function that errs where it is no value, and whether
an error matters follows CEL's own rules: `true || error` is true.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#logical-operators
"""

from __future__ import annotations

import math
import re
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from functions.core.facts import unusable, vocabulary
from functions.core.facts.placeholders import found_at
from functions.core.facts.vocabulary import Kind
from functions.core.gates.advice import COUNTED
from functions.core.terms.reasons import Reason
from functions.core.texts import celtree, celwriting
from functions.core.texts.bounds import bounded
from functions.core.texts.celtext import CONDITIONAL, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.gates.cel import Compiled, Guards, Program
    from functions.core.texts.celtree import Node

    Path = tuple[str, ...]

_NO_NUMBERS: Final = frozenset({"timestamp", "duration"})
_TOLD: Final = re.compile(r"OUT_OF_RANGE: relay (?P<what>\w+): (?P<told>.*)", re.DOTALL)


class Doubt(NamedTuple):
    """What the answer hangs on: what may not be used, or the path of what is not there yet."""

    wrong: unusable.Unusable | None = None
    missing: str = ""


def guarded(compiled: Compiled) -> Program:
    """The gate, so that it errs where its answer hangs on what is no value; see `doubt`."""
    guarding = _Guarding(compiled.tree.root)
    wire = guarding.wire_of(compiled.tree.root)
    return compiled.rewritten(wire, GUARDS) if guarding.found else compiled.program


def doubt(error: str, known: Mapping[str, Any]) -> Doubt | None:
    """What a guarded gate's error about these facts says; None where it is another error."""
    found = _TOLD.match(error)  # what others say may hold any text
    if found is None:
        return None
    if found["what"] == "none":
        return Doubt(missing=found["told"])
    if found["what"] == "number":
        return Doubt(unusable.Unusable(Reason.NOT_A_NUMBER, found["told"]))
    family, _, mark = found["told"].rpartition(" ")
    told = [one for one in unusable.those_in(known) if one[1].reason is Reason.CUT]
    meant = [one for path, one in told if str(hash(found_at(path, known))) == mark]
    cut = f"a text of {family} is as long as those that MLflow cuts: it may not be whole"
    return Doubt([*meant, unusable.Unusable(Reason.CUT, cut)][0])


class _Guarding:
    """Writes an expression anew with guards around its parts; `found`: whether there are any."""

    def __init__(self, root: Node) -> None:
        nodes = [*celtree.walk(root)]
        self._ids = count(max(node.id for node in nodes) + 1, 2)
        paths = [path for _, path in celtree.paths_in(root) if path[0] in vocabulary.ROOTS]
        self._whole = next((p for p in paths if vocabulary.meant_by(p) is None), ("a map",))
        self.found = False

    def wire_of(self, node: Node) -> bytes:
        """The node and all below it; whoever asks on purpose for what is no number may see it."""
        if node.kind == "call" and node.name in unusable.ASKING:
            return node.wire
        parts = [self.wire_of(part) for part in node.parts]
        if node.kind == "loop":
            parts[0] = self._some(node, parts[0])
        wire = celwriting.with_parts(node, parts)
        if _is_worked_out(node):
            return self._guard("@number", wire, bounded(shown(node), 300))
        if _is_computed(node):
            return self._guard("@whole", wire, ".".join(celtree.path_of(node.parts[0])))
        return wire

    def _some(self, loop: Node, of: bytes) -> bytes:
        """What a loop goes through, of which there must be one; other maps than families, too."""
        if family := _goes_through(loop):
            named = ".".join(family)
            picked = " (of those that the macro picks)" if loop.parts[0].kind == "loop" else ""
            return self._guard("@some", of, named + picked)
        over = loop.parts[0]
        is_known = celtree.path_of(over)[:1] and celtree.path_of(over)[0] in vocabulary.ROOTS
        if is_known or over.kind in {"loop", "list", "map"}:
            return of
        return self._guard("@some_of_map", of, ".".join(self._whole))

    def _guard(self, name: str, wire: bytes, text: str) -> bytes:
        self.found = True
        return celwriting.called(next(self._ids), name, wire, text)


def _is_worked_out(node: Node) -> bool:
    """Whether it may give a number that is none."""
    if node.kind != "call":
        return False
    if node.name in {*COUNTED, "double"}:
        return not any(
            part.kind == "list" or part.name in _NO_NUMBERS or isinstance(part.value, str)
            for part in node.parts
        )
    return node.is_member and (node.parts[0].kind, node.parts[0].name) == ("name", "math")


def _is_computed(node: Node) -> bool:
    """Whether it looks up a fact by a name that is worked out."""
    is_lookup = node.kind == "call" and node.name == celtree.INDEX and not celtree.path_of(node)
    return is_lookup and (celtree.path_of(node.parts[0]) or ("",))[0] in vocabulary.ROOTS


def _goes_through(loop: Node) -> Path:
    """The family of which a loop must meet one; () where over none it holds for a reason.

    Over no metrics it holds, or does not, for nothing, and so it does over texts if it reads them.
    """
    over, reads = loop.parts[0], [*_read_by_loops(loop)]
    while over.kind == "loop" and not any(_read_by_loops(_picks_by(over))):
        over = over.parts[0]
    path = celtree.path_of(over)
    fact = vocabulary.BY_PATH.get(path)
    if fact is None or not fact.is_family:
        return ()
    return path if fact.kind is Kind.NUMBER or path in reads else ()


def _picks_by(loop: Node) -> Node:
    """What decides which of its names a `filter` or `map` keeps; else all that it does."""
    step = loop.parts[3]
    return step.parts[0] if step.kind == "call" and step.name == CONDITIONAL else step


def _read_by_loops(node: Node) -> Iterator[Path]:
    """The families of which a value is looked up below."""
    return (celtree.path_of(one.parts[0]) for one in celtree.walk(node) if _is_computed(one))


def _number(value: Any, text: str) -> Any:  # noqa: ANN401 - of any type
    if isinstance(value, float) and not math.isfinite(value):
        what = "NaN" if math.isnan(value) else "infinite"
        raise ValueError(f"relay number: `{text}` is {what}")
    return value


def _some(value: Any, text: str) -> Any:  # noqa: ANN401 - the same
    if not value:
        raise ValueError(f"relay none: {text}")
    return value


def _some_of_map(value: Any, text: str) -> Any:  # noqa: ANN401 - the same
    return _some(value, text) if isinstance(value, dict) else value


def _whole(value: Any, text: str) -> Any:  # noqa: ANN401 - the same
    above = _path(text)
    limits = {f.cut_at for f in vocabulary.TABLE if f.cut_at and f.path[: len(above)] == above}
    for one in value.values() if isinstance(value, dict) else (value,):
        if isinstance(one, str) and len(one) in limits:
            raise ValueError(f"relay cut: {text} {hash(one)}")
    return value


def _path(text: str) -> Path:
    return tuple(text.split("."))


GUARDS: Final[Guards] = (
    ("@number", _number),
    ("@some", _some),
    ("@some_of_map", _some_of_map),
    ("@whole", _whole),
)
