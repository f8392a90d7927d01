"""HTML from values: every text is escaped where it enters, so nothing has to be remembered later.

What `core/texts/bounds.py` does not let print is shown by its escape; line ends and tabs stay.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from functions.core.texts import bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAYOUT = re.compile(r"([\n\t])")
_VOID = frozenset({"input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | int | Sequence[Child] | None"
Attribute: TypeAlias = "str | int | float | bool | None"


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element; `class_` stands for class, `_` in an attribute's name for a hyphen.

    None and False leave an attribute out, True gives it without a value.
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    return Markup(f"<{name}{given}>" + ("" if name in _VOID else f"{text(children)}</{name}>"))


def text(child: Child) -> Markup:
    """What stands between two tags."""
    if isinstance(child, Markup):
        return child
    if child is None:
        return Markup()
    if isinstance(child, str | int):
        return Markup(escape(visible(str(child))))
    return Markup("".join(map(text, child)))


def visible(told: str) -> str:
    """The text with every character that hides or turns others as its escape."""
    if told.isprintable():
        return bounds.visible(told)
    parts = _LAYOUT.split(told)
    return "".join(p if _LAYOUT.match(p) else bounds.visible(p) for p in parts)


def said(told: object) -> Markup:
    """A text from outside, which may run from right to left without turning what is around it."""
    return tag("bdi", str(told))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'
