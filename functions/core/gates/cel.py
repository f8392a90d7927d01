"""The CEL library behind one door: what it parses, what it says of types, what it answers.

https://github.com/cel-expr/cel-python. It is loaded for the first gate, its extensions for the
first gate that needs them; compiling is for one thread at a time (ADR 16), asking for any number.
"""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Kind
from functions.core.terms.errors import RelayError
from functions.core.texts import celtree
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.texts.celtree import Node, Tree

_COMPLAINT = re.compile(r"ERROR: <input>:(?P<line>-?\d+):(?P<column>-?\d+): (?P<what>[^\n]*)")
_OVERLOAD = re.compile(
    r"found no matching overload for '(?P<name>\S+)' applied to '\((?P<kinds>.*)\)'"
)
_ORDERED = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_UNDECLARED = "undeclared reference"
_NAMED_OTHERWISE = ': whether a name with other signs is there asks `"a.b" in run.tags`'


class GateRefused(RelayError):
    """The expression does not compile, or can never be true or false; one problem a line."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Complaint(NamedTuple):
    """What the library's checker says, and where: `at` counts characters.

    `name` and `kinds` are the function and the types it was called with, where that is why.
    """

    at: int
    what: str
    place: str
    name: str = ""
    kinds: tuple[str, ...] = ()


class Compiled:
    """A program and its tree, what is wrong by the types of the facts, and the type it gives."""

    def __init__(
        self,
        environment: Any,  # noqa: ANN401 - the library has no types
        parsed: Any,  # noqa: ANN401 - the same
        complaints: Sequence[Complaint],
        gives: str,
    ) -> None:
        self.program = Program(parsed)
        self.tree: Tree = celtree.read(parsed.serialize())
        self.complaints = complaints
        self.gives = gives
        self._environment = environment
        self._parts: dict[int, Program] = {}

    @property
    def is_plain(self) -> bool:
        """Whether it is what most gates are, a metric beside a number: nothing is wrong with it."""
        root = self.tree.root
        if root.kind != "call" or root.name not in _ORDERED:
            return False
        path = celtree.path_of(root.parts[0]) or ("",)
        fact = vocabulary.meant_by(path)
        is_number = fact is not None and fact.kind is Kind.NUMBER
        is_whole = fact is not None and len(path) == len(fact.path) + fact.is_family
        return is_number and is_whole and type(root.parts[1].value) in {int, float}

    def part(self, node: Node) -> Program:
        """A node of the tree as a program of its own, made once; raises RuntimeError."""
        if node.id not in self._parts:
            self._parts[node.id] = Program(self._environment.deserialize(celtree.alone(node)))
        return self._parts[node.id]


class Answer(NamedTuple):
    """What a program answered: the type in the checker's words, and the value or the error."""

    kind: str
    value: object

    @property
    def error(self) -> str:
        """Why there is no value; empty where there is one."""
        return str(self.value) if self.kind == "error" else ""


class Program:
    """A compiled expression; any number of threads may ask it."""

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401 - the library has no types
        self._compiled = compiled

    def ask(self, facts: Mapping[str, Any]) -> Answer:
        """The answer for these nested facts; raises RuntimeError, TypeError and ValueError."""
        answer = self._compiled.eval(data=facts)
        return Answer(_plain(answer.type().name()), answer.plain_value())


def compiled(text: str) -> Compiled:
    """The expression, compiled; raises GateRefused where it is no CEL."""
    try:
        found = _compiled(text, extended=False)
        if any(_UNDECLARED in complaint.what for complaint in found.complaints):
            found = _compiled(text, extended=True)
    except ImportError:
        raise GateRefused("needs the package cel-expr-python, which is not installed") from None
    except RecursionError:
        raise GateRefused("is nested too deep") from None
    except (RuntimeError, TypeError, ValueError) as error:
        told = [f"{e['what']} (at {e['line']}:{e['column']})" for e in _complaints(str(error))]
        hint = _NAMED_OTHERWISE if "has() argument" in str(error) else ""
        said = bounded("; ".join(told) or error, 300)
        raise GateRefused(f"does not compile: {said}{hint}") from None
    return found


def _compiled(text: str, *, extended: bool) -> Compiled:
    plain, typed = _environments(extended=extended)
    parsed = plain.compile(text, disable_check=True)
    try:
        gives = _plain(typed.compile(text).return_type().name())
    except RuntimeError as error:
        said = [_complaint(found, text) for found in _complaints(str(error))]
        return Compiled(plain, parsed, said, "dyn")
    return Compiled(plain, parsed, (), gives)


def _complaints(said: str) -> list[re.Match[str]]:
    return list(_COMPLAINT.finditer(said))


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
    return tuple(_plain(kind.strip()) for kind in found)


def _plain(kind: str) -> str:
    """A type's name in small letters, whichever way the library names it."""
    told = kind.lower().replace("google.protobuf.", "").removesuffix("_type")
    return told.replace("<", "(").replace(">", ")")


@functools.cache
def _environments(*, extended: bool) -> tuple[Any, Any]:
    """What any facts fit into, and what knows the type of each fact."""
    from cel_expr_python import cel  # noqa: PLC0415 - 70 ms that only a `when` is worth

    more: dict[str, Any] = {"functions": _functions(cel)}
    if extended:
        from cel_expr_python.ext import ext_math, ext_strings  # noqa: PLC0415 - 50 ms the same way

        more["extensions"] = [ext_strings.ExtStrings(), ext_math.ExtMath()]
    plain = cel.NewEnv(variables=dict.fromkeys(vocabulary.ROOTS, cel.Type.DYN), **more)
    return plain, cel.NewEnv(variables=_typed(cel.Type), **more)


def _typed(of: Any) -> dict[str, Any]:  # noqa: ANN401 - the library has no types
    """A variable for each root, and for each family, named with its dot.

    None for single facts: of `has(run.name)` the checker would take the variable `run.name`.
    """
    whole = dict.fromkeys(vocabulary.ROOTS, of.Map(of.STRING, of.DYN))
    for fact in vocabulary.TABLE:
        if fact.is_family:
            kind = of.DOUBLE if fact.kind is Kind.NUMBER else of.STRING
            whole[".".join(fact.path)] = of.Map(of.STRING, kind)
    return whole


def _functions(cel: Any) -> list[Any]:  # noqa: ANN401 - the library has no types
    asked = {"is_nan": math.isnan, "is_finite": math.isfinite}
    number, answer = [cel.Type.DOUBLE], cel.Type.BOOL
    return [
        cel.FunctionDecl(
            name, [cel.Overload(f"{name}_double", return_type=answer, parameters=number, impl=impl)]
        )
        for name, impl in asked.items()
    ]
