"""What is wrong with a value from a route file, by its JSON Schema.

https://json-schema.org/draft/2020-12/json-schema-validation, as far as it is needed here.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.routes.file.document import At
    from functions.core.routes.file.shapes import Shape

    Faults = Iterator[tuple[At, str, bool]]

_SAID_AND_KINDS: Final[dict[type, tuple[str, ...]]] = {
    str: ("text", "string"),
    bool: ("true or false", "boolean"),
    int: ("a whole number", "integer", "number"),
    float: ("a number", "number"),
    dict: ("a mapping", "object"),
    list: ("a list", "array"),
    NoneType: ("empty", "null"),
}
_SAID = {kinds[0]: said for said, *kinds in _SAID_AND_KINDS.values()}


def faults(value: Any, shape: Shape, at: At = ()) -> Faults:  # noqa: ANN401 - from YAML
    """All that does not fit, and whether it is of the wrong kind, unknown or not there."""
    said, *kinds = _SAID_AND_KINDS[type(value)]
    options = {option["type"]: option for option in shape.get("anyOf", [shape])}
    fitting = next((options[kind] for kind in kinds if kind in options), None)
    if fitting is None:
        allowed = " or ".join(_SAID[kind] for kind in options)
        yield at, f"must be {allowed}, not {said}", True
        return
    if "if" in fitting:  # of two mappings, by a key that one of them has
        fitting = fitting["then" if set(fitting["if"]["required"]) <= value.keys() else "else"]
    yield from ((at, what, False) for what in _misfits(value, fitting))
    if isinstance(value, dict):
        yield from _faults_of_entries(value, fitting, at)
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from faults(item, fitting["items"], (*at, i))


def _near(key: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only where something is wrong

    return "".join(f"did you mean {n}? " for n in difflib.get_close_matches(key, known, 1))


def _faults_of_entries(value: dict[str, Any], shape: Shape, at: At) -> Faults:
    known = shape.get("properties", {})
    for key in shape.get("required", ()):
        if key not in value:
            yield (*at, key), f"is required: {known[key]['description']}", True
    for key, entry in value.items():
        below = known.get(key, shape["additionalProperties"])
        if below is False:
            yield (
                (*at, key),
                f"is no known key; {_near(key, known)}allowed: {', '.join(known)}",
                True,
            )
        elif below is not True:
            yield from faults(entry, below, (*at, key))


def _misfits(value: Any, shape: Shape) -> Iterator[str]:  # noqa: ANN401 - from YAML
    shown = f"`{bounded(value, 80)}`"
    if "pattern" in shape and not re.search(shape["pattern"], value):
        yield f"{shown} does not fit: {shape['description']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"{shown} is not known; allowed: {', '.join(map(str, shape['enum']))}"
    if "minimum" in shape and not shape["minimum"] <= value <= shape["maximum"]:
        yield f"{shown} must be from {shape['minimum']} to {shape['maximum']}"
    if "minItems" in shape and not value:
        yield "is an empty list: at least one is needed"
    if "minProperties" in shape and not value:
        yield "is an empty mapping: at least one entry is needed"
    for name in value if "propertyNames" in shape else ():
        yield from _misfits(name, shape["propertyNames"])
