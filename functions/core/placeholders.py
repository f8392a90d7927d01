"""`{{ fact }}`: a dotted fact name inside a text, and nothing more.

All that follows `run.tags.` is the tag's name, dots included; the same for metrics, params and
properties. What a fact holds is never looked at again: `{{ }}` inside it stays as it is.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from functions.core.errors import RelayError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_TEXT: Final = 32_768
"""A rendered text is cut here. One of this length is too large to be sent: nobody should."""

FIXED: Final = {
    "event": ("id", "type", "time", "subject"),
    "workspace": ("name", "resource_group", "subscription", "id"),
    "run": (
        *("id", "name", "status", "experiment", "type"),
        *("root_id", "parent_id", "start_time", "end_time", "url"),
    ),
    "model": ("name", "version", "run_id", "path", "flavors", "uri"),
}
FAMILIES: Final = ("run.metrics", "run.params", "run.tags", "run.properties")
FACTS: Final = (
    *(f"{root}.{name}" for root, names in FIXED.items() for name in names),
    *(f"{family}.*" for family in FAMILIES),
)
"""Every fact that can be named; `*` stands for a name that the run chose."""

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_ANY_CASE = (["tags"], ["properties"])


class MissingFact(RelayError):
    """A fact that a text names is not known, or is empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not known")
        self.name = name


def path_of(name: str) -> tuple[str, ...]:
    """`run.tags.a.b` as ("run", "tags", "a.b"), `model.name` as ("model", "name")."""
    for family in FAMILIES:
        if name.startswith(f"{family}."):
            return (*family.split("."), name[len(family) + 1 :])
    return tuple(name.split("."))


def named_in(value: object) -> frozenset[str]:
    """The facts that a text, or any text in a list or mapping, names."""
    return frozenset(
        found.group(1).strip() for text in _texts(value) for found in _PLACEHOLDER.finditer(text)
    )


def only_fact(value: object) -> str | None:
    """The fact's name where the value is exactly one placeholder."""
    found = _PLACEHOLDER.fullmatch(value.strip()) if isinstance(value, str) else None
    return found.group(1).strip() if found else None


def problems_of(value: object) -> list[str]:
    """What is wrong with the placeholders in a value of the route file."""
    wrong = [why for name in sorted(named_in(value)) if (why := unknown(name))]
    if any("{{" in _PLACEHOLDER.sub("", text) for text in _texts(value)):
        wrong.append("`{{` without a fact's name and `}}`: write {{ run.id }}")
    if any("{{" in key for key in _keys(value)):
        wrong.append("a key holds `{{`: only values may name facts")
    return wrong


def unknown(name: str) -> str | None:
    """Why this is no fact's name, with the nearest one that is; None when it is one."""
    path = path_of(name)
    shown = f"`{name[:60]}` is no fact"
    if name in FAMILIES or f"{name}*" in FACTS:
        return f"{shown}: say which one, as in {'.'.join(path[:2])}.NAME"
    if len(path) == 3 and ".".join(path[:2]) in FAMILIES:  # noqa: PLR2004 - root, family, name
        return None
    return None if name in FACTS else f"{shown}; {_nearest(name)}"


def _nearest(name: str) -> str:
    first_two = ".".join(name[:60].split(".")[:2])
    found = difflib.get_close_matches(f"{first_two}.*", FACTS, 1, 0.75) or (
        difflib.get_close_matches(name[:60], FACTS, 1, 0.6)
    )
    if found:
        return f"did you mean {found[0].replace('*', 'NAME')}?"
    return f"known are {', '.join(FACTS)}"


def render(value: object, facts: Mapping[str, Any]) -> str:
    """The text that a value of the route file becomes.

    `facts` is nested: facts["run"]["metrics"]["accuracy"]. Texts have their placeholders
    filled in, everything else is compact JSON (true, 3, {"a":"b"}). The result has at most
    LONGEST_TEXT characters. Raises MissingFact for a fact that is absent, None or "".
    """
    if isinstance(value, str):
        text = _filled(value, facts)
    elif isinstance(value, (dict, list, tuple)):
        text = as_text(_filled_within(value, facts))
    else:
        text = as_text(value)
    return text[:LONGEST_TEXT]


def look_up(name: str, facts: Mapping[str, Any]) -> object:
    """The value of a fact; raises MissingFact. Tags and properties are found in any case."""
    here: object = facts
    *above, last = path_of(name)
    for step in above:
        here = here.get(step) if isinstance(here, Mapping) else None
    if isinstance(here, Mapping):
        found = here.get(last)
        here = _in_any_case(last, here) if found is None and above[-1:] in _ANY_CASE else found
    else:
        here = None
    if here is None or here == "":
        raise MissingFact(name)
    return here


def _in_any_case(key: str, entries: Mapping[str, Any]) -> object:
    alike = sorted(k for k in entries if str(k).casefold() == key.casefold())
    return entries[alike[0]] if alike else None


def as_text(value: object) -> str:
    """A text as it is, all else as compact JSON; safe to encode."""
    text = (
        value
        if isinstance(value, str)
        else value.isoformat()
        if isinstance(value, datetime)
        else json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), default=str, skipkeys=True
        )
    )
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _filled(text: str, facts: Mapping[str, Any]) -> str:
    parts: list[str] = []
    length = at = 0
    for found in _PLACEHOLDER.finditer(text):
        fact = as_text(look_up(found.group(1).strip(), facts))[:LONGEST_TEXT]
        if length <= LONGEST_TEXT:  # past it only the missing facts still matter
            parts += (text[at : found.start()], fact)
        length += found.start() - at + len(fact)
        at = found.end()
    return as_text("".join((*parts, text[at:])))


def _filled_within(value: object, facts: Mapping[str, Any]) -> object:
    if isinstance(value, str):
        return _filled(value, facts)
    if isinstance(value, dict):
        return {key: _filled_within(entry, facts) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled_within(entry, facts) for entry in value]
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry)


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield str(key)
            yield from _keys(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _keys(entry)
