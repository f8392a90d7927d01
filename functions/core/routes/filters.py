"""The filters of a route: what each wants of an event, and what it finds. Pure.

A tag or a property that looks like a time may be told otherwise than the run has it: of those the
event decides nothing. News about no run has nobody else to ask: there both are told in UTC.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.events import parsing
from functions.core.facts import placeholders
from functions.core.texts import times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.routes.definition import Match, Route
    from functions.core.terms.runs import RunEvent


class Misfit(NamedTuple):
    """A filter of a route, what it wants and what there is; None: there is none."""

    filter: str
    wanted: str
    found: str | None

    @property
    def by(self) -> Filter | None:
        """The filter of `match:` that does not fit; None where it is none of these."""
        name = self.filter.partition(".")[0]
        return next((one for one in FILTERS if one.name == name), None)


class Filter(NamedTuple):
    """A filter of `match:`, and what an event tells for it: a text, or texts by name.

    `only_event`: nobody else tells it, so that the sweep serves no route that has it. `may_change`:
    also after the run's end, so that a run which only this keeps out leaves a trace. `of_runs`:
    news that is about no run has none. `asked_again`: what looks like a time is left to what the
    run that is read back says (`deciding.screen` and `screen_job`).
    """

    name: str
    told: Callable[[RunEvent, Any], Any]
    only_event: bool = False
    may_change: bool = False
    of_runs: bool = False
    asked_again: bool = False

    def wanted(self, match: Match) -> Any:  # noqa: ANN401 - a pattern, or patterns by name
        """What the route wants; None or empty: anything."""
        return getattr(match, self.name)

    def misfit(self, event: RunEvent, wanted: Any) -> Misfit | None:  # noqa: ANN401 - the same
        """What the event does not fit of this."""
        told = self.told(event, wanted)
        if isinstance(wanted, dict):
            return _unlike(event, self, wanted, told)
        return None if fits(wanted, told) else Misfit(self.name, wanted, told)


def _workspace(event: RunEvent, pattern: str | None) -> str:
    return event.workspace.id if "/" in (pattern or "") else event.workspace.name


FILTERS = (
    Filter("workspace", _workspace),
    Filter("experiment", lambda event, _: event.experiment, of_runs=True),
    Filter("run_type", lambda event, _: event.run_type, only_event=True, of_runs=True),
    Filter("properties", lambda event, _: event.properties, only_event=True, asked_again=True),
    Filter("tags", lambda event, _: event.tags, may_change=True, asked_again=True),
)
"""Every filter there is, in the order in which they are asked; see docs/extending.md."""


def misfit(event: RunEvent, route: Route) -> Misfit | None:
    """The first filter of the route that the event does not fit; None: it fits all it can tell."""
    if event.outcome not in route.outcomes:
        return Misfit("outcome", ", ".join(sorted(route.outcomes)), event.outcome)
    for one in FILTERS:
        wanted = one.wanted(route.match)
        if wanted and (odd := one.misfit(event, wanted)):
            return odd
    if not route.children and parsing.is_child(event):
        return Misfit("children", "a root run", "a part of another run")
    return None


def untold(
    event: RunEvent, patterns: Mapping[str, str], values: Mapping[str, str] | None
) -> Mapping[str, str]:
    """The patterns that the event says nothing of, or what may not be the run's own text."""
    if not patterns or values is None:
        return patterns
    if not (event.was_sent and event.outcome.ends_run):
        return {}
    return {
        key: pattern
        for key, pattern in patterns.items()
        if pattern.strip("*")  # any text fits, whichever it is
        and (meant := placeholders.alike(values, key)) is not None
        and times.may_be_retold(values[meant])
    }


def _unlike(
    event: RunEvent, by: Filter, patterns: Mapping[str, str], values: Mapping[str, str] | None
) -> Misfit | None:
    """The first pattern that what the event tells does not fit."""
    if not patterns or values is None:
        return None
    if not event.outcome.ends_run:
        texts = {key: times.told_in_utc(text) for key, text in values.items()}
        return unlike(by.name, {k: times.told_in_utc(p) for k, p in patterns.items()}, texts)
    left = untold(event, patterns, values) if by.asked_again else ()
    told = {k: p for k, p in patterns.items() if k not in left} if left else patterns
    return unlike(by.name, told, values)


def unlike(what: str, patterns: Mapping[str, str], values: Mapping[str, str]) -> Misfit | None:
    """The first pattern that no value fits."""
    for key, pattern in patterns.items():
        meant = placeholders.alike(values, key)
        found = None if meant is None else values[meant]
        if found is None or not fits(pattern, found):
            return Misfit(f"{what}.{key}", pattern, found)
    return None


def fits(pattern: str | None, text: str) -> bool:
    """Whether a text fits a pattern; None is any text."""
    return pattern is None or _wildcard(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _wildcard(pattern: str) -> re.Pattern[str]:
    """`*` any text, `?` one character, everything else itself, in any case.

    What stands between two `*` is found where it comes first, and never sought again: whoever
    chooses the text cannot make it try all the ways to share it out.
    """
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", pattern))
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    text = f"{first}{between}.*{rest[-1]}" if rest else first
    return re.compile(text, re.IGNORECASE | re.DOTALL)
