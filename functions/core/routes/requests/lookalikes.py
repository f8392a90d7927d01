"""Which starts could be taken for another's when looking for a pipeline run that may exist.

After an unanswered POST the pipeline's runs are searched for one that has every parameter,
variable and branch that was asked. What is found is only ours if nothing else asks for the same,
so this errs on the side of doubt: what one request leaves open may equal the other's value.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from functions.core.events.model_events import BY_OUTCOME
from functions.core.facts.placeholders import as_text, named_in, only_fact
from functions.core.terms.pipelines import is_github
from functions.core.terms.words import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.routes.definition import Route, Start


class _Asked(NamedTuple):
    route: Route
    start: Start
    values: dict[str, frozenset[str]]
    """Per parameter, variable and branch the texts it can have, where that is known."""


def not_told_apart(routes: Iterable[Route]) -> dict[str, str]:
    """By route name why its request could be another's too; "" where it could not.

    A route that starts nothing is not among them.
    """
    asked = [_Asked(r, r.start, _values(r, r.start)) for r in routes if r.start]
    alike = (_Alike(group) for group in _groups(asked))
    return {one.route.name: _why(one, group) for group in alike for one in group.asked}


def _groups(asked: list[_Asked]) -> Iterator[list[_Asked]]:
    """Starts of one pipeline that agree in all that is certain: no others can be alike."""
    by_pipeline = defaultdict(list)
    for one in asked:
        by_pipeline[one.start.where.casefold()].append(one)
    for same in by_pipeline.values():
        certain = [k for k in same[0].values if all(len(o.values.get(k, ())) == 1 for o in same)]
        by_values = defaultdict(list)
        for one in same:
            by_values[tuple(one.values[key] for key in certain)].append(one)
        yield from by_values.values()


class _Alike:
    """Starts among which those are sought that may be another's: by the rarest of its values.

    Where two both have a parameter that has one value in each, only equal ones can be alike.
    """

    def __init__(self, asked: list[_Asked]) -> None:
        self.asked = asked
        self._serious = [n for n, one in enumerate(asked) if not one.route.shadow]
        self._having: dict[str, set[int]] = defaultdict(set)
        self._saying: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._lacking: dict[str, list[int]] = {}
        for n in self._serious:
            for key, texts in asked[n].values.items():
                self._having[key].add(n)
                for text in texts:
                    self._saying[key, text].append(n)

    def other(self, one: _Asked) -> _Asked | None:
        """The first other than this one that may ask for the same."""
        others = (self.asked[n] for n in self._few(one))
        return next((o for o in others if o is not one and _may_be_equal(one, o)), None)

    def _few(self, one: _Asked) -> Iterable[int]:
        """As few as one key can leave, in order; all, where that is most of them."""
        counts = {self._count(key, texts): key for key, texts in one.values.items()}
        if not counts or 2 * min(counts) > len(self._serious):
            return self._serious
        key = counts[min(counts)]
        said = (n for text in one.values[key] for n in self._saying.get((key, text), ()))
        return sorted({*said, *self._without(key)})

    def _count(self, key: str, texts: frozenset[str]) -> int:
        said = sum(len(self._saying.get((key, text), ())) for text in texts)
        return said + len(self._serious) - len(self._having.get(key, ()))

    def _without(self, key: str) -> list[int]:
        """Those that do not have this key, of which nobody knows what they say."""
        if key not in self._lacking:
            having = self._having.get(key, set())
            self._lacking[key] = [n for n in self._serious if n not in having]
        return self._lacking[key]


def _why(one: _Asked, group: _Alike) -> str:
    if one.start.correlation:  # the hash is of this run, outcome and route
        return ""
    if is_github(one.start.organization):
        return "no run of a workflow shows its inputs, and there is no `correlation`"
    facts = {only_fact(value) for value in one.start.parameters.values()}
    kinds = [BY_OUTCOME[o] for o in one.route.outcomes if o in BY_OUTCOME]
    joined = one.route.join is not None or "join.by" in facts  # which no other may name
    own = ("join.by",) if joined else ("run.id",)
    for name in kinds[0].identity if kinds else own:
        if name not in facts:
            return f"no parameter is exactly {{{{ {name} }}}} and there is no `correlation`"
    twice = (
        not joined and Outcome.NOT_RESPONDING in one.route.outcomes and len(one.route.outcomes) > 1
    )
    if twice and "run.status" not in facts:  # what stopped responding may still end otherwise
        return "NotResponding and another outcome of a run look alike without {{ run.status }}"
    if other := group.other(one):
        return f"`{other.route.name}` starts the same pipeline with what may be equal values"
    return ""


def _may_be_equal(one: _Asked, other: _Asked) -> bool:
    shared = one.values.keys() & other.values.keys()
    return not any(one.values[key].isdisjoint(other.values[key]) for key in shared)


def _values(route: Route, start: Start) -> dict[str, frozenset[str]]:
    asked: dict[str, object] = {
        "branch": start.branch,
        **{f"parameter {name}": value for name, value in start.parameters.items()},
        **{f"variable {name}": v.value for name, v in start.variables.items() if not v.secret},
    }
    known = ((key.casefold(), _texts(value, route)) for key, value in asked.items())
    return {key: texts for key, texts in known if texts}


def _texts(value: object, route: Route) -> frozenset[str]:
    """All texts that the value can become; none where only the run will tell."""
    if only_fact(value) == "run.status":
        return frozenset(normal(str(outcome)) for outcome in route.outcomes)
    if route.after and only_fact(value) == "pipeline.end":  # which its name tells
        return frozenset({normal(route.name.removeprefix(f"{route.after}."))})
    if value is None or named_in(value):
        return frozenset()
    return frozenset({normal(as_text(value))})


def normal(text: str) -> str:
    """Texts that Azure Pipelines may give back alike: 1 and 1.0, true and True."""
    try:
        return str(float(text))
    except ValueError:
        return text.strip().casefold()
