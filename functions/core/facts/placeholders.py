"""`{{ fact }}`: a dotted fact name inside a text, and nothing more.

All that follows `run.tags.` is the tag's name, dots included; the same for metrics, params and
properties. What a fact holds is never looked at again: `{{ }}` inside it stays as it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, ValuesView
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from functions.core.facts import unusable, vocabulary
from functions.core.terms.errors import RelayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_TEXT: Final = 32_768
"""A rendered text is cut here. One of this length is too large to be sent: nobody should."""

FIXED: Final = {root: vocabulary.named_below(root) for root in vocabulary.ROOTS}
FAMILIES: Final = tuple(map(".".join, vocabulary.FAMILIES))
FACTS: Final = tuple(fact.name for fact in vocabulary.TABLE)
"""Every fact that can be named; `*` stands for a name that the run chose."""

NOT_KNOWN: Final = "is not known"
_MAPS = (dict, Mapping)  # most are dicts, which is told at once
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str, skipkeys=True)
IN_ANY_CASE: Final = (("run", "tags"), ("run", "properties"))
"""Whose names are found in any case: the keys of an event arrive with theirs changed."""


class MissingFact(RelayError):
    """A fact that a text names is not known, or is empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} {NOT_KNOWN}")
        self.name = name


@lru_cache(maxsize=1024)
def path_of(name: str) -> tuple[str, ...]:
    """`run.tags.a.b` as ("run", "tags", "a.b"), `model.name` as ("model", "name")."""
    family = next((family for family in FAMILIES if name.startswith(f"{family}.")), None)
    return tuple(name.split(".", family.count(".") + 1 if family else -1))


def named_in(value: object) -> frozenset[str]:
    """The facts that a text, or any text in a list or mapping, names."""
    texts = (part for part in _within(value) if isinstance(part, str))
    return frozenset(name.strip() for text in texts for name in _PLACEHOLDER.findall(text))


def only_fact(value: object) -> str | None:
    """The fact's name where the value is exactly one placeholder."""
    found = _PLACEHOLDER.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1].strip() if found else None


def written(value: object) -> str:
    """What a value of the route file says itself, as text, with `_` for each placeholder."""
    return _PLACEHOLDER.sub("_", as_text(value))


def alike_written(text: str) -> str:
    """The text with its placeholders written alike, and what stands between them in one case.

    Two that name the same group are equal.
    """
    parts = enumerate(_PLACEHOLDER.split(text))
    alike = (f"{{{{ {p.strip()} }}}}" if n % 2 else p.casefold() for n, p in parts)
    return "".join(alike).strip()


def problems_of(value: object) -> list[str]:
    """What is wrong with the placeholders in a value of the route file."""
    wrong = [why for name in sorted(named_in(value)) if (why := unknown(name))]
    for part in _within(value):
        if isinstance(part, str) and "{{" in _PLACEHOLDER.sub("", part):
            wrong.append("`{{` without a fact's name and `}}`: write {{ run.id }}")
        if isinstance(part, dict) and any("{{" in key for key in part):
            wrong.append("a key holds `{{`: only values may name facts")
    return wrong


def unknown(name: str) -> str | None:
    """Why this is no fact's name, with the nearest one that is; None when it is one."""
    path = path_of(name)
    families = (".".join(path[:end]) for end in range(2, len(path) + 1))
    family = next((one for one in families if one in FAMILIES), ".".join(path[:2]))
    if name in FACTS or (family in FAMILIES and any(path[family.count(".") + 1 :])):
        return None
    if family in FAMILIES:
        return f"`{family}` is no fact: say which one, as in {family}.NAME"
    return f"`{name[:60]}` is no fact; {_near(family) or 'known are ' + ', '.join(FACTS)}"


def _near(family: str) -> str:
    import difflib  # noqa: PLC0415 - only where something is wrong

    known = {fact.removesuffix(".*"): fact.replace("*", "NAME") for fact in FACTS}
    near = difflib.get_close_matches(family[:60], known, 1)
    return "".join(f"did you mean {known[name]}?" for name in near)


def render(value: object, facts: Mapping[str, Any]) -> str:
    """The text that a value of the route file becomes.

    `facts` is nested: facts["run"]["metrics"]["accuracy"]. Texts have their placeholders
    filled in, everything else is compact JSON (true, 3, {"a":"b"}). The result has at most
    LONGEST_TEXT characters. Raises MissingFact for a fact that is absent, None or "", and Unusable.
    """
    return _sent(_filled(value, facts))[:LONGEST_TEXT]


def look_up(name: str, facts: Mapping[str, Any]) -> object:
    """The value of a fact; raises MissingFact, and Unusable for what is no number or was cut.

    Tags and properties are found in any case.
    """
    *above, last = path_of(name)
    family = found_at(above, facts)
    found = found_at((last,), family)
    if found is None and tuple(above) in IN_ANY_CASE and isinstance(family, Mapping):
        found = family.get(alike(family, last))
    if found is None or found == "":
        raise MissingFact(name)
    if wrong := unusable.why((*above, last), found, facts):
        raise wrong
    return found


def alike(family: Mapping[str, Any], name: str) -> str | None:
    """The key that is meant by a name in any case: itself, else the first in order; or None."""
    if name in family:
        return name
    folded = name.casefold()
    return min((key for key in family if str(key).casefold() == folded), default=None)


def found_at(path: Iterable[str], facts: object) -> object:
    """What stands at the path in nested mappings; None where there is nothing."""
    for key in path:
        facts = facts.get(key) if isinstance(facts, _MAPS) else None
    return facts


def as_text(value: object) -> str:
    """A text as it is, all else as compact JSON; safe to encode."""
    text = value if isinstance(value, str) else _JSON.encode(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _sent(value: object) -> str:
    """A number without an exponent, which Azure Pipelines takes for none; all else as its text."""
    if isinstance(value, float) and math.isfinite(value) and "e" in repr(value):
        return format(Decimal(repr(value)), "f")
    return as_text(value)


def _filled(value: object, facts: Mapping[str, Any]) -> object:
    if isinstance(value, str):
        return _filled_text(value, facts)
    if isinstance(value, dict):
        return {key: _filled(entry, facts) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(entry, facts) for entry in value]
    return value


def _filled_text(text: str, facts: Mapping[str, Any]) -> str:
    room = LONGEST_TEXT

    def fact(found: re.Match[str]) -> str:
        nonlocal room
        filled = _sent(look_up(found[1].strip(), facts))[:room]
        room -= len(filled)  # where none is left only the missing facts still matter
        return filled

    return _PLACEHOLDER.sub(fact, text)


def _within(value: object) -> Iterator[object]:
    """The value, and every value in its lists and mappings."""
    yield value
    below = value.values() if isinstance(value, dict) else value
    for entry in below if isinstance(below, (list, tuple, ValuesView)) else ():
        yield from _within(entry)
