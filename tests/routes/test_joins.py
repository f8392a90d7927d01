"""`join` in a route file: what it means, and each line that the author of a wrong one reads."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.core.routes.file.interpreting import decode
from functions.core.routes.joins.join import IfOneFails, Join, identity
from functions.core.terms.errors import RoutesUnreadable
from functions.core.terms.words import Outcome

ROUTE = """
version: 1
defaults: {organization: contoso, project: mlops}
routes:
  - name: compare
    join: JOIN
    start: {pipeline: 61, parameters: {batch: "{{ join.by }}", runs: "{{ join.runs }}"}}
"""
WELL = "{by: run.tags.batch, all_of: [a, b], within: 12h}"


def file(join: str = WELL, **more: str) -> str:
    lines = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return ROUTE.replace("JOIN\n", f"{join}\n{lines}")


def problems_in(text: str) -> list[str]:
    """What `check` says of it, a line for each mistake."""
    with pytest.raises(RoutesUnreadable) as refused:
        decode(text)
    return list(refused.value.problems)


def test_what_it_says_is_read_with_what_it_does_not_say() -> None:
    (route,) = decode(file()).routes
    assert route.join == Join(
        by="run.tags.batch",
        number=2,
        experiments=("a", "b"),
        within=timedelta(hours=12),
        if_one_fails=IfOneFails.HOLD,
        well=frozenset({Outcome.COMPLETED}),
    )
    assert route.outcomes == {Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELED}
    assert route.distinct


def test_a_number_and_what_else_counts_as_ended_well() -> None:
    join = "{by: run.parent_id, all_of: 3, within: 2d, if_one_fails: start}"
    (route,) = decode(file(join, outcome="[Completed, Canceled]", children="true")).routes
    assert route.join is not None
    assert (route.join.number, route.join.experiments) == (3, ())
    assert route.join.well == {Outcome.COMPLETED, Outcome.CANCELED}
    assert route.outcomes == {Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELED}


def test_other_routes_join_nothing() -> None:
    (route,) = decode(
        file()
        .replace(f"    join: {WELL}\n", "")
        .replace("join.by", "run.id")
        .replace("join.runs", "run.name")
    ).routes
    assert route.join is None
    assert route.outcomes == {Outcome.COMPLETED}


@pytest.mark.parametrize(
    ("join", "said"),
    [
        ("{by: run.tags.batch, all_of: 1, within: 12h}", "all_of"),
        ("{by: run.tags.batch, all_of: 51, within: 12h}", "all_of"),
        ("{by: run.tags.batch, all_of: [a], within: 12h}", "all_of"),
        (f"{{by: run.tags.batch, all_of: {[*map(str, range(51))]}, within: 12h}}", "51 of the 2"),
        ("{by: run.tags.batch, all_of: [a, A], within: 12h}", "names an experiment twice"),
        ("{by: run.tags.batch, all_of: 2}", "within"),
        ("{by: run.tags.batch, all_of: 2, within: 100d}", "within"),
        ("{by: run.tags.batch, all_of: 2, within: 1h, if_one_fails: go}", "if_one_fails"),
        ("{by: run.tags, all_of: 2, within: 1h}", "say which one"),
        ("{by: batch, all_of: 2, within: 1h}", "is no fact"),
        ("{by: event.id, all_of: 2, within: 1h}", "is no fact of a run"),
    ],
)
def test_what_is_wrong_is_said(join: str, said: str) -> None:
    (line,) = problems_in(file(join))
    assert said in line


@pytest.mark.parametrize(
    ("key", "value"),
    [("model", "m"), ("complete", "true"), ("champion", "newest")],
)
def test_what_is_about_one_run_stands_beside_no_join(key: str, value: str) -> None:
    lines = problems_in(file(**{key: value}))
    wanted = f"{key}: is about one run, and `join` is about several"
    assert any(wanted in line for line in lines)


def test_a_start_for_several_names_no_fact_of_one() -> None:
    (line,) = problems_in(file().replace("join.by", "run.id"))
    assert "names `run`, which a route that joins runs does not know" in line


def test_only_a_join_has_its_facts() -> None:
    lines = problems_in(file().replace(f"    join: {WELL}\n", ""))
    assert all("names `join`, which a route on runs does not know" in line for line in lines)
    assert len(lines) == 2


def test_nothing_to_start_is_nothing_to_join_for() -> None:
    text = file().partition("    start:")[0]
    assert any(
        "joins runs for a start, and the route has none" in line for line in problems_in(text)
    )


@pytest.mark.parametrize("value", ["b7", "Train 2026-11", "x" * 80])
def test_a_value_that_shows_as_what_it_is_stands_in_the_key(value: str) -> None:
    assert identity(value) == value


def test_any_other_has_what_stands_for_it_and_no_two_share_it() -> None:
    values = ["", " b7", "b7 ", "x" * 81, "x" * 82, "a~b", "a\u200bb", "a\u202eb", "line\nbreak"]
    found = [identity(value) for value in values]
    assert len({*found, "b7"}) == len(values) + 1
    assert all("~" in one and len(one) < 40 for one in found)
