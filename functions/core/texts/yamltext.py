"""YAML from outside, read within bounds: how long, how deep, how wide, and what aliases unfold to.

The C library composes and PyYAML constructs by going deep: what is nested deep enough ends the
process. Its events are told one by one, so that they are counted first. https://pyyaml.org/wiki/PyYAMLDocumentation
"""

from __future__ import annotations

from typing import Any, Final

import yaml

LONGEST: Final = 1_000_000
DEEPEST: Final = 100
MOST_VALUES: Final = 200_000
LONGEST_NUMBER: Final = 100  # characters: what a longer one means takes time with their square

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG: Final = "tag:yaml.org,2002:"
_TEXTS = frozenset({"str", "timestamp", "value"})


class NotYaml(ValueError):
    """No YAML that is read here; the message says why, as what is said of the text."""

    def __init__(self, what: str, line: int = 1) -> None:
        super().__init__(what)
        self.line = line


def composed(
    text: str | bytes,
    *,
    longest: int = LONGEST,
    deepest: int = DEEPEST,
    aliases: bool = True,
    loader: Any = LOADER,  # noqa: ANN401 - C or Python
) -> yaml.Node | None:
    """The nodes of the only document, None where there is none; an alias is the node it names.

    Raises NotYaml, before anything is built of a text that is longer than so many characters (or
    bytes), nested deeper, or has more than MOST_VALUES values, or aliases where none are wanted.
    """
    if len(text) > longest:
        raise NotYaml(
            f"is longer than {longest} {'characters' if isinstance(text, str) else 'bytes'}"
        )
    try:
        _count(text, deepest, aliases=aliases, loader=loader)
        return yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, UnicodeError) as error:
        told = (getattr(error, part, None) for part in ("problem", "context"))
        mark = getattr(error, "problem_mark", None)
        what = " ".join(filter(None, told)) or str(error)
        raise NotYaml(f"is no YAML: {what}", mark.line + 1 if mark else 1) from None


def plain(root: yaml.Node | None) -> object:
    """What the nodes say, with what JSON has: a time is its text. Raises NotYaml.

    Aliases are unfolded as far as the bounds allow: what stands twice counts twice.
    """
    return None if root is None else _Plain().of(root, 0)


class _Plain:
    def __init__(self) -> None:
        self._values = 0

    def of(self, node: yaml.Node, above: int) -> object:
        self._values += 1
        if above > DEEPEST or self._values > MOST_VALUES:
            what = f"is nested more than {DEEPEST} deep or has more than {MOST_VALUES} values"
            raise NotYaml(f"{what}, aliases counted", line_of(node))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return {_key(key): self.of(value, above + 1) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self.of(item, above + 1) for item in node.value]
        return _scalar(node)


def line_of(node: Any) -> int:  # noqa: ANN401 - a node or an event
    """The line that it begins on, from 1."""
    return int(node.start_mark.line) + 1


def _count(text: str | bytes, deepest: int, *, aliases: bool, loader: Any) -> None:  # noqa: ANN401
    depth = values = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        if depth > deepest:
            raise NotYaml(f"is nested more than {deepest} deep", line_of(event))
        if values > MOST_VALUES:
            raise NotYaml(f"has more than {MOST_VALUES} values", line_of(event))
        if not aliases and isinstance(event, yaml.AliasEvent):
            raise NotYaml("has an alias", line_of(event))


def _key(node: yaml.Node) -> Any:  # noqa: ANN401 - whatever a scalar can be
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    raise NotYaml("has a key that is a list or a mapping", line_of(node))


def _scalar(node: yaml.Node) -> str | float | bool | None:
    kind = node.tag.removeprefix(TAG)
    if not isinstance(node, yaml.ScalarNode) or kind not in _TEXTS | _READERS.keys():
        raise NotYaml("has a tag or a key that is not supported", line_of(node))
    if kind in _TEXTS:
        return str(node.value)
    if len(node.value) > LONGEST_NUMBER:
        raise NotYaml(f"has a number of more than {LONGEST_NUMBER} characters", line_of(node))
    try:
        return _READERS[kind](_reader, node)  # type: ignore[no-any-return]
    except (KeyError, ValueError):  # a tag that does not fit what it stands before
        raise NotYaml(f"has what is no {kind}", line_of(node)) from None


_reader = yaml.constructor.SafeConstructor()
_READERS: Final[dict[str, Any]] = {
    "null": lambda _, __: None,
    "bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
    "int": yaml.constructor.SafeConstructor.construct_yaml_int,
    "float": yaml.constructor.SafeConstructor.construct_yaml_float,
}
