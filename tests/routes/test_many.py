"""What another route costs each event, whichever it is about: counted, not timed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.events.parsing import parse
from functions.core.routes import deciding, near_misses
from functions.core.routes.file.interpreting import decode
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.routes.definition import Routes
    from functions.core.terms.runs import RunEvent

MOST = 15  # calls of Python for each route that the event is not about
ROUTE = """
  - name: r{n}
    match: {{{match}}}
    start: {{organization: contoso, project: mlops, pipeline: 42}}"""


def of(count: int, match: str) -> Routes:
    every = "".join(ROUTE.format(n=n, match=match) for n in range(count))
    return decode(f"version: 1\nroutes:{every}")


def calls(event: RunEvent, those: Routes) -> int:
    """How many functions are called to find who starts, who answers and who nearly fits."""
    made = 0

    def count(_: object, what: str, __: Any) -> None:
        nonlocal made
        made += what == "call"

    sys.setprofile(count)
    try:
        deciding.matching(event, those)
        deciding.completing(event, those)
        list(near_misses.matching(event, those))
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize(
    "match", ['experiment: "team-*"', "workspace: other", 'run_type: "azureml.*x"']
)
def test_a_route_that_the_event_is_not_about_costs_it_next_to_nothing(match: str) -> None:
    event = parse(completed("r1"))
    few, many = of(10, match), of(110, match)
    calls(event, few)  # patterns are compiled once
    assert calls(event, many) - calls(event, few) <= 100 * MOST


def test_one_that_wants_a_tag_costs_no_more_but_what_the_tag_takes() -> None:
    event = parse(completed("r1", runTags={"stage": "test"}))
    match = 'experiment: "team-*", tags: {stage: production}'
    few, many = of(10, match), of(110, match)
    calls(event, few)
    assert calls(event, many) - calls(event, few) <= 200 * MOST
