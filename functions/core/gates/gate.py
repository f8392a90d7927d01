"""`when`: a CEL expression over the facts, compiled once and asked many times.

https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from functions.core.facts import unusable
from functions.core.facts.placeholders import FIXED, IN_ANY_CASE, alike, as_text, found_at, path_of
from functions.core.facts.vocabulary import FAMILIES
from functions.core.gates import cel
from functions.core.gates.cel import GateRefused as GateRefused  # noqa: PLC0414 - its callers know it here
from functions.core.terms.reasons import Reason
from functions.core.terms.words import ENDS
from functions.core.texts import celtree
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from functions.core.facts.unusable import Unusable
    from functions.core.texts.celtree import Node

    Path = tuple[str, ...]

LONGEST_EXPRESSION: Final = 4_000
_MISSING = re.compile(r'NOT_FOUND: Key not found in map : (?:"(?P<key>.*)"|\S+)', re.DOTALL)
_SHOWN = 160  # characters of an expression that stand beside its values
_STEP = re.compile(
    r"""\s*(?: \.\s* (?: ([A-Za-z_]\w*)\b (?!\s*\() | `([^`\n]*)` )  # a field, and no function
        | \[\s* [rR]? (?: "([^"\\\n]*)" | '([^'\\\n]*)' ) \s*\] )""",
    re.VERBOSE,
)
_TOKEN = re.compile(
    rf"""//[^\n]*
    | [rRbB]{{0,2}}(?: \"\"\"(?:\\.|[^\\])*?\"\"\" | '''(?:\\.|[^\\])*?'''
        | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    | `[^`\n]*` | \.\s*\w+  # a field of something else
    | (?P<root>{"|".join(FIXED)})\b (?P<below>(?:{_STEP.pattern})*)
    | \w+""",
    re.VERBOSE | re.DOTALL,
)


class Verdict(Struct, frozen=True, kw_only=True):
    """What a gate says of a run.

    `unusable` is what is there and may not decide (a metric that is NaN, a text that was cut, a
    division by zero), `missing` names a fact that was not there (it may still come) and `error`
    says why there is no answer; otherwise `holds` is the answer. `explain` lists the facts it saw.
    """

    holds: bool = False
    missing: str = ""
    error: str = ""
    explain: str = ""
    unusable: Unusable | None = None

    def told(self, expression: str | None) -> str:
        """The answer for people: what went wrong, what it saw, and the expression beside it."""
        if self.unusable and not self.unusable.detail.startswith("`"):
            return self.unusable.detail  # of a fact: it names it with its value
        asked = f"when: {bounded(expression, _SHOWN)}" if expression else ""
        wrong = self.unusable.detail if self.unusable else self.error
        return "; ".join(filter(None, (wrong, self.explain, asked)))


class Gate:
    """A compiled expression; any number of threads may ask it. Raises GateRefused.

    `mentions` are the paths that it names, `reads` how, `statuses` those it lets the run have, and
    `mistakes` what is wrong by the types of its facts: such a gate gives them as its error.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > LONGEST_EXPRESSION:
            raise GateRefused(f"is longer than {LONGEST_EXPRESSION} characters")
        self._compiled = cel.compiled(text)
        self.mistakes: tuple[str, ...] = ()
        self.statuses = frozenset(map(str, ENDS))
        self._program = self._compiled.program
        self._roots = frozenset(root for root in FIXED if root in text)  # of which it may read
        if not self._compiled.is_plain:
            self._check()
        asked = _asked_for(self._compiled.tree.root)
        self.mentions = tuple(dict.fromkeys([*mentioned(text), *asked]))
        self.reads = unusable.read_by(self._compiled.tree.root)
        self._named = [path[1:3] for path in self.mentions if path[:-1] in IN_ANY_CASE]
        self._if_champion = any(path[0] == "champion" for path in self.reads.there)

    def _check(self) -> None:
        from functions.core.gates import checking, constant, undecided  # noqa: PLC0415 - most gates need none

        if refusals := checking.refusals(self._compiled, self.text):
            raise GateRefused(*refusals)
        self.mistakes = tuple(checking.mistakes(self._compiled, self.text))
        self.statuses = constant.statuses(self._compiled)
        if not self.mistakes:
            self._program = undecided.guarded(self._compiled)

    def evaluate(self, facts: Mapping[str, Any]) -> Verdict:
        """Ask about nested facts; those that are None count as not known. Raises nothing."""
        explain = ""
        try:
            known = {r: _for_cel(facts.get(r) or {}) if r in self._roots else {} for r in FIXED}
            self._rename(known["run"])
            explain = self._explained(known)
            if wrong := self._unusable({**known, unusable.UNREAD: facts.get(unusable.UNREAD, {})}):
                return Verdict(unusable=wrong, explain=explain)
            if untold := self._untold(known, facts.get(unusable.UNTOLD, ())):
                return Verdict(missing=untold, explain=explain)
            return self._answered(known, explain)
        except (RuntimeError, TypeError, ValueError) as error:
            return Verdict(error=bounded(error), explain=explain)

    def _untold(self, known: Mapping[str, Any], names: Iterable[str]) -> str:
        """A fact whose presence decides and cannot be told; `names`: all of which it cannot."""
        if self.mistakes:
            return ""
        if self._if_champion and "exists" not in known["champion"]:
            return "champion.exists"
        for path in map(path_of, sorted(names)):
            for asked in self.reads.presence:
                end, longer = min(len(asked), len(path)), max(path, asked, key=len)
                meant, told = (".".join(one[:end]).casefold() for one in (asked, path))
                if meant == told and found_at(longer, known) in (None, {}):
                    return bounded(".".join(longer), 200)
        return ""

    def _answered(self, known: Mapping[str, Any], explain: str) -> Verdict:
        if self.mistakes:
            return Verdict(error=bounded("; ".join(self.mistakes)), explain=explain)
        answer = self._program.ask(known)
        if answer.error:
            return self._erred(answer.error, known, explain)
        if not isinstance(answer.value, bool):
            why = f"gave {answer.kind}, neither true nor false"
            return Verdict(error=why, explain=explain)
        return Verdict(holds=answer.value, explain=explain)

    def _erred(self, error: str, known: Mapping[str, Any], explain: str) -> Verdict:
        if missing := _MISSING.match(error):
            return Verdict(missing=self._name_of(missing["key"], known), explain=explain)
        from functions.core.gates import asking, undecided  # noqa: PLC0415 - the same

        if doubt := undecided.doubt(error, known):
            return Verdict(unusable=doubt.wrong, missing=doubt.missing, explain=explain)
        clash = asking.clash(self._compiled, known)
        return Verdict(error=clash or bounded(error), explain=explain)

    def _unusable(self, known: Mapping[str, Any]) -> Unusable | None:
        """The first fact that decides and must not: wherever it stands, whatever is around it."""
        for path, wrong in unusable.those_in(known):
            is_cut, value = wrong.reason is Reason.CUT, found_at(path, known)
            if self.reads.name(path) if is_cut else self.reads.go_by(path, value):
                return wrong
        return None

    def _rename(self, run: Any) -> None:  # noqa: ANN401 - JSON
        """Give tags and properties the case that the expression names them in."""
        for family, name in self._named:
            pairs = run.get(family, {})
            key = alike(pairs, name)
            if key is None or key == name:
                continue
            also_named = (family, key) in self._named
            pairs[name] = pairs[key] if also_named else pairs.pop(key)

    def _name_of(self, key: str | None, known: Mapping[str, Any]) -> str:
        unseen = (path for path in self.mentions if key in path and found_at(path, known) is None)
        return bounded(".".join(next(unseen, (key or "a key",))), 200)

    def _explained(self, known: Mapping[str, Any]) -> str:
        """The facts that are mentioned with their values, as one short line."""
        seen = [(".".join(path), found_at(path, known)) for path in self.mentions]
        told = [(n, "not known" if v is None else bounded(as_text(v), 80)) for n, v in seen]
        return bounded(", ".join(f"{name} = {value}" for name, value in told))


@functools.lru_cache(maxsize=4096)
def gate_of(text: str) -> Gate:
    """The gate of this expression, compiled at most once. Raises GateRefused."""
    return Gate(text)


def mentioned(expression: str) -> tuple[Path, ...]:
    """The paths that the expression reads, once each, in the order they stand.

    `run.metrics.accuracy` and `run.metrics["accuracy"]` are ("run", "metrics", "accuracy");
    `size(run.metrics)` is ("run", "metrics"): what cannot be followed (a computed index, a whole
    map handed on) counts as a mention of everything below it.
    """
    found = (token for token in _TOKEN.finditer(expression) if token["root"])
    paths = ((t["root"], *map("".join, _STEP.findall(t["below"]))) for t in found)
    return tuple(dict.fromkeys(paths))


def _asked_for(root: Node) -> Iterator[Path]:
    """What is asked for by a fixed name, as in `"loss" in run.metrics`."""
    for node in celtree.walk(root):
        if node.kind == "call" and node.name == "@in" and isinstance(node.parts[0].value, str):
            family = celtree.path_of(node.parts[1])
            yield from [(*family, node.parts[0].value)] if family in FAMILIES else []


def _for_cel(facts: object) -> object:
    """Facts as JSON has them, which CEL can take: a None is left out, so that it is missing."""
    return json.loads(
        as_text(facts),
        object_pairs_hook=lambda entries: {k: v for k, v in entries if v is not None},
        parse_int=lambda digits: int(digits) if abs(int(digits)) < 2**63 else float(digits),
    )
