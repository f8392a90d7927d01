"""What check says of `expect`, and what becomes of it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.routes.expectation import EVERY_DAY, WEEKDAYS, Expectation
from functions.core.routes.file.interpreting import decode
from functions.core.terms.errors import RoutesUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

START = "start: {organization: o, project: p, pipeline: 1, parameters: {run_id: '{{ run.id }}'}}"
FILE = f"version: 1\nroutes:\n  - name: a\n    {START}\n    expect: "
LINE = 5
BERLIN = "06:00 Europe/Berlin"


def refused(text: str) -> Sequence[str]:
    with pytest.raises(RoutesUnreadable) as raised:
        decode(text)
    return raised.value.problems


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            f"{{by: {BERLIN}}}",
            Expectation(by=time(6), zone="Europe/Berlin", days=EVERY_DAY),
        ),
        ("{by: 6:30 UTC, days: weekdays}", Expectation(by=time(6, 30), zone="UTC", days=WEEKDAYS)),
        (
            "{by: 23:59 America/St_Johns, days: [monday, sunday]}",
            Expectation(by=time(23, 59), zone="America/St_Johns", days=frozenset({0, 6})),
        ),
        ("{within: 26h}", Expectation(within=timedelta(hours=26))),
        ("{held: 90m}", Expectation(held=timedelta(minutes=90))),
        (
            "{within: 2d, held: 1h}",
            Expectation(within=timedelta(days=2), held=timedelta(hours=1)),
        ),
    ],
)
def test_what_is_expected_is_as_the_file_says(said: str, expected: Expectation) -> None:
    (route,) = decode(FILE + said).routes
    assert route.expectation == expected


@pytest.mark.parametrize(
    ("said", "path", "why"),
    [
        ("06:00", "", "must be a mapping, not"),
        ("{}", "", "says neither `by`, `within` nor `held`"),
        ("{by: '06:00'}", ".by", "does not fit"),
        ("{by: 24:00 UTC}", ".by", "does not fit"),
        ("{by: 06:00 Europe/Berlyn}", ".by", "Europe/Berlyn is none such as Europe/Berlin or UTC"),
        ("{by: 06:00 ../UTC}", ".by", "does not fit"),
        ("{by: 06:00 a//b}", ".by", "names no time zone"),
        (f"{{by: {BERLIN}, within: 26h}}", ".within", "stands beside `by`"),
        ("{within: 0h}", ".within", "does not fit"),
        ("{within: 26}", ".within", "must be text, not a whole number"),
        ("{within: 26h, days: weekdays}", ".days", "no `by` says at which time"),
        (f"{{by: {BERLIN}, days: weekend}}", ".days", "weekdays"),
        (f"{{by: {BERLIN}, days: []}}", ".days", ""),
        ("{held: 2h, hold: 3h}", ".hold", "is no known key; did you mean held?"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(said: str, path: str, why: str) -> None:
    (problem,) = refused(FILE + said)
    assert problem.startswith(f"routes.yaml:{LINE}: routes[0].expect{path}: ")
    assert why in problem


def test_a_route_that_starts_nothing_expects_nothing() -> None:
    text = "version: 1\nroutes:\n  - name: a\n    complete: true\n    expect: {within: 26h}"
    (problem,) = refused(text)
    assert "a route without `start` has none" in problem


def test_who_expects_something_else_is_known_by_it() -> None:
    told = {decode(FILE + said).routes[0].expectation for said in ("{within: 1h}", "{within: 2h}")}
    assert len({one.digest for one in told if one}) == len(told)
