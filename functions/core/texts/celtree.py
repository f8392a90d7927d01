"""A compiled CEL expression as a tree, read from what the CEL library itself parsed.

The library writes a compiled expression as a protobuf, of which a few fields are needed here.
https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fields = list[tuple[int, int | bytes]]

_ANY_VALUE, _EXPR, _SOURCE = 2, 2, 3  # of Any, and of ParsedExpr
_POSITIONS = 4  # of SourceInfo: where each node begins, in characters
_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _LOOP = range(3, 10)  # of Expr
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
INDEX: Final = "_[_]"


class Node(NamedTuple):
    """One node. `kind` is const, name, select, has, call, list, map or loop.

    `name` is an identifier, a field, a function or a loop's variables; `parts` are the operand, the
    target and the arguments, the elements, or a loop's range, beginning, condition, step and
    result. `wire` is the node as the library wrote it.
    """

    id: int
    kind: str
    wire: bytes
    name: str = ""
    value: object = None
    parts: tuple[Node, ...] = ()
    is_member: bool = False


class Tree(NamedTuple):
    """The whole expression: its root, and where each node begins, in characters."""

    root: Node
    positions: dict[int, int]


def read(serialized: bytes) -> Tree:
    """The tree of an expression that was compiled without a check and serialized."""
    fields = fields_of(_only(fields_of(serialized), _ANY_VALUE))
    source = fields_of(_only(fields, _SOURCE))
    entries = [fields_of(value) for number, value in source if number == _POSITIONS]
    positions = {_number(entry, 1): _number(entry, 2) for entry in entries}
    return Tree(_node(_only(fields, _EXPR)), positions)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, the inner ones first."""
    for part in node.parts:
        yield from walk(part)
    yield node


def paths_in(node: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Each chain of fixed names as a whole, with the node at its end."""
    if path := path_of(node):
        yield node, path
        return
    for part in node.parts:
        yield from paths_in(part)


def path_of(node: Node) -> tuple[str, ...]:
    """`run.tags["a.b"]` as ("run", "tags", "a.b"); empty for what is no chain of fixed names."""
    if node.kind == "name":
        return (node.name,)
    if node.kind in {"select", "has"}:
        above = path_of(node.parts[0])
        return (*above, node.name) if above else ()
    if node.kind == "call" and node.name == INDEX and isinstance(node.parts[1].value, str):
        above = path_of(node.parts[0])
        return (*above, node.parts[1].value) if above else ()
    return ()


def _node(wire: bytes) -> Node:
    fields = fields_of(wire)
    known = [(n, value) for n, value in fields if isinstance(value, bytes)]
    number, body = known[0] if known else (_CONST, b"")
    read = _READERS[number]
    return read(_number(fields, 2), wire, fields_of(body))


def _const(of: int, wire: bytes, fields: Fields) -> Node:
    number, value = fields[0] if fields else (1, 0)
    read = _CONSTANTS.get(number)
    return Node(of, "const", wire, value=read(value) if read else value)


def _ident(of: int, wire: bytes, fields: Fields) -> Node:
    return Node(of, "name", wire, name=_text(_only(fields, 1)))


def _select(of: int, wire: bytes, fields: Fields) -> Node:
    kind = "has" if _number(fields, 3) else "select"
    return Node(of, kind, wire, name=_text(_only(fields, 2)), parts=(_node(_only(fields, 1)),))


def _call(of: int, wire: bytes, fields: Fields) -> Node:
    parts = tuple(_node(_as_bytes(v)) for n in (1, 3) for m, v in fields if m == n)
    is_member = any(number == 1 for number, _ in fields)
    return Node(of, "call", wire, name=_text(_only(fields, 2)), parts=parts, is_member=is_member)


def _list(of: int, wire: bytes, fields: Fields) -> Node:
    parts = tuple(_node(_as_bytes(value)) for number, value in fields if number == 1)
    return Node(of, "list", wire, parts=parts)


def _struct(of: int, wire: bytes, fields: Fields) -> Node:
    """Keys and values in turn; of a message the values alone."""
    entries = [fields_of(_as_bytes(value)) for number, value in fields if number == 2]  # noqa: PLR2004
    found = [v for entry in entries for n, v in entry if n in {3, 4}]
    return Node(of, "map", wire, parts=tuple(_node(_as_bytes(value)) for value in found))


def _loop(of: int, wire: bytes, fields: Fields) -> Node:
    names = ",".join(_text(value) for number, value in fields if number in {1, 3, 8})
    parts = tuple(_node(_only(fields, number)) for number in (2, 4, 5, 6, 7))
    return Node(of, "loop", wire, name=names, parts=parts)


_READERS: Final[dict[int, Callable[[int, bytes, Fields], Node]]] = {
    _CONST: _const,
    _IDENT: _ident,
    _SELECT: _select,
    _CALL: _call,
    _LIST: _list,
    _STRUCT: _struct,
    _LOOP: _loop,
}


def fields_of(wire: bytes | int) -> Fields:
    """The fields of a message by their numbers: varints as numbers, all else as bytes."""
    wire, at, found = _as_bytes(wire), 0, list[tuple[int, int | bytes]]()
    while at < len(wire):
        tag, at = _varint(wire, at)
        if tag & 7 == _VARINT:
            value, at = _varint(wire, at)
            found.append((tag >> 3, value))
            continue
        size, at = _varint(wire, at) if tag & 7 == _BYTES else (4 if tag & 7 == _FIXED32 else 8, at)
        found.append((tag >> 3, wire[at : at + size]))
        at += size
    return found


def _varint(wire: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = wire[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:  # noqa: PLR2004 - the last one
            return value, at


def _only(fields: Fields, number: int) -> bytes:
    return next((_as_bytes(value) for n, value in fields if n == number), b"")


def _number(fields: Fields, number: int) -> int:
    return next((v for n, v in fields if n == number and isinstance(v, int)), 0)


def _as_bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _signed(value: int | bytes) -> int:
    assert isinstance(value, int)  # noqa: S101 - a varint, for the type checker
    return value - (1 << 64) if value >> 63 else value


def _double(value: int | bytes) -> float:
    return float(struct.unpack("<d", _as_bytes(value))[0])


def _text(value: int | bytes) -> str:
    return _as_bytes(value).decode("utf-8")


_CONSTANTS: Final[dict[int, Callable[[int | bytes], object]]] = {
    1: lambda _: None,
    2: bool,
    3: _signed,
    5: _double,
    6: _text,
}
