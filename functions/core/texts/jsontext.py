"""JSON from outside, read within bounds.

https://www.rfc-editor.org/rfc/rfc8259#section-9
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import msgspec

DEEPEST: Final = 100
MOST_DIGITS: Final = 4300  # of a whole number, which is what Python reads if nobody sets it

_NESTING = (dict, list)  # a tuple, which is asked for faster than a union


class NestedError(ValueError):
    """A text is nested more than DEEPEST deep."""

    def __init__(self) -> None:
        super().__init__(f"nested more than {DEEPEST} deep")


def read(text: str | bytes) -> Any:  # noqa: ANN401 - JSON is anything until looked at
    """What the text says; raises ValueError, and nothing else, where it is no JSON.

    Nor is it one where it is nested more than DEEPEST deep, which whoever looks at it would not
    get out of. A whole number of more than MOST_DIGITS digits is nothing that can be counted with,
    and costs only itself: it is read as NaN.
    """
    try:
        found = _loaded(text)
    except RecursionError:
        raise NestedError from None
    if _begun(text) > DEEPEST and is_deeper(found, DEEPEST):  # most texts need no look
        raise NestedError
    return found


def is_deeper(value: object, levels: int) -> bool:
    """Whether lists and mappings are nested in the value more than so many levels deep."""
    level: list[Any] = [value] if isinstance(value, _NESTING) else []
    for _ in range(levels):
        if not level:
            return False
        entries = (one.values() if isinstance(one, dict) else one for one in level)
        level = [entry for below in entries for entry in below if isinstance(entry, _NESTING)]
    return bool(level)


def _begun(text: str | bytes) -> int:
    """How many lists and mappings begin in the text, at most."""
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def _loaded(text: str | bytes) -> Any:  # noqa: ANN401 - the same
    """What msgspec reads at a third of the cost it reads as Python does.

    Of the rest Python reads more, and says in its own words what is wrong: NaN, a number beyond all
    floats or with too many digits, half a letter, a mark at the beginning, other encodings.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError):
        return _as_python(text)


def _as_python(text: str | bytes) -> Any:  # noqa: ANN401 - the same
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:  # a number that is too long; what it costs to look for it is paid here only
        return json.loads(text, parse_int=_whole)


def _whole(digits: str) -> float:
    return int(digits) if len(digits.lstrip("-")) <= MOST_DIGITS else math.nan
