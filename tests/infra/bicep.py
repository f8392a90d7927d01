"""Bicep as data: what a file declares, read with the grammar that editors use.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/file
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from tests.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INFRA = ROOT / "infra"
PARSER = Parser(Language(tree_sitter_bicep.language()))
_WRAPPERS = {"for_statement", "if_statement", "if_expression", "parenthesized_expression"}


class Code(str):
    """An expression that only a deployment can evaluate, as it is written."""

    __slots__ = ()


@dataclass(frozen=True)
class Declared:
    """A parameter, variable, resource, module, output or type of a file."""

    file: str
    kind: str
    name: str
    node: Node
    decorators: tuple[str, ...] = ()
    below: str = ""

    @property
    def text(self) -> str:
        """As it is written, without its decorators."""
        return _text(self.node)

    @property
    def description(self) -> str:
        """What it says of itself."""
        return self.decorated("description").strip("'")

    @property
    def target(self) -> str:
        """What stands in quotes: a resource's type with its version, a module's path."""
        own = str(value(next(c for c in self.node.named_children if c.type == "string")))
        if not self.below or "/" in own:
            return own
        base, _, version = self.below.partition("@")
        return f"{base}/{own}@{version}"

    @property
    def is_existing(self) -> bool:
        """Whether it is only looked up."""
        return "existing" in [_text(child) for child in self.node.children]

    @property
    def body(self) -> dict[str, Any]:
        """The properties, through `if` and `for`."""
        return _properties(_body(self.node))

    @property
    def given(self) -> Any:
        """What stands behind the equals sign; None if nothing does."""
        if "=" not in [_text(child) for child in self.node.children]:
            return None
        return value(self.node.named_children[-1])

    def decorated(self, name: str) -> str:
        """What a decorator says, as it is written; empty without it."""
        found = (d for d in self.decorators if d.startswith(f"{name}("))
        return next((d[len(name) + 1 : -1] for d in found), "")


@cache
def declared(path: Path, *kinds: str) -> tuple[Declared, ...]:
    """What a file declares of these kinds, nested resources too, in its order."""
    tree = PARSER.parse(path.read_bytes())
    assert not tree.root_node.has_error, path
    found = _declared(tree.root_node, path.relative_to(INFRA).as_posix())
    return tuple(each for each in found if not kinds or each.kind in kinds)


def everywhere(*kinds: str) -> list[Declared]:
    """What all files declare of these kinds."""
    return [each for path in files() for each in declared(path, *kinds)]


def files() -> list[Path]:
    """Every Bicep file."""
    return sorted(INFRA.rglob("*.bicep"))


def one(file: str, kind: str, name: str) -> Declared:
    """The declaration of that name."""
    (found,) = (each for each in declared(INFRA / file, kind) if each.name == name)
    return found


def takes_default(parameter: Declared) -> bool:
    """Whether it may be left out."""
    return parameter.given is not None or parameter.text.endswith("?")


def value(node: Node) -> Any:
    """A literal as Python has it; any other expression as `Code`."""
    match node.type:
        case "object":
            return _properties(node)
        case "array":
            return [value(child) for child in node.named_children]
        case "string" if "${" not in _text(node):
            return re.sub(r"\\(.)", r"\1", _text(node)[1:-1])
        case "number":
            return int(_text(node))
        case "boolean":
            return _text(node) == "true"
    return Code(_text(node))


def _declared(node: Node, file: str, below: str = "") -> Iterator[Declared]:
    decorators: tuple[str, ...] = ()
    for child in node.named_children:
        kind, is_declaration, _ = child.type.partition("_declaration")
        if child.type == "decorators":
            decorators = tuple(_text(d).removeprefix("@") for d in child.named_children)
            continue
        inner = below
        if is_declaration and kind != "metadata":
            name = _text(child.named_children[0])
            each = Declared(file, kind, name, child, decorators, below)
            yield each
            inner = each.target if kind == "resource" else below
        yield from _declared(child, file, inner)
        decorators = ()


def _body(node: Node) -> Node | None:
    for child in node.named_children:
        if child.type == "object":
            return child
        if child.type in _WRAPPERS and (found := _body(child)):
            return found
    return None


def _properties(node: Node | None) -> dict[str, Any]:
    found = {}
    for child in node.named_children if node else ():
        if (
            child.type == "object_property"
            and child.named_children[0].type != "resource_declaration"
        ):
            key = child.named_children[0]
            name = value(key) if key.type == "string" else _text(key)
            found[str(name)] = value(child.named_children[-1])
    return found


def _text(node: Node) -> str:
    return (node.text or b"").decode()
