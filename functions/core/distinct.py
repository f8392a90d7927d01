"""Which starts could be taken for another's when looking for a pipeline run that may exist.

After an unanswered POST the pipeline's runs are searched for one that has every parameter,
variable and branch that was asked. What is found is only ours if nothing else asks for the same,
so this errs on the side of doubt: what one request leaves open may equal the other's value.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from functions.core.placeholders import as_text, named_in, only_fact
from functions.core.values import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.routes import Route, Start

    Values = dict[str, frozenset[str]]
    """Per parameter, variable and branch the texts it can have, where that is known."""


class _Asked(NamedTuple):
    route: Route
    start: Start
    values: Values


def not_told_apart(routes: Sequence[Route]) -> list[str]:
    """Per route why its request could be another's too; "" where it could not, or starts none."""
    alike = defaultdict(list)
    for route in routes:
        if route.start is not None and not route.shadow:  # a shadow asks for nothing
            alike[_pipeline(route.start)].append(_Asked(route, route.start, _values(route)))
    return [_why(route, alike) if route.start else "" for route in routes]


def _why(route: Route, alike: dict[tuple[str, str, int], list[_Asked]]) -> str:
    start = route.start
    if start is None or start.correlation:  # the hash is of this run, outcome and route
        return ""
    return _why_by_values(route, start, alike[_pipeline(start)])


def _why_by_values(route: Route, start: Start, others: Iterable[_Asked]) -> str:
    if "run.id" not in map(only_fact, start.parameters.values()):
        return "no parameter is exactly {{ run.id }} and there is no `correlation`"
    if _may_start_twice(route):
        return "NotResponding and another outcome of a run look alike without {{ run.status }}"
    values = _values(route)
    for other in others:
        if other.route.name != route.name and _may_be_equal(values, other.values):
            return f"`{other.route.name}` starts the same pipeline with what may be equal values"
    return ""


def _may_start_twice(route: Route) -> bool:
    """A run that stopped responding may still end in another way."""
    both = Outcome.NOT_RESPONDING in route.outcomes and len(route.outcomes) > 1
    values = route.start.parameters.values() if route.start else ()
    return both and "run.status" not in map(only_fact, values)


def _pipeline(start: Start) -> tuple[str, str, int]:
    return start.organization.casefold(), start.project.casefold(), start.pipeline


def _may_be_equal(these: Values, those: Values) -> bool:
    return not any(texts.isdisjoint(those[key]) for key, texts in these.items() if key in those)


def _values(route: Route) -> Values:
    """What is known beforehand of the parameters, variables and branch that are asked."""
    start = route.start
    if start is None:
        return {}
    asked: Iterable[tuple[str, object]] = (
        ("branch", start.branch),
        *((f"parameter {name}", value) for name, value in start.parameters.items()),
        *((f"variable {name}", v.value) for name, v in start.variables.items() if not v.secret),
    )
    known = ((key.casefold(), _texts(value, route)) for key, value in asked)
    return {key: texts for key, texts in known if texts}


def _texts(value: object, route: Route) -> frozenset[str]:
    """All texts that the value can become; none where only the run will tell."""
    if only_fact(value) == "run.status":
        return frozenset(_normal(str(outcome)) for outcome in route.outcomes)
    if value is None or named_in(value):
        return frozenset()
    return frozenset({_normal(as_text(value))})


def _normal(text: str) -> str:
    """Texts that Azure Pipelines may give back alike: 1 and 1.0, true and True."""
    try:
        return str(float(text))
    except ValueError:
        return text.strip().casefold()
