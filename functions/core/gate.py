"""`when`: a CEL expression over the facts, compiled once and asked many times.

https://github.com/google/cel-spec
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from functions.core.errors import RelayError
from functions.core.mentions import ROOTS, mentioned
from functions.core.placeholders import as_text
from functions.core.values import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_EXPRESSION: Final = 4_000
_DEEPEST_FACT = 8
_MISSING = re.compile(r'NOT_FOUND: Key not found in map : (?:"(?P<key>.*)"|\S+)', re.DOTALL)
_COMPILE_ERROR = re.compile(r"ERROR: <input>:(?P<at>-?\d+:-?\d+): (?P<what>[^\n]*)")


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
        self.mentions = mentioned(text)
        self._program = _compiled(text)

    def evaluate(self, facts: Mapping[str, Any]) -> Verdict:
        """Ask about nested facts; those that are None count as not known. Raises nothing."""
        known = {root: _for_cel(facts.get(root) or {}) for root in ROOTS}
        explain = explained(self.mentions, known)
        try:
            answer = self._program.eval(data=known)
            kind, value = answer.type().name(), answer.plain_value()
        except (RuntimeError, TypeError, ValueError) as error:
            return Verdict(error=bounded(error), explain=explain)
        if isinstance(value, bool):
            return Verdict(holds=value, explain=explain)
        if kind == "ERROR":
            return self._failed(str(value), known, explain)
        return Verdict(error=f"gave {kind.lower()}, neither true nor false", explain=explain)

    def _failed(self, error: str, known: Mapping[str, Any], explain: str) -> Verdict:
        if missing := _MISSING.match(error):
            return Verdict(missing=self._name_of(missing["key"], known), explain=explain)
        return Verdict(error=bounded(error), explain=explain)

    def _name_of(self, key: str | None, known: Mapping[str, Any]) -> str:
        for path in self.mentions:
            if key in path and _seen(path, known) is None:
                return bounded(".".join(path), 200)
        return bounded(key or "a key", 200)


@functools.lru_cache(maxsize=4096)
def gate_of(text: str) -> Gate:
    """The gate of this expression, compiled at most once. Raises GateRefused."""
    return Gate(text)


def explained(mentions: tuple[tuple[str, ...], ...], known: Mapping[str, Any]) -> str:
    """The facts that are mentioned with their values, as one short line."""
    seen = ((".".join(path), _seen(path, known)) for path in mentions)
    return bounded(
        ", ".join(
            f"{name} = {'not known' if value is None else bounded(as_text(value), 80)}"
            for name, value in seen
        )
    )


def _seen(path: tuple[str, ...], known: Mapping[str, Any]) -> object:
    here: object = known
    for step in path:
        here = here.get(step) if isinstance(here, dict) else None
    return here


@functools.cache
def _environment() -> Any:  # noqa: ANN401 - the library has no types
    from cel_expr_python import cel  # noqa: PLC0415 - 70 ms that only a `when` is worth

    return cel.NewEnv(variables=dict.fromkeys(ROOTS, cel.Type.DYN))


def _compiled(text: str) -> Any:  # noqa: ANN401 - the library has no types
    if len(text) > LONGEST_EXPRESSION:
        raise GateRefused(f"is longer than {LONGEST_EXPRESSION} characters")
    try:
        program = _environment().compile(text)
    except ImportError:
        raise GateRefused("needs the package cel-expr-python, which is not installed") from None
    except (RuntimeError, TypeError, ValueError) as error:
        raise GateRefused(f"does not compile: {_in_one_line(error)}") from None
    if (kind := program.return_type().name()) not in ("BOOL", "DYN"):
        raise GateRefused(f"gives {kind.lower()}, but a gate is true or false: compare it")
    return program


def _in_one_line(error: Exception) -> str:
    told = [f"{e['what']} (at {e['at']})" for e in _COMPILE_ERROR.finditer(str(error))]
    return bounded("; ".join(told) or error, 300)


def _for_cel(value: object, depth: int = 0) -> object:
    """What CEL can take: a None is left out, so that it is missing; odd values become text."""
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else _as_float(value)
    if depth < _DEEPEST_FACT:
        if isinstance(value, dict):
            entries = ((as_text(k), v) for k, v in value.items() if v is not None)
            return {key: _for_cel(entry, depth + 1) for key, entry in entries}
        if isinstance(value, (list, tuple)):
            return [_for_cel(entry, depth + 1) for entry in value if entry is not None]
    return as_text(value)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
