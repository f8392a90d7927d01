"""`when`: a CEL expression over the facts, compiled once and asked many times.

https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from functions.core.errors import RelayError
from functions.core.placeholders import FIXED, IN_ANY_CASE, alike, as_text, found_at
from functions.core.values import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    Path = tuple[str, ...]

LONGEST_EXPRESSION: Final = 4_000
_MISSING = re.compile(r'NOT_FOUND: Key not found in map : (?:"(?P<key>.*)"|\S+)', re.DOTALL)
_COMPILE_ERROR = re.compile(r"ERROR: <input>:(?P<at>-?\d+:-?\d+): (?P<what>[^\n]*)")
_STEP = re.compile(
    r"""\s*(?: \.\s* (?: ([A-Za-z_]\w*)\b (?!\s*\() | `([^`\n]*)` )  # a field, and no function
        | \[\s* [rR]? (?: "([^"\\\n]*)" | '([^'\\\n]*)' ) \s*\] )""",
    re.VERBOSE,
)
_TOKEN = re.compile(
    rf"""//[^\n]*
    | [rRbB]{{0,2}}(?: \"\"\"(?:\\.|[^\\])*?\"\"\" | '''(?:\\.|[^\\])*?'''
        | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    | `[^`\n]*` | \.\s*\w+  # a field of something else
    | (?P<root>{"|".join(FIXED)})\b (?P<below>(?:{_STEP.pattern})*)
    | \w+""",
    re.VERBOSE | re.DOTALL,
)

_IS_IN = re.compile(  # 'stage' in run.tags
    r"""(?: "(?P<a>[^"\\\n]+)" | '(?P<b>[^'\\\n]+)' ) \s* \bin\s+
    run\s*\.\s*(?P<family>tags|properties)\b""",
    re.VERBOSE,
)


class GateRefused(RelayError):
    """The expression does not compile, or can never be true or false."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What a gate says of a run.

    `missing` names a fact that was not there (it may still come) and `error` says why there is
    no answer; otherwise `holds` is the answer. `explain` lists the facts it saw.
    """

    holds: bool = False
    missing: str = ""
    error: str = ""
    explain: str = ""


class Gate:
    """A compiled expression; any number of threads may ask it. Raises GateRefused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._program = _compiled(text)  # which refuses a long one before it is looked through
        self.mentions = mentioned(text)
        self._named = _in_any_case(text, self.mentions)

    def evaluate(self, facts: Mapping[str, Any]) -> Verdict:
        """Ask about nested facts; those that are None count as not known. Raises nothing."""
        explain = ""
        try:
            known = {root: _for_cel(facts.get(root) or {}) for root in FIXED}
            self._rename(known["run"])
            explain = self._explained(known)
            answer = self._program.eval(data=known)
            kind, value = answer.type().name(), answer.plain_value()
        except (RuntimeError, TypeError, ValueError) as error:
            return Verdict(error=bounded(error), explain=explain)
        if isinstance(value, bool):
            return Verdict(holds=value, explain=explain)
        if kind != "ERROR":
            return Verdict(error=f"gave {kind.lower()}, neither true nor false", explain=explain)
        if missing := _MISSING.match(str(value)):
            return Verdict(missing=self._name_of(missing["key"], known), explain=explain)
        return Verdict(error=bounded(value), explain=explain)

    def _rename(self, run: Any) -> None:  # noqa: ANN401 - JSON
        """Give tags and properties the case that the expression names them in."""
        for family, name in self._named:
            pairs = run.get(family, {})
            key = alike(pairs, name)
            if key is None or key == name:
                continue
            also_named = (family, key) in self._named
            pairs[name] = pairs[key] if also_named else pairs.pop(key)

    def _name_of(self, key: str | None, known: Mapping[str, Any]) -> str:
        unseen = (path for path in self.mentions if key in path and found_at(path, known) is None)
        return bounded(".".join(next(unseen, (key or "a key",))), 200)

    def _explained(self, known: Mapping[str, Any]) -> str:
        """The facts that are mentioned with their values, as one short line."""
        seen = [(".".join(path), found_at(path, known)) for path in self.mentions]
        told = [(n, "not known" if v is None else bounded(as_text(v), 80)) for n, v in seen]
        return bounded(", ".join(f"{name} = {value}" for name, value in told))


@functools.lru_cache(maxsize=4096)
def gate_of(text: str) -> Gate:
    """The gate of this expression, compiled at most once. Raises GateRefused."""
    return Gate(text)


def mentioned(expression: str) -> tuple[Path, ...]:
    """The paths that the expression reads, once each, in the order they stand.

    `run.metrics.accuracy` and `run.metrics["accuracy"]` are ("run", "metrics", "accuracy");
    `size(run.metrics)` is ("run", "metrics"): what cannot be followed (a computed index, a whole
    map handed on) counts as a mention of everything below it.
    """
    found = (token for token in _TOKEN.finditer(expression) if token["root"])
    paths = ((t["root"], *map("".join, _STEP.findall(t["below"]))) for t in found)
    return tuple(dict.fromkeys(paths))


def _in_any_case(text: str, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Families and names of the tags and properties that the expression asks for by name."""
    named = [path[1:3] for path in paths if path[:2] in IN_ANY_CASE and len(path) > 2]  # noqa: PLR2004
    asked = [(found["family"], found["a"] or found["b"]) for found in _IS_IN.finditer(text)]
    return tuple(dict.fromkeys([*named, *asked]))


@functools.cache
def _environment() -> Any:  # noqa: ANN401 - the library has no types
    from cel_expr_python import cel  # noqa: PLC0415 - 70 ms that only a `when` is worth

    return cel.NewEnv(variables=dict.fromkeys(FIXED, cel.Type.DYN))


def _compiled(text: str) -> Any:  # noqa: ANN401 - the library has no types
    if len(text) > LONGEST_EXPRESSION:
        raise GateRefused(f"is longer than {LONGEST_EXPRESSION} characters")
    try:
        program = _environment().compile(text)
    except ImportError:
        raise GateRefused("needs the package cel-expr-python, which is not installed") from None
    except (RuntimeError, TypeError, ValueError) as error:
        told = [f"{e['what']} (at {e['at']})" for e in _COMPILE_ERROR.finditer(str(error))]
        raise GateRefused(f"does not compile: {bounded('; '.join(told) or error, 300)}") from None
    if (kind := program.return_type().name()) not in ("BOOL", "DYN"):
        raise GateRefused(f"gives {kind.lower()}, but a gate is true or false: compare it")
    return program


def _for_cel(facts: object) -> object:
    """Facts as JSON has them, which CEL can take: a None is left out, so that it is missing."""
    return json.loads(
        as_text(facts),
        object_pairs_hook=lambda entries: {k: v for k, v in entries if v is not None},
        parse_int=lambda digits: int(digits) if abs(int(digits)) < 2**63 else float(digits),
    )
