"""The pages for what went wrong: what it means, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from functions.core.operators.lists.commands import Command
from functions.web.html import Child, said, tag
from functions.web.layout import page
from functions.web.words import command

if TYPE_CHECKING:
    from collections.abc import Sequence


def trouble(title: str, told: str, do: str, keys: Sequence[str], typed: str) -> str:
    """A page that says what is wrong and what to do or type; `keys` are those to choose from."""
    choices: Child = None
    if keys:
        links = (tag("a", said(key), href="?" + urlencode({"key": key})) for key in keys)
        choices = tag("ul", *(tag("li", one) for one in links))
    code = command(Command(typed)) if typed else None
    back = tag("p", tag("a", "All continuations", href="?"))
    return page(title, tag("h1", title), tag("p", said(told)), tag("p", do), choices, code, back)
