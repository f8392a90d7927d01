"""Which facts a CEL expression speaks of, read from its text.

Careful rather than exact: what cannot be followed (an index that is computed, a whole map handed
on) counts as a mention of everything below it.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from functions.core.placeholders import FIXED, unknown

ROOTS: Final = tuple(FIXED)

_TOKEN = re.compile(
    r"""//[^\n]*
    | (?P<text>[rRbB]{0,2}(?:
          \"\"\"(?:\\.|[^\\])*?\"\"\" | '''(?:\\.|[^\\])*?'''
        | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ))
    | (?P<name>[A-Za-z_]\w*)
    | `(?P<quoted>[^`\n]*)`
    | (?P<number>\d[\w.]*)
    | (?P<sign>\S)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_TEXT = re.compile(r"""[rR]?(?P<quote>["'])(?P<inside>[^\\]*)(?P=quote)""", re.DOTALL)


class _Token(NamedTuple):
    kind: str
    text: str


_END = _Token("end", "")


def mentioned(expression: str) -> tuple[tuple[str, ...], ...]:
    """The paths that the expression reads, once each, in the order they stand.

    `run.metrics.accuracy` and `run.metrics["accuracy"]` are ("run", "metrics", "accuracy");
    `size(run.metrics)` is ("run", "metrics").
    """
    tokens = [
        _Token(found.lastgroup, found.group(found.lastgroup))
        for found in _TOKEN.finditer(expression)
        if found.lastgroup
    ]
    return tuple(
        dict.fromkeys(
            _path(tokens, at)
            for at, token in enumerate(tokens)
            if token.kind == "name" and token.text in ROOTS and not _is_field(tokens, at)
        )
    )


def problems_of(expression: str) -> list[str]:
    """What the expression reads that is no fact, which CEL itself cannot know."""
    names = dict.fromkeys(".".join(path[:2]) for path in mentioned(expression) if len(path) > 1)
    # any name below a family is a fact, so only what comes before it can be wrong
    return [why for name in names if unknown(f"{name}.x") and (why := unknown(name))]


def _is_field(tokens: list[_Token], at: int) -> bool:
    return at > 0 and tokens[at - 1].text == "."


def _path(tokens: list[_Token], at: int) -> tuple[str, ...]:
    path = [tokens[at].text]
    following = [*tokens[at + 1 : at + 40], _END, _END, _END]
    while (step := _step(following)) is not None:
        name, used = step
        path.append(name)
        following = following[used:]
    return tuple(path)


def _step(following: list[_Token]) -> tuple[str, int] | None:
    first, second, third = following[:3]
    if first.text == "." and second.kind in ("name", "quoted"):
        return None if third.text == "(" else (second.text, 2)  # that is a function, no field
    if first.text == "[" and second.kind == "text" and third.text == "]":
        plain = _PLAIN_TEXT.fullmatch(second.text)
        return (plain["inside"], 3) if plain else None
    return None
