"""What check says of `concurrency`, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.routes.definition import Concurrency
from functions.core.routes.file.interpreting import decode
from functions.core.terms.errors import RoutesUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

START = "start: {organization: o, project: p, pipeline: 1, parameters: {run_id: '{{ run.id }}'}}"
FILE = f"version: 1\nroutes:\n  - name: a\n    {START}\n    concurrency: "
LINE = 5


def refused(said: str, more: str = "") -> Sequence[str]:
    with pytest.raises(RoutesUnreadable) as raised:
        decode(f"{FILE}{said}\n{more}")
    return raised.value.problems


def test_it_is_one_at_a_time_of_all_that_wait_unless_the_route_says_otherwise() -> None:
    (route,) = decode(f"{FILE}{{group: deploy}}").routes
    assert route.concurrency == Concurrency(group="deploy", at_most=1, latest=False)
    (route,) = decode(f"{FILE}{{group: deploy, at_most: 20, queue: latest}}").routes
    assert route.concurrency == Concurrency(group="deploy", at_most=20, latest=True)


@pytest.mark.parametrize(
    ("said", "path", "why"),
    [
        ("deploy", "", "must be a mapping, not text"),
        ("{at_most: 1}", ".group", "is required"),
        ("{group: ''}", ".group", "does not fit"),
        ("{group: 7}", ".group", "must be text, not a whole number"),
        ("{group: '{{ model.nam }}'}", ".group", "did you mean model.name?"),
        ("{group: '{{ model.name'}", ".group", "`{{` without a fact's name and `}}`"),
        ("{group: '{{ run.metrics }}'}", ".group", "say which one, as in run.metrics.NAME"),
        ("{group: '{{ drift.id }}'}", ".group", "names `drift`, which a route on runs"),
        ("{group: '{{ champion.version }}'}", ".group", "the route does not say which"),
        ("{group: a, at_most: 0}", ".at_most", "must be from 1 to 20"),
        ("{group: a, at_most: 21}", ".at_most", "must be from 1 to 20"),
        ("{group: a, at_most: true}", ".at_most", "must be a whole number, not true or false"),
        ("{group: a, queue: newest}", ".queue", "allowed: all, latest"),
        ("{group: a, most: 1}", ".most", "is no known key; did you mean at_most?"),
        ("{group: a}\n    follow: false", "", "needs to see the pipeline run end"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(said: str, path: str, why: str) -> None:
    (problem,) = refused(said)
    assert problem.startswith(f"routes.yaml:{LINE}: routes[0].concurrency{path}: ")
    assert why in problem


def test_what_is_not_followed_by_default_must_say_that_it_is() -> None:
    defaults = "defaults: {follow: false}"
    (problem,) = refused("{group: a}", defaults)
    assert problem.endswith("say `follow: true` on the route")
    assert decode(f"{FILE}{{group: a}}\n    follow: true\n{defaults}").routes[0].concurrency


def test_a_route_that_starts_nothing_holds_nothing_back() -> None:
    text = "version: 1\nroutes:\n  - name: a\n    complete: true\n    concurrency: {group: a}"
    with pytest.raises(RoutesUnreadable) as raised:
        decode(text)
    assert "concurrency: holds back no start: the route has none" in raised.value.problems[0]


@pytest.mark.parametrize(
    ("key", "said", "why"),
    [
        ("at_most", "at_most: 2", "is another than that of routes[0], which says nothing"),
        ("queue", "queue: latest", "is another than that of routes[0], which says nothing"),
    ],
)
def test_routes_of_one_group_say_the_same_of_it(key: str, said: str, why: str) -> None:
    other = f"  - name: b\n    {START}\n    concurrency: {{group: '{{{{run.name}}}}', {said}}}"
    (problem,) = refused("{group: '{{ run.name }}'}", other)
    assert f"routes[1].concurrency.{key}: {why}" in problem
    alike = f"  - name: b\n    {START}\n    concurrency: {{group: '{{{{run.name}}}}', at_most: 1}}"
    assert len(decode(f"{FILE}{{group: '{{{{ run.name }}}}'}}\n{alike}").routes) == 2


def test_a_group_is_the_same_in_any_case_and_a_fact_is_not() -> None:
    other = f"  - name: b\n    {START}\n    concurrency: {{group: '%s', at_most: 2}}"
    (problem,) = refused(
        "{group: 'Deploy {{ run.metrics.A }}'}", other % "deploy {{run.metrics.A}}"
    )
    assert problem.endswith("which says nothing of the same group")
    same = f"{FILE}{{group: 'deploy {{{{ run.metrics.A }}}}'}}\n{other}"
    assert len(decode(same % "deploy {{ run.metrics.a }}").routes) == 2


def test_the_facts_that_its_name_needs_are_read() -> None:
    (route,) = decode(f"{FILE}{{group: '{{{{ model.name }}}} {{{{ run.metrics.a }}}}'}}").routes
    assert route.needs.model == {"name"}
    assert route.needs.metrics == {"a"}
