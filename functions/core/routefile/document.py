"""A YAML text as plain data, with the line of everything in it.

Where YAML 1.1 (PyYAML) and YAML 1.2 (most editors) read a word differently, the word is refused
and its meaning explained: nobody should have to know which one reads the file.
https://yaml.org/spec/1.2.2/ext/changes/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from functions.core.errors import RoutesUnreadable
from functions.core.routefile.notes import Note, Notes
from functions.core.values import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.routefile.notes import At

LONGEST_FILE: Final = 1_000_000
DEEPEST: Final = 30
MOST_VALUES: Final = 200_000

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_KEYWORDS: Final[dict[str, object]] = {"true": True, "false": False}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FRACTION = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]*([eE][-+]?[0-9]{1,2})?")


class Document:
    """What the text says (`data`), and on which line it says it."""

    def __init__(self, root: yaml.Node | None, file: str) -> None:
        self._root = root
        self.notes = Notes(self.line_of, file)
        self._values = 0
        self.data = None if root is None else self._plain(root, ())

    def line_of(self, at: At) -> int:
        """The line of a key or item, or of the nearest thing around it that exists."""
        node, line = self._root, 1
        for step in at:
            found = _below(node, step)
            if found is None:
                break
            line, node = found
        return line

    def _plain(self, node: yaml.Node, at: At) -> object:
        self._values += 1
        if len(at) > DEEPEST:
            self._too_much(node, at, f"nested more than {DEEPEST} deep")
        if self._values > MOST_VALUES:
            self._too_much(node, at, f"more than {MOST_VALUES} values, aliases counted")
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return dict(self._entries(node, at))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self._plain(item, (*at, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _entries(self, node: yaml.MappingNode, at: At) -> Iterator[tuple[str, object]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, at)
            if key is None:
                continue
            if key in first:
                what = f"stands twice in this mapping, first on line {first[key]}"
                self.notes.problem((*at, key), what, _line(key_node))
            first.setdefault(key, _line(key_node))
            yield key, self._plain(value_node, (*at, key))

    def _key(self, node: yaml.Node, at: At) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}str":
            return self._text(node, at)
        self.notes.problem(at, _why_no_key(node), _line(node))
        return None

    def _scalar(self, node: yaml.Node, at: At) -> object:
        kind = node.tag.removeprefix(_TAG)
        if not isinstance(node, yaml.ScalarNode) or kind not in _READERS:
            shown = node.tag.replace(_TAG, "!!")
            self.notes.problem(at, f"the tag {bounded(shown, 60)} is not supported", _line(node))
            return None
        if kind in ("str", "timestamp", "value", "merge"):
            return self._text(node, at)
        value = _READERS[kind](node.value)
        if value is _OTHERWISE:
            what = f"`{bounded(node.value, 40)}` {_READ_DIFFERENTLY[kind]}"
            self.notes.problem(at, what, _line(node))
            return None
        return value

    def _text(self, node: yaml.ScalarNode, at: At) -> str:
        text = str(node.value)
        if any("\ud800" <= c <= "\udfff" for c in text):
            self.notes.problem(at, "holds half a character (a lone surrogate)", _line(node))
            return ""
        return text

    def _too_much(self, node: yaml.Node, at: At, what: str) -> None:
        self.notes.problem(at[:DEEPEST], f"is {what}", _line(node))
        self.notes.refuse()


_OTHERWISE = object()


def _whole(text: str) -> object:
    return int(text) if _WHOLE.fullmatch(text) else _OTHERWISE


def _fraction(text: str) -> object:
    return float(text) if _FRACTION.fullmatch(text) else _OTHERWISE


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "str": str,
    "timestamp": str,
    "value": str,
    "merge": str,
    "null": lambda _: None,
    "bool": lambda text: _KEYWORDS.get(text.lower(), _OTHERWISE),
    "int": _whole,
    "float": _fraction,
}
_READ_DIFFERENTLY = {
    "bool": 'is a truth value in YAML 1.1 and text in YAML 1.2: write true, false or "quotes"',
    "int": 'is a number that not every YAML reads alike: write it in decimal or in "quotes"',
    "float": 'is a number that not every YAML reads alike: write it in decimal or in "quotes"',
}


def _why_no_key(node: yaml.Node) -> str:
    shown = f"`{bounded(node.value, 40)}:`" if isinstance(node, yaml.ScalarNode) else "this key"
    if node.tag == f"{_TAG}merge":
        return "`<<` is not supported: write the keys out, or use `defaults`"
    if node.tag != f"{_TAG}bool":
        return f'{shown} is no text: keys are text, put it in "quotes"'
    instead = "; a route says `outcome:` (or `event:`)" if node.value.lower() == "on" else ""
    return f"{shown} is read as true or false by YAML 1.1, not as text{instead or ': quote it'}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _below(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return _line(key), value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return _line(node.value[step]), node.value[step]
    return None


def parse(text: str, file: str, loader: Any = LOADER) -> Document:  # noqa: ANN401 - C or Python
    """The text as data; look at `notes` before using it. Raises RoutesUnreadable if no YAML."""
    try:
        _check_size(text, file, loader)
        return Document(yaml.compose(text, Loader=loader), file)
    except yaml.MarkedYAMLError as error:
        what = " ".join(filter(None, (error.problem, error.context)))
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        raise _refused(f"is no YAML: {what}", line, file) from None
    except (yaml.YAMLError, UnicodeError) as error:
        what = str(error).split("\n", maxsplit=1)[0]
        raise _refused(f"is no YAML: {bounded(what, 200)}", 1, file) from None


def _check_size(text: str, file: str, loader: Any) -> None:  # noqa: ANN401 - C or Python
    """The C loader would exhaust its stack on a text that is nested deep enough."""
    if len(text) > LONGEST_FILE:
        raise _refused(f"is longer than {LONGEST_FILE} characters", 1, file)
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _refused(f"is nested more than {DEEPEST} deep", line, file)


def _refused(what: str, line: int, file: str) -> RoutesUnreadable:
    return RoutesUnreadable([Note(line, "", f"the file {what}").text(file)])
