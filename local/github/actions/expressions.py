"""`${{ … }}` in a run's name: the values of the contexts `github` and `inputs`, joined by `||`.

Whatever else a workflow may write there is refused where the file is added, so that no title is
ever expanded wrongly.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#run-name
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_INPUT = re.compile(r"(?:github\.event\.)?inputs\.([\w-]+)")
_GITHUB = {
    "github.actor",
    "github.event_name",
    "github.ref",
    "github.ref_name",
    "github.repository",
    "github.run_number",
    "github.sha",
    "github.workflow",
}


def check(text: str) -> None:
    """Raise ValueError for an expression that this service cannot expand."""
    for found in _EXPRESSION.finditer(text):
        for operand in _operands(found[1]):
            if not (_LITERAL.fullmatch(operand) or _INPUT.fullmatch(operand) or operand in _GITHUB):
                raise ValueError(f"not expanded by the local GitHub: {operand}")


def expand(text: str, known: Mapping[str, str]) -> str:
    """The text with its expressions replaced; what has no value is empty."""
    return _EXPRESSION.sub(lambda found: _first(found[1], known), text)


def _first(expression: str, known: Mapping[str, str]) -> str:
    """The first operand that is not empty."""
    return next(filter(None, (_value(o, known) for o in _operands(expression))), "")


def _operands(expression: str) -> list[str]:
    return [operand.strip() for operand in expression.split("||")]


def _value(operand: str, known: Mapping[str, str]) -> str:
    if literal := _LITERAL.fullmatch(operand):
        return literal[1].replace("''", "'")
    if named := _INPUT.fullmatch(operand):
        return known.get(f"inputs.{named[1]}", "")
    return known.get(operand, "")
