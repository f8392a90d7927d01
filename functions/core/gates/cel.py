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
    from collections.abc import Callable, Iterator, Mapping

    from functions.core.texts.celtree import Node, Tree

    Guards = tuple[tuple[str, Callable[[Any, str], Any]], ...]

COMPLAINT = re.compile(r"ERROR: <input>:(?P<line>-?\d+):(?P<column>-?\d+): (?P<what>[^\n]*)")
_ORDERED = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_UNDECLARED = "undeclared reference"
_HINTS = {  # what is written instead of what people write first
    r"has\(\) argument": ': whether a name with other signs is there asks `"a.b" in run.tags`',
    r"input 'and'": ": write `&&`",
    r"input 'or'": ": write `||`",
    r"token recognition error at: '&[^&]": ": write `&&`",
    r"token recognition error at: '\|[^|]": ": write `||`",
    r"token recognition error at: '=>": ": write `>=`",
    r"token recognition error at: '=[^>]": ": write `==`",
    r"(?s)mismatched input ',' expecting '\)'.*\bin *\(": ": a list is written in `[ ]`",
    r"(?s)mismatched input.*\| *not\b": ": write `!`",
}


class GateRefused(RelayError):
    """The expression does not compile, or can never be true or false; one problem a line."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Compiled:
    """A program and its tree, and the type it gives.

    `said` is what the checker says of the types of the facts, "" where nothing is wrong.
    """

    def __init__(
        self,
        parsed: Any,  # noqa: ANN401 - the library has no types
        said: str,
        gives: str,
        *,
        extended: bool,
    ) -> None:
        self.program = Program(parsed)
        self.tree: Tree = celtree.read(parsed.serialize())
        self.said = said
        self.gives = gives
        self._extended = extended
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
        beside = root.parts[1].value
        is_finite = isinstance(beside, int | float) and math.isfinite(beside)
        return is_number and is_whole and is_finite and not isinstance(beside, bool)

    def part(self, node: Node) -> Program:
        """A node of the tree as a program of its own, made once; raises RuntimeError."""
        if node.id not in self._parts:
            self._parts[node.id] = self.rewritten(node.wire, ())
        return self._parts[node.id]

    def rewritten(self, wire: bytes, guards: Guards) -> Program:
        """Another expression instead, which may call these functions; raises RuntimeError."""
        from functions.core.texts import celwriting  # noqa: PLC0415 - most gates are asked as they are

        plain, _ = _environments(guards, extended=self._extended)
        return Program(plain.deserialize(celwriting.alone(wire)))


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
        return Answer(plain_name(answer.type().name()), answer.plain_value())


def compiled(text: str) -> Compiled:
    """The expression, compiled; raises GateRefused where it is no CEL."""
    try:
        found = _compiled(text, extended=False)
        if _UNDECLARED in found.said:
            found = _compiled(text, extended=True)
    except ImportError:
        raise GateRefused("needs the package cel-expr-python, which is not installed") from None
    except RecursionError:
        raise GateRefused("is nested too deep") from None
    except (RuntimeError, TypeError, ValueError) as error:
        all_told = COMPLAINT.finditer(str(error))
        told = [f"{one['what']} (at {one['line']}:{one['column']})" for one in all_told]
        hint = next((hint for said, hint in _HINTS.items() if re.search(said, str(error))), "")
        said = bounded("; ".join(told) or error, 300)
        raise GateRefused(f"does not compile: {said}{hint}") from None
    return found


def _compiled(text: str, *, extended: bool) -> Compiled:
    plain, typed = _environments(extended=extended)
    parsed = plain.compile(text, disable_check=True)
    try:
        gives = plain_name(typed.compile(text).return_type().name())
    except RuntimeError as error:
        return Compiled(parsed, str(error), "dyn", extended=extended)
    return Compiled(parsed, "", gives, extended=extended)


def plain_name(kind: str) -> str:
    """A type's name in small letters, whichever way the library names it."""
    told = kind.lower().replace("google.protobuf.", "").removesuffix("_type")
    return told.replace("<", "(").replace(">", ")")


@functools.cache
def _environments(guards: Guards = (), *, extended: bool) -> tuple[Any, Any]:
    """What any facts fit into, and what knows the type of each fact."""
    from cel_expr_python import cel  # noqa: PLC0415 - 70 ms that only a `when` is worth

    more: dict[str, Any] = {"functions": [*_functions(cel), *_guards(cel, guards)]}
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


def _guards(cel: Any, guards: Guards) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    """Each takes a value of any type and a text, and gives the value back or raises ValueError."""
    of = cel.Type
    kinds = [of.BOOL, of.INT, of.UINT, of.DOUBLE, of.STRING, of.BYTES, of.NULL, of.TIMESTAMP]
    kinds += [of.DURATION, of.List(of.DYN), of.Map(of.DYN, of.DYN)]
    for name, impl in guards:
        taken = [
            cel.Overload(f"{name}_{n}", return_type=kind, parameters=[kind, of.STRING], impl=impl)
            for n, kind in enumerate(kinds)
        ]
        yield cel.FunctionDecl(name, taken)
