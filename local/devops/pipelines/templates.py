"""What a pipeline's YAML inserts by `${{ if … }}`, and what is refused since it did.

An entry of a list whose only key is an `if` is replaced by its own entries where that holds, and by
nothing where it does not. What is inserted and is neither a stage, a job nor a step ends the
compilation: so a template refuses a value before anything is queued.
https://learn.microsoft.com/azure/devops/pipelines/process/template-expressions#conditional-insertion
https://learn.microsoft.com/azure/devops/pipelines/process/templates#extend-from-a-template
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_IF = re.compile(r"\$\{\{\s*if\s+(?P<asked>.*\S)\s*\}\}", re.DOTALL)
_TOKEN = re.compile(r"('(?:[^']|'')*'|(?i:parameters\.)\w+|\w+(?=\s*\()|[(),]|(?i:true|false)\b)")
_STEPS = ("script", "bash", "pwsh", "powershell", "task", "checkout", "download", "publish")
_KINDS: Final = {
    "stages": ("stage", "template"),
    "jobs": ("job", "deployment", "template"),
    "steps": (*_STEPS, "downloadBuild", "getPackage", "reviewApp", "template"),
}
"""Lists of a pipeline, and the keys of which each of their entries has one."""
_FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "and": lambda *given: all(map(_truth, given)),
    "or": lambda *given: any(map(_truth, given)),
    "not": lambda given: not _truth(given),
    "contains": lambda text, part: _text(part) in _text(text),
    "startswith": lambda text, part: _text(text).startswith(_text(part)),
    "endswith": lambda text, part: _text(text).endswith(_text(part)),
    "eq": lambda one, other: _text(one) == _text(other),
    "ne": lambda one, other: _text(one) != _text(other),
}
"""Letters' case makes no difference to any of them.

https://learn.microsoft.com/azure/devops/pipelines/process/expressions#functions
"""


def refused(text: str, parameters: Mapping[str, str]) -> list[str]:
    """What the service says of each entry that is inserted and is none, with its place.

    Lists and mappings are parameters by their JSON text. Of other expressions nothing is said.
    """
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return []  # what is no YAML was told where its parameters were read
    return list(_below(root, "", parameters)) if root else []


def holds(asked: str, parameters: Mapping[str, str]) -> bool:
    """Whether an expression holds. ValueError where it is none that this service knows."""
    tokens = [found.strip() for found in _TOKEN.split(asked) if found.strip()]
    value, rest = _value(tokens, parameters)
    if rest:
        raise ValueError(f"Unexpected symbol: '{rest[0]}'")
    return _truth(value)


def _below(node: yaml.Node, at: str, known: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _below(value, str(key.value), known)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _of_entry(entry, at, known)


def _of_entry(entry: yaml.Node, at: str, known: Mapping[str, str]) -> Iterator[str]:
    asked = _asked(entry)
    if asked is None:
        yield from _below(entry, at, known)
        return
    try:
        is_inserted = holds(asked, known)
    except ValueError as error:
        yield f"{_place(entry)}: {error}"
        return
    inserted = entry.value[0][1].value if is_inserted else ()
    for one in inserted if isinstance(inserted, list) else ():
        yield from _unexpected(one, at)
        yield from _of_entry(one, at, known)


def _asked(entry: yaml.Node) -> str | None:
    """The expression of an entry that is one `if`."""
    if not isinstance(entry, yaml.MappingNode) or len(entry.value) != 1:
        return None
    found = _IF.fullmatch(str(entry.value[0][0].value).strip())
    return found["asked"] if found else None


def _unexpected(entry: yaml.Node, at: str) -> Iterator[str]:
    if at not in _KINDS or not isinstance(entry, yaml.MappingNode) or _asked(entry):
        return
    keys = [str(key.value) for key, _ in entry.value]
    if keys and not any(key in _KINDS[at] or key.startswith("${{") for key in keys):
        yield f"{_place(entry)}: Unexpected value '{keys[0]}'"


def _place(node: yaml.Node) -> str:
    mark = node.start_mark
    return f"(Line: {mark.line + 1}, Col: {mark.column + 1})"


def _value(tokens: Sequence[str], known: Mapping[str, str]) -> tuple[object, list[str]]:
    """The value that the tokens begin with, and the tokens after it."""
    first, rest = next(iter(tokens), ""), list(tokens[1:])
    if first.startswith("'"):
        return first[1:-1].replace("''", "'"), rest
    if first.lower().startswith("parameters."):
        return known.get(first[len("parameters.") :], ""), rest
    if first.lower() in {"true", "false"}:
        return first.lower() == "true", rest
    if first.lower() not in _FUNCTIONS or rest[:1] != ["("]:
        raise ValueError(f"Unrecognized value: '{first}'")
    given, rest = _given(rest[1:], known)
    return _FUNCTIONS[first.lower()](*given), rest


def _given(tokens: list[str], known: Mapping[str, str]) -> tuple[list[object], list[str]]:
    """What stands between brackets, and the tokens after them."""
    given: list[object] = []
    while tokens:
        value, tokens = _value(tokens, known)
        given.append(value)
        if tokens[:1] == [")"]:
            return given, tokens[1:]
        if tokens[:1] != [","]:
            break
        tokens = tokens[1:]
    raise ValueError("Unclosed function")


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else value != ""


def _text(value: object) -> str:
    return str(value).casefold()
