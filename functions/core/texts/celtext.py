"""A part of a CEL expression as text again, for those who are told what is wrong with it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from functions.core.texts.celtree import INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.texts.celtree import Node

CONDITIONAL: Final = "_?_:_"
_LEVELS: Final = (
    (CONDITIONAL,),
    ("_||_",),
    ("_&&_",),
    ("_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in"),
    ("_+_", "_-_"),
    ("_*_", "_/_", "_%_"),
    ("!_", "-_"),
)
LEVEL: Final = {name: level for level, names in enumerate(_LEVELS) for name in names}
_HIGHEST: Final = len(_LEVELS)
_FORMS: Final = {  # what may be converted, and what a day lacks of a time
    "timestamp": (
        re.compile(r"\d{4}-\d\d-\d\d(?P<rest>T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?"),
        "T00:00:00Z",
    ),
    "duration": (re.compile(r"(?P<rest>-?(\d+(\.\d+)?(h|m|s|ms|us|ns))+)"), ""),
}
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


def shown(node: Node, level: int = 0) -> str:
    """The node as CEL, in brackets where it binds less than this level; a macro is only named."""
    text = _shown(node)
    return f"({text})" if LEVEL.get(node.name if node.kind == "call" else "", 99) < level else text


def quoted(text: str) -> str:
    """A text as a CEL constant."""
    return json.dumps(text, ensure_ascii=False)


def dotted(path: tuple[str, ...]) -> str:
    """A path as CEL: `run.tags["a.b"]`."""
    first, *names = path
    below = (f".{name}" if _WORD.fullmatch(name) else f"[{quoted(name)}]" for name in names)
    return first + "".join(below)


def operator(name: str) -> str:
    """`_>=_` as `>=`; a function's name as it is."""
    return "in" if name == "@in" else name.strip("_") if name in LEVEL else name


def as_kind(text: Node, function: str) -> str:
    """The text as what this function makes of it; "" for a constant of which it makes nothing."""
    if text.kind != "const":
        return f"{function}({shown(text)})"
    if function not in _FORMS:
        return _unquoted(text, function)
    form, more = _FORMS[function]
    found = form.fullmatch(str(text.value))
    return f"{function}({quoted(found[0] + ('' if found['rest'] else more))})" if found else ""


def _unquoted(node: Node, function: str) -> str:
    """A constant text that is a number, or a truth value, without its quotes."""
    if node.kind != "const" or function not in {"double", "bool"}:
        return ""
    told = str(node.value).strip()
    if function == "bool":
        return told.lower() if told.lower() in {"true", "false"} else ""
    try:
        return told if float(told) == float(told) else ""
    except ValueError:
        return ""


def converted(node: Node) -> str:
    """A comparison of two texts as one of numbers."""
    told = [_unquoted(part, "double") or f"double({shown(part)})" for part in node.parts]
    return f" {operator(node.name)} ".join(told)


def as_number(node: Node, kind: str) -> str:
    """A part of a sum, of this kind, as a number."""
    if kind == "double":
        return shown(node, 6)
    is_whole = isinstance(node.value, int) and not isinstance(node.value, bool)
    return f"{node.value}.0" if is_whole else f"double({shown(node)})"


def as_whole(node: Node, kind: str) -> str:
    """The same as a whole number."""
    return shown(node, 6) if kind in {"int", "uint"} else f"int({shown(node)})"


def _shown(node: Node) -> str:
    return _READERS[node.kind](node)


def _field(node: Node) -> str:
    name = node.name if _WORD.fullmatch(node.name) else f"`{node.name}`"
    return f"{shown(node.parts[0], _HIGHEST)}.{name}"


def _map(node: Node) -> str:
    pairs = zip(node.parts[::2], node.parts[1::2], strict=False)
    return f"{{{', '.join(f'{shown(key)}: {shown(value)}' for key, value in pairs)}}}"


def _called(node: Node) -> str:
    name, parts, level = node.name, node.parts, LEVEL.get(node.name)
    if name == CONDITIONAL:
        return f"{shown(parts[0], 1)} ? {shown(parts[1], 1)} : {shown(parts[2])}"
    if name == INDEX:
        return f"{shown(parts[0], _HIGHEST)}[{shown(parts[1])}]"
    if level is None:
        target, rest = (parts[0], parts[1:]) if node.is_member else (None, parts)
        before = f"{shown(target, _HIGHEST)}." if target else ""
        return f"{before}{name}({', '.join(map(shown, rest))})"
    if len(parts) == 1:
        return operator(name) + shown(parts[0], level)
    return f"{shown(parts[0], level)} {operator(name)} {shown(parts[1], level + 1)}"


def _constant(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return repr(value).replace("inf", "1e999")
    return f"b{quoted(str(value))}"


_READERS: Final[dict[str, Callable[[Node], str]]] = {
    "const": lambda node: _constant(node.value),
    "name": lambda node: node.name,
    "select": _field,
    "has": lambda node: f"has({_field(node)})",
    "list": lambda node: f"[{', '.join(map(shown, node.parts))}]",
    "map": _map,
    "call": _called,
    "loop": lambda node: f"a macro over {shown(node.parts[0])}",
}
