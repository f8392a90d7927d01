"""Properties that the event may tell otherwise than the run has them: its job tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.facts import building, placeholders
from functions.core.routes.definition import ANY

if TYPE_CHECKING:
    from functions.core.reading.below import Below
    from functions.core.terms.runs import RunEvent


def properties(
    event: RunEvent, below: Below, names: frozenset[str], why: dict[str, str]
) -> dict[str, str]:
    """The event's, with the job's own text wherever the event's may be another.

    The job is read only for one of these names; `why` gets what is told of those it does not have.
    Raises Retryable.
    """
    told = event.properties
    left = building.retold(event, told, told)
    kept = {name: text for name, text in told.items() if name not in left}
    if ANY not in names and left.isdisjoint(placeholders.alike(told, name) for name in names):
        return kept
    own = below.job(below.root).properties
    for name in left:
        if (meant := placeholders.alike(own, name)) is not None:
            kept[name] = own[meant]
        else:
            why[f"run.properties.{name}"] = building.untold(told[name])
    return kept
