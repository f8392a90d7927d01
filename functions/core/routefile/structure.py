"""Plain data into the shapes of `wire`, with messages for people who write YAML."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from functions.core.routefile.wire import SHAPES, keys_of
from functions.core.values import bounded

if TYPE_CHECKING:
    from functions.core.routefile.notes import At, Notes

T = TypeVar("T")

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<key>key in )?\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]|(?P<some>\[\.\.\.\])")
_TYPES = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`")
_FIELD = re.compile(r"Object (?P<how>missing required|contains unknown) field `(?P<name>.*)`")
_AS_PEOPLE_SAY = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}


def shaped(data: object, shape: type[T], at: At, notes: Notes) -> T | None:
    """The data as `shape`; None after noting the first thing that does not fit."""
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        where, what = _place(str(error), data, shape)
        _explain(what, (*at, *where), notes)
        return None


def _place(message: str, data: object, shape: type) -> tuple[At, str]:
    found = _PLACE.match(message)
    if found is None:  # pragma: no cover - the pattern fits every text
        return (), message
    where: list[str | int] = []
    for step in _STEP.finditer(found["path"] or ""):
        if step["some"]:  # msgspec does not say which key of a mapping it was
            where.append(_culprit(data, where, message, shape))
        else:
            where.append(step["name"] or int(step["index"]))
    return tuple(where), found["what"]


def _culprit(data: object, where: At | list[str | int], message: str, shape: type) -> str:
    for key in _at(data, where):
        try:
            msgspec.convert(_only(data, where, key), shape)
        except msgspec.ValidationError as error:
            if str(error) == message:
                return str(key)
    return "..."


def _at(data: object, where: At | list[str | int]) -> dict[str, object]:
    for step in where:
        data = data[step]  # type: ignore[index]  # msgspec went the same way
    return data if isinstance(data, dict) else {}


def _only(data: object, where: At | list[str | int], key: str) -> object:
    """A copy in which the mapping at `where` has only this key."""
    if not where:
        return {key: data[key]}  # type: ignore[index]
    step, *rest = where
    copy = dict(data) if isinstance(data, dict) else list(data)  # type: ignore[call-overload]
    copy[step] = _only(copy[step], rest, key)
    return copy


def _explain(what: str, at: At, notes: Notes) -> None:
    if types := _TYPES.match(what):
        notes.problem(at, f"must be {_said(types['expected'])}, not {_said(types['got'])}")
    elif (fault := _FIELD.match(what)) and fault["how"] == "missing required":
        notes.problem((*at, fault["name"]), "is required")
    elif fault:
        notes.problem((*at, fault["name"]), unknown_key(fault["name"], at))
    else:
        notes.problem(at, bounded(what))


def unknown_key(name: str, at: At) -> str:
    """Says which keys are known where this one stands."""
    above = [step for step in at if step in SHAPES]
    known = keys_of(str(above[-1]) if above else "")
    near = difflib.get_close_matches(name, known, 1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    return f"is no known key; {guess}allowed: {', '.join(known)}"


def _said(types: str) -> str:
    return " or ".join(_AS_PEOPLE_SAY.get(t, t) for t in types.split(" | "))
