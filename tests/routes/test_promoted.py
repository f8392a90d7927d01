"""`promoted` of a route on ModelPromoted, as it is written and as it is refused."""

from __future__ import annotations

import pytest

from functions.core.memory.first_seen import digest
from functions.core.terms.standing import Promotion
from functions.core.terms.words import Outcome
from tests.routes.files import problems_in, routes

START = "start: {pipeline: 1, correlation: id, parameters: {v: '{{ model.version }}'}}"
ON = "- {name: a, event: ModelPromoted, "


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{alias: production}", Promotion(alias="production")),
        ("{stage: Production}", Promotion(stage="Production")),
        ("{tag: {stage: production}}", Promotion(tags={"stage": "production"})),
        ("{alias: live, model: 'defect-*'}", Promotion(alias="live", model="defect-*")),
    ],
)
def test_each_way_to_say_what_promoted_is(written: str, meant: Promotion) -> None:
    found = routes(f"{ON}promoted: {written}, {START}}}")
    assert (found.routes[0].promoted, found.warnings) == (meant, ())
    assert found.routes[0].outcomes == {Outcome.MODEL_PROMOTED}


@pytest.mark.parametrize(
    ("route", "what"),
    [
        (ON, "does not say what `promoted` is: {alias: production}"),
        (f"{ON}promoted: {{}}, ", "promoted: names one of `alias`, `tag` and `stage`"),
        (f"{ON}promoted: {{model: m}}, ", "promoted: names one of `alias`, `tag` and `stage`"),
        (f"{ON}promoted: {{alias: a, stage: Staging}}, ", "promoted: names one of `alias`"),
        (f"{ON}promoted: {{tag: {{}}}}, ", "promoted.tag: names one tag and its value"),
        (f"{ON}promoted: {{tag: {{a: b, c: d}}}}, ", "promoted.tag: names one tag and its value"),
        (f"{ON}promoted: {{stage: production}}, ", "`production` is not known"),
        (f"{ON}promoted: {{alias: latest}}, ", "promoted.alias"),
        ("- {name: a, promoted: {alias: p}, ", "promoted: is for `event: ModelPromoted`"),
        ("- {name: a, event: ModelRegistered, promoted: {alias: p}, ", "is for `event: ModelProm"),
        (f"{ON}promoted: {{alias: p}}, match: {{tags: {{a: b}}}}, ", "no event tells a promotion"),
        (f"{ON}promoted: {{alias: p}}, match: {{experiment: e}}, ", "is about runs, and ModelProm"),
        (f"{ON}promoted: {{alias: p}}, when: run.metrics.a > 1, ", "names `run`, which a route on"),
        (f"{ON}promoted: {{alias: p}}, champion: newest, ", "is about runs, and ModelPromoted is"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_write(route: str, what: str) -> None:
    start = "start: {pipeline: 1, correlation: id}}"
    found = [line for line in problems_in(route + start) if "names `champion`" not in line]
    assert len(found) == 1, found
    assert what in found[0], found


def test_a_value_that_yaml_takes_for_no_text_is_refused() -> None:
    found = problems_in(f"{ON}promoted: {{tag: {{approved: yes}}}}, {START}}}")
    assert found, found
    assert all("promoted.tag.approved" in line for line in found), found


def test_the_same_version_may_be_promoted_twice_so_its_name_tells_no_two_starts_apart() -> None:
    named = "{n: '{{ model.name }}', v: '{{ model.version }}'}"
    on = f"{ON}promoted: {{alias: p}}, start: {{pipeline: 1, parameters: "
    found = routes(f"{on}{named}}}}}")
    assert any("exactly {{ event.id }}" in line for line in found.warnings), found.warnings
    assert routes(f"{on}{{id: '{{{{ event.id }}}}'}}}}}}").routes[0].distinct


def test_what_goes_on_by_an_end_says_nothing_of_promotions() -> None:
    then = "then: {succeeded: {start: {pipeline: 2, correlation: id}}}"
    assert routes(f"{ON}promoted: {{alias: p}}, {START}, {then}}}").warnings == ()


def test_a_route_that_says_otherwise_what_promoted_is_is_another_one() -> None:
    one, other, gated = (
        routes(f"{ON}promoted: {{alias: {alias}}}, {more}{START}}}").routes[0]
        for alias, more in (("p", ""), ("q", ""), ("p", "when: model.version != '1', "))
    )
    assert digest(one) != digest(other)
    assert digest(one) == digest(gated)
