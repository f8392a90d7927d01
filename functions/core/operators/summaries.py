"""What every list of continuations does: read again what may have moved, filter, tell as data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from functions.core.kept.summary import NAMES, Summary
from functions.core.routes import filters
from functions.core.terms.errors import Unreadable
from functions.core.texts.bounds import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.core.ports.ledger import Ledger
    from functions.core.terms.runs import Key


def as_it_stands(ledger: Ledger, one: Summary) -> Summary | None:
    """The same as its row has it: a list shows what is open as it was parked last.

    None where the row is gone; what cannot be read stays as it was listed.
    """
    try:
        entry = ledger.read(one.key)
    except Unreadable:
        return one
    return Summary.of(entry.continuation) if entry else None


def fits(one: Summary, route: str | None, experiment: str | None) -> bool:
    """Whether route and experiment fit these patterns, as they are shown; None: any does."""
    return filters.fits(route, one.key.route) and filters.fits(
        experiment and visible(experiment), visible(one.experiment)
    )


def whole_key(key: Key) -> str:
    """The KEY that is right wherever it is typed: with the workspace's whole resource id."""
    return f"{key.text}@{key.workspace}"


def several_of_a_name(among: Iterable[Summary]) -> frozenset[str]:
    """The names that several of their workspaces have."""
    names = Counter(name for name, _ in {(one.workspace, one.key.workspace) for one in among})
    return frozenset(name for name, count in names.items() if count > 1)


def short_key(one: Summary, several: frozenset[str]) -> str:
    """The KEY with the workspace's name, or with its resource id where the name is of `several`."""
    return whole_key(one.key) if one.workspace in several else f"{one.key.text}@{one.workspace}"


def row(one: Summary) -> dict[str, Any]:
    """A continuation as JSON has it, the same for programs that ask the page and the commands.

    Times are ISO 8601 in UTC, None where there is none; `due_at` is None for what is not open.
    `workspace` is the whole resource id in lower case, `url` the pipeline run's page, and
    `latency_seconds` the time from the run's end to the start.
    """
    parts = {"workspace": one.key.workspace, "route": one.key.route, "run": one.key.run}
    told = {name: getattr(one, name) for name in NAMES}
    told["due_at"] = one.due_at if one.is_open else None
    known = {"key": whole_key(one.key), **parts, "outcome": one.key.outcome, **told}
    found: dict[str, Any] = msgspec.to_builtins({**known, "latency_seconds": one.latency})
    return found
