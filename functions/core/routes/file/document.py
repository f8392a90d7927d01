"""A YAML text as plain data, with the line of everything in it.

Where YAML 1.1 (PyYAML) and YAML 1.2 (most editors) read a word differently, the word is refused
and its meaning explained: nobody should have to know which one reads the file.
https://yaml.org/spec/1.2.2/ext/changes/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from functions.core.terms.errors import RoutesUnreadable
from functions.core.texts.bounds import bounded
from functions.core.texts.yamltext import LOADER, MOST_VALUES, TAG, NotYaml, composed, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    At = tuple[str | int, ...]
    Said = tuple[int, str, str]  # line, path and what is wrong

DEEPEST: Final = 30
MOST_LINES: Final = 100
MOST_PLACES: Final = 8  # of mistakes of one kind, beside the first

_KIND = re.compile(r"`[^`]*`")  # what differs between mistakes of one kind
_ODD_WORD = 'is a truth value in YAML 1.1 and text in YAML 1.2: write true, false or "quotes"'
_ODD_NUMBER = 'is a number that not every YAML reads alike: write it in decimal or in "quotes"'
_NEWER_NUMBER = 'is text here, and a number in YAML 1.2: write it in decimal or in "quotes"'
_OF_NEWER = re.compile(  # https://yaml.org/spec/1.2.2/#1032-tag-resolution
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII
)
_TAGGED = re.compile(r":\s+!(?!!)")
_MARKED = '; text that begins with `!` is written in "quotes"'
_HALF = "holds half a character (a lone surrogate)"
_NO_TEXT = 'is no text: keys are text, put it in "quotes"'
_WHOLE = r"[-+]?(0|[1-9][0-9]{0,18})"
_FRACTION = r"[-+]?((0|[1-9][0-9]{0,99})\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?"
_READERS: Final[dict[str, tuple[str, Callable[[str], object], str]]] = {
    **dict.fromkeys(("str", "timestamp", "value", "merge"), ("[^\ud800-\udfff]*", str, _HALF)),
    "null": ("(?s:.*)", lambda _: None, ""),
    "bool": ("(?i:true|false)", lambda text: text.lower() == "true", _ODD_WORD),
    "int": (_WHOLE, int, _ODD_NUMBER),
    "float": (_FRACTION, float, _ODD_NUMBER),
}
_NO_KEYS: Final = {
    "str": _HALF,
    "merge": "is not supported: write the keys out, or use `defaults`",
    "bool": 'is true or false to YAML 1.1: put it in "quotes"; a route says `outcome:`, not `on:`',
}


class Document:
    """What the text says (`data`), what is to be said about it, and what is `doubtful`."""

    def __init__(self, root: yaml.Node | None, file: str) -> None:
        self._file = file
        self._lines: dict[At, int] = {}
        self._said: set[tuple[int, str, str]] = set()
        self.doubtful: list[tuple[At, str]] = []
        self.data = None if root is None else self._plain(root, (), 1)

    def say(self, at: At, what: str, line: int = 0) -> None:
        """Say something about a key, on its line or on that of what is around it."""
        lines = (self._lines.get(at[:n], 0) for n in range(len(at), 0, -1))
        where = "".join(f"[{s}]" if isinstance(s, int) else f".{bounded(s, 60)}" for s in at)
        self._said.add((line or next(filter(None, lines), 1), where.removeprefix("."), what))

    def told(self) -> list[str]:
        """All that was said, by line, as `FILE:LINE: path: what`."""
        return [_told(self._file, *said) for said in sorted(self._said)]

    def taken(self) -> list[str]:
        """The same as mistakes, those of one kind together, and no longer said."""
        lines = [_told(self._file, *said) for said in _together(sorted(self._said))]
        if more := lines[MOST_LINES:]:
            lines[MOST_LINES:] = [f"{self._file}: and {len(more)} more problems"]
        self._said.clear()
        return lines

    def refuse(self) -> None:
        """Raise RoutesUnreadable if anything was said."""
        if lines := self.taken():
            raise RoutesUnreadable(lines)

    def _plain(self, node: yaml.Node, at: At, line: int) -> object:
        self._lines[at] = line
        if len(at) > DEEPEST or len(self._lines) > MOST_VALUES:
            what = f"nested more than {DEEPEST} deep or more than {MOST_VALUES} values"
            raise _refused(self._file, line, f"is {what}, aliases counted")
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return dict(self._entries(node, at))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self._plain(item, (*at, i), line_of(item)) for i, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _entries(self, node: yaml.MappingNode, at: At) -> Iterator[tuple[str, object]]:
        for key, value in node.value:
            below = (*at, key.value)
            if why := _why_no_key(key):
                self.say(at, why, line_of(key))
            elif below in self._lines:
                what = f"stands twice in this mapping, first on line {self._lines[below]}"
                self.say(below, what, line_of(key))
            else:
                yield key.value, self._plain(value, below, line_of(key))

    def _scalar(self, node: yaml.Node, at: At) -> object:
        kind = node.tag.replace(TAG, "")
        if kind not in _READERS or not isinstance(node, yaml.ScalarNode):
            tag = bounded(node.tag.replace(TAG, "!!"), 60)
            marked = _MARKED if tag.startswith("!") and not tag.startswith("!!") else ""
            self.say(at, f"the tag {tag} is not supported{marked}", line_of(node))
            return None
        form, read, why = _READERS[kind]
        if kind == "str" and not node.style and _OF_NEWER.fullmatch(node.value):
            self.doubtful.append((at, f"`{bounded(node.value, 40)}` {_NEWER_NUMBER}"))
        if re.fullmatch(form, node.value):
            return read(node.value)
        self.say(at, f"`{bounded(node.value, 40)}` {why}", line_of(node))
        return None


def _together(said: Iterable[Said]) -> Iterator[Said]:
    """Mistakes of one kind as one, with the places of the others behind the first."""
    kinds: dict[tuple[str, str], list[Said]] = {}
    for one in said:
        key = one[1].rpartition(".")[2].partition("[")[0]
        kinds.setdefault((key, _KIND.sub("``", one[2])), []).append(one)
    for (line, where, what), *more in kinds.values():
        also = [f"{at} (line {on})" for on, at, _ in more[:MOST_PLACES]]
        also += [f"{len(more) - MOST_PLACES} more"] if len(more) > MOST_PLACES else []
        yield line, where, f"{what}; the same: {', '.join(also)}" if also else what


def _why_no_key(node: yaml.Node) -> str:
    kind = node.tag.replace(TAG, "") if isinstance(node, yaml.ScalarNode) else ""
    if kind == "str" and re.fullmatch(_READERS["str"][0], node.value):
        return ""
    shown = f"`{bounded(node.value, 40)}:`" if kind else "this key"
    return f"{shown} {_NO_KEYS.get(kind, _NO_TEXT)}"


def parse(text: str, file: str, loader: Any = LOADER) -> Document:  # noqa: ANN401 - C or Python
    """The text as data; to be `refuse`d before it is used. Raises RoutesUnreadable if no YAML."""
    try:
        return Document(composed(text, deepest=DEEPEST, loader=loader), file)
    except NotYaml as error:
        there = "".join(text.split("\n")[error.line - 1 : error.line])  # it may end before that
        marked = _MARKED if _TAGGED.search(there) else ""
        raise _refused(file, error.line, f"{error}{marked}") from None


def _refused(file: str, line: int, what: str) -> RoutesUnreadable:
    return RoutesUnreadable([_told(file, line, "", f"the file {what}")])


def _told(file: str, line: int, where: str, what: str) -> str:
    return bounded(f"{file}:{line}: {where}{': ' if where else ''}{what}", 1000)
