"""A compiled CEL expression written for the library again: a part alone, or other parts in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from functions.core.texts.celtree import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.texts.celtree import Node

_ID, _EXPR, _PARSED = 2, 2, 2  # of Expr, of ParsedExpr, and of Any
_CONST, _CALL, _MAP = 3, 6, 8  # of Expr
_TEXT, _NAME, _ARGUMENT = 6, 2, 3  # of Constant, and of Call
_PARTS: Final = {  # which fields of a kind are its parts, and of an entry of a map
    "select": {1},
    "has": {1},
    "call": {1, 3},
    "list": {1},
    "loop": {2, 4, 5, 6, 7},
    "map": {3, 4},
}


def alone(wire: bytes) -> bytes:
    """What the library would have written had the expression been this node alone."""
    kind = b"type.googleapis.com/cel.expr.ParsedExpr"
    return _written([(1, kind), (_PARSED, _written([(_EXPR, wire)]))])


def with_parts(node: Node, parts: Iterable[bytes]) -> bytes:
    """The node with these in the place of its parts, in their order."""
    if node.kind not in _PARTS:
        return node.wire
    left = iter(parts)

    def changed(number: int, value: bytes | int) -> bytes | int:
        if node.kind == "map":
            return _replaced(value, node.kind, left) if number == _NAME else value
        return next(left) if number in _PARTS[node.kind] else value

    return _written(
        (number, _written((n, changed(n, v)) for n, v in fields_of(value)))
        if isinstance(value, bytes)
        else (number, value)
        for number, value in fields_of(node.wire)
    )


def called(of: int, name: str, part: bytes, text: str) -> bytes:
    """A call of that function with a part and a text; the ids `of` and the next are nobody's."""
    constant = _written([(_ID, of + 1), (_CONST, _written([(_TEXT, text.encode())]))])
    call = [(_NAME, name.encode()), (_ARGUMENT, part), (_ARGUMENT, constant)]
    return _written([(_ID, of), (_CALL, _written(call))])


def _replaced(entry: bytes | int, kind: str, left: Iterable[bytes]) -> bytes:
    found = iter(left)
    return _written((n, next(found) if n in _PARTS[kind] else v) for n, v in fields_of(entry))


def _written(found: Iterable[tuple[int, bytes | int]]) -> bytes:
    """Fields as they are written: numbers as varints, all else with its length before it."""
    return b"".join(
        _varint(number << 3) + _varint(value)
        if isinstance(value, int)
        else _varint(number << 3 | 2) + _varint(len(value)) + value
        for number, value in found
    )


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:  # noqa: PLR2004 - seven bits at a time
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])
