"""What to write instead, where the types in a part of a gate do not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from functions.core.facts import vocabulary
from functions.core.facts.vocabulary import Kind
from functions.core.texts import celtree
from functions.core.texts.celtext import (
    CONDITIONAL,
    LEVEL,
    as_kind,
    as_number,
    as_whole,
    dotted,
    operator,
    quoted,
    shown,
)

if TYPE_CHECKING:
    from functions.core.texts.celtree import Node

TEXT, TRUTH, NULL = "string", "bool", "null"
WHOLE: Final = frozenset({"int", "uint"})
NUMBERS: Final = WHOLE | {"double"}
EQUAL: Final = frozenset({"_==_", "_!=_"})
COMPARED: Final = EQUAL | {"_<_", "_<=_", "_>_", "_>=_"}
COUNTED: Final = frozenset({"_+_", "_-_", "_*_", "_/_", "_%_"})
_CONDITIONS: Final = frozenset({"_&&_", "_||_", "!_", CONDITIONAL})
_ASKED: Final = {CONDITIONAL: 1}  # how many parts are conditions, where not both are
_MAY_BE_TRUTH: Final = frozenset({TRUTH, "dyn", "*error*"})
_SAID: Final = {
    TEXT: "text",
    TRUTH: "true or false",
    NULL: "null",
    "double": "a number",
    "int": "a whole number",
    "uint": "a whole number",
    "timestamp": "a time",
    "duration": "a duration",
    "list": "a list",
    "map": "a map",
    "dyn": "anything",
}
_CONVERTED: Final = {
    **dict.fromkeys(NUMBERS, "double"),
    TRUTH: "bool",
    "timestamp": "timestamp",
    "duration": "duration",
}


def go_together(name: str, kinds: tuple[str, ...]) -> bool:
    """Whether the program takes what the checker does not: numbers of different kinds."""
    if name == "@in" and kinds[1].startswith("list("):
        kinds = (kinds[0], kinds[1].removeprefix("list(").removesuffix(")"))
    elif name == CONDITIONAL:
        kinds = () if is_no_condition(name, kinds) else kinds[1:]
    elif name not in COMPARED:
        return False
    return bool(kinds) and set(kinds) <= NUMBERS


def advice(node: Node, kinds: tuple[str, ...]) -> str:
    """What is wrong with a call whose parts are of these types, and what to write."""
    name = node.name
    if name in COMPARED:
        return _compared(node, kinds)
    if name in COUNTED:
        return _counted(node, kinds)
    if name in _CONDITIONS:
        return _condition(node, kinds)
    if name == "@in":
        return _looked_for(node, kinds)
    wrong = f"`{shown(node)}`: {_bare(name)} does not take {_and(kinds)}"
    return f"{wrong}: write `{right}`" if (right := _called(node, kinds)) else wrong


def _called(node: Node, kinds: tuple[str, ...]) -> str:
    """The function on what it takes, where that is plain; "" where it is not."""
    if node.name.startswith("get") and kinds[0] == TEXT and node.is_member:
        rest = ", ".join(map(shown, node.parts[1:]))
        return f"timestamp({shown(node.parts[0])}).{node.name}({rest})"
    if node.name == "contains" and kinds[0].startswith("list") and kinds[1:] == (TEXT,):
        return f"{shown(node.parts[1], 4)} in {shown(node.parts[0], 4)}"
    return ""


def below_text(path: tuple[str, ...]) -> str:
    """What is wrong with dots behind a fact below which nothing stands."""
    fact = vocabulary.meant_by(path)
    if fact and fact.is_family:
        right = (*fact.path, ".".join(path[len(fact.path) :]))
        return f"`{'.'.join(path)}` reads a name with dots: write `{dotted(right)}`"
    above = ".".join(fact.path if fact else path[:-1])
    return f"`{'.'.join(path)}`: nothing stands below {above}, which is {fact.kind if fact else 0}"


def of_kind(kind: str) -> str:
    """A type in words."""
    return _SAID.get(kind.partition("(")[0], kind)


def _compared(node: Node, kinds: tuple[str, ...]) -> str:
    if NULL in kinds:
        other = shown(node.parts[kinds[0] == NULL])
        return (
            f"`{shown(node)}`: no fact is null, and one that is not known is waited for: ask "
            f"`has({other})`"
        )
    always = {"_==_": ", which is never true", "_!=_": ", which is always true"}.get(node.name, "")
    told = tuple("double" if kind in WHOLE else kind for kind in kinds)
    wrong = f"`{shown(node)}` compares {_and(told)}{always}"
    return f"{wrong}: write `{mended}`" if (mended := _converted(node, kinds)) else wrong


def _converted(node: Node, kinds: tuple[str, ...]) -> str:
    """The comparison with one side made what stands on the other; "" where that is not plain."""
    first, second = node.parts
    if kinds[0] == TRUTH and first.name in COMPARED and kinds[1] != TEXT:  # 0 < a < 1
        return (
            f"{shown(first)} && {shown(first.parts[1], 4)} {operator(node.name)} {shown(second, 4)}"
        )
    if kinds == ("duration", "int") and second.kind == "const":
        return f'{shown(first)} {operator(node.name)} duration("{second.value}s")'
    if TEXT not in kinds or len(set(kinds)) == 1:
        return ""
    side = kinds.index(TEXT)
    function = _CONVERTED.get(kinds[1 - side])
    if function is None:
        return ""
    text, other = node.parts[side], shown(node.parts[1 - side], LEVEL[node.name] + 1)
    if not (made := as_kind(text, function)):
        return ""
    both = (made, other) if side == 0 else (other, made)
    return f"{both[0]} {operator(node.name)} {both[1]}"


def _counted(node: Node, kinds: tuple[str, ...]) -> str:
    parts, sign = node.parts, operator(node.name)
    wrong = f"`{shown(node)}` reckons with {_and(kinds, ' and ')}"
    if len(parts) == 1 or not set(kinds) <= NUMBERS | {TEXT}:
        right = _times(node, kinds)
    elif node.name == "_%_":
        right = f" {sign} ".join(map(as_whole, parts, kinds))
    elif set(kinds) == {TEXT} and all(map(_is_time, parts)):
        right = f" {sign} ".join(f"timestamp({shown(part)})" for part in parts)
    else:
        right = f" {sign} ".join(map(as_number, parts, kinds))
    return f"{wrong}: write `{right}`" if right else wrong


def _times(node: Node, kinds: tuple[str, ...]) -> str:
    """Text beside a time or a duration is a time."""
    if len(kinds) == 1 or TEXT not in kinds or not set(kinds) & {"timestamp", "duration"}:
        return f"-double({shown(node.parts[0])})" if kinds == (TEXT,) else ""
    told = zip(node.parts, kinds, strict=True)
    parts = [f"timestamp({shown(part)})" if kind == TEXT else shown(part, 5) for part, kind in told]
    return f" {operator(node.name)} ".join(parts)


def _is_time(node: Node) -> bool:
    fact = vocabulary.meant_by(celtree.path_of(node) or ("",))
    return fact is not None and fact.kind is Kind.TIME


def is_no_condition(name: str, kinds: tuple[str, ...]) -> bool:
    """Whether a part of it that is asked for true or false is of another kind."""
    conditions = kinds[: _ASKED.get(name, 2)]
    return name in _CONDITIONS and not _MAY_BE_TRUTH.issuperset(conditions)


def _condition(node: Node, kinds: tuple[str, ...]) -> str:
    told = zip(node.parts[: _ASKED.get(node.name, 2)], kinds, strict=False)
    part, kind = next(((p, k) for p, k in told if k not in _MAY_BE_TRUTH), (None, ""))
    if part is None:
        return f"`{shown(node)}` gives {_and(kinds[1:])}, one or the other: let both be of one kind"
    sample = {TEXT: '== "..."', "double": "> 0.5"}.get(kind, "== ...")
    return (
        f"`{shown(part)}` is {of_kind(kind)}, and no condition: compare it, as in "
        f"`{shown(part, 3)} {sample}`"
    )


def _looked_for(node: Node, kinds: tuple[str, ...]) -> str:
    sought, among = node.parts
    if kinds[1] == TEXT:
        looked_for = _as_text(sought) if sought.kind == "const" else shown(sought)
        fixed = f"{shown(among, 9)}.contains({looked_for})"
        return f"`{shown(node)}` looks into text as if it were a list: write `{fixed}`"
    wrong = f"`{shown(node)}` looks for {of_kind(kinds[0])} in {_list_of(kinds[1])}"
    if kinds[0] == TEXT and among.kind == "list" and all(p.kind == "const" for p in among.parts):
        texts = ", ".join(p if (p := _as_text(part)) else shown(part) for part in among.parts)
        return f"{wrong}: write `{shown(sought)} in [{texts}]`"
    return wrong


def _as_text(node: Node) -> str:
    return quoted(node.value if isinstance(node.value, str) else shown(node))


def _list_of(kind: str) -> str:
    head, _, inner = kind.partition("(")
    return f"{of_kind(head)} of {of_kind(inner.removesuffix(')'))}" if inner else of_kind(kind)


def _bare(name: str) -> str:
    return "`[ ]`" if name == celtree.INDEX else f"`{operator(name)}`"


def _and(kinds: tuple[str, ...], between: str = " with ") -> str:
    said = list(dict.fromkeys(map(of_kind, kinds)))
    return between.join(said * 2 if len(said) == 1 < len(kinds) else said)
