"""What check says of `then`, and the routes that go on by an end."""

from __future__ import annotations

import pytest

from functions.core.rounds.expiry import senders
from functions.core.terms.policy import Policy
from functions.core.terms.words import Ending
from tests.routes.files import problems_in, routes

FIRST = """\
- name: a
  start: {pipeline: 1, parameters: {run_id: "{{ run.id }}"}}
"""
NEXT = 'start: {pipeline: 2, parameters: {run_id: "{{ run.id }}", n: "{{ pipeline.run }}"}}'
LAST = NEXT.replace("pipeline: 2", "pipeline: 3")
LINE = 6


def then(said: str, more: str = "") -> str:
    return f"{FIRST}  then: {said}\n{more}"


def test_what_goes_on_is_a_route_of_its_own_that_no_event_concerns() -> None:
    found = routes(then(f"{{succeeded: {{{NEXT}, then: {{lost: {{{LAST}}}}}}}}}"))
    (route,) = found.routes
    second, third = found.sequels
    assert route.then == {Ending.SUCCEEDED: "a.succeeded"}
    assert (second.name, second.after, second.then) == (
        "a.succeeded",
        "a",
        {Ending.LOST: "a.succeeded.lost"},
    )
    assert (third.name, third.after, third.distinct) == ("a.succeeded.lost", "a.succeeded", True)
    assert found.sequel("a", Ending.SUCCEEDED) is second
    assert found.sequel("a", Ending.FAILED) is None
    assert found.named("a.succeeded.lost") is third
    assert not found.warnings


def test_it_reads_the_run_as_its_route_does() -> None:
    text = then(f"{{failed: {{{NEXT}}}}}").replace(
        "- name: a\n", "- name: a\n  model: m\n  step: s\n  mode: shadow\n  wait_for_facts: 2h\n"
    )
    found = routes(text)
    (own,) = found.sequels
    shared = ("model", "step", "shadow", "wait_for_facts", "outcomes")
    assert [getattr(own, name) for name in shared] == [
        getattr(found.routes[0], name) for name in shared
    ]


def test_its_channels_and_its_organizations_are_known() -> None:
    start = NEXT.replace("{pipeline", "{organization: other, secret: s2, pipeline")
    found = routes(then(f"{{failed: {{{start}, tell: [{{slack: ops}}]}}}}"))
    assert [channel.name for channel in found.channels] == ["slack/ops"]
    assert found.organizations == {"contoso", "other"}
    assert senders(found, Policy(secret="s1")) == [("contoso", "s1"), ("other", "s2")]


@pytest.mark.parametrize(
    ("said", "path", "why"),
    [
        ("{}", "", "is an empty mapping: at least one entry is needed"),
        ("succeeded", "", "must be a mapping, not text"),
        ("{done: {}}", "", "`done` is not known; allowed: succeeded, partiallySucceeded"),
        ("{failed: {}}", ".failed", "has neither `start` nor `tell`: nothing would follow"),
        ("{failed: {tell: [{slack: a, about: [held]}]}}", ".failed.tell[0].about", "no known key"),
        ("{failed: {tell: [{slack: a}], limit: 1/h}}", ".failed.limit", "is about a start"),
        ("{failed: {tell: [{slack: a}], when: 'true'}}", ".failed.when", "is about a start"),
        (
            "{failed: {start: {pipeline: 2, parameters: {a: '{{ drift.id }}'}}}}",
            ".failed.start.parameters.a",
            "names `drift`, which a route on runs does not know",
        ),
        (
            "{failed: {start: {pipeline: 2, parameters: {a: '{{ pipeline.x }}'}}}}",
            ".failed.start.parameters.a",
            "`pipeline.x` is no fact",
        ),
        ("{failed: {start: {pipeline: 2}, when: 'pipeline.run > '}}", ".failed.when", ""),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(said: str, path: str, why: str) -> None:
    problem = problems_in(then(said))[0]
    assert problem.startswith(f"routes.yaml:{LINE}: routes[0].then{path}: ")
    assert why in problem


def test_on_as_a_key_is_told_for_what_it_is() -> None:
    (problem,) = problems_in(then(f"{{failed: {{{NEXT}}}, on: {{}}}}"))
    assert "`on:` is true or false to YAML 1.1" in problem


def test_three_go_on_behind_each_other_and_not_four() -> None:
    deep = f"{{failed: {{{NEXT}}}}}"
    for _ in range(2):
        deep = f"{{failed: {{{NEXT}, then: {deep}}}}}"
    assert len(routes(then(deep)).sequels) == 3
    (problem,) = problems_in(then(f"{{failed: {{{NEXT}, then: {deep}}}}}"))
    assert ".then.failed.then.failed.then.failed.then: is no known key" in problem


def test_what_is_not_followed_cannot_go_on() -> None:
    said = then(f"{{failed: {{{NEXT}}}}}", "  follow: false\n")
    (problem,) = problems_in(said)
    assert "routes[0].then: needs to see the pipeline run end" in problem
    inner = then(f"{{failed: {{{NEXT}, follow: false, then: {{lost: {{{NEXT}}}}}}}}}")
    (problem,) = problems_in(inner)
    assert "routes[0].then.failed.then: needs to see the pipeline run end" in problem
    assert not routes(then(f"{{failed: {{{NEXT}, follow: false}}}}")).sequels[0].follow


def test_a_route_that_starts_nothing_goes_on_by_nothing() -> None:
    (problem,) = problems_in(f"- name: a\n  complete: true\n  then: {{failed: {{{NEXT}}}}}\n")
    assert "routes[0].then: goes on by the end of a pipeline run, and the route starts none" in (
        problem
    )


def test_an_end_is_no_fact_of_what_has_not_ended() -> None:
    (problem,) = problems_in(
        FIRST.replace('"{{ run.id }}"', '"{{ run.id }}", n: "{{ pipeline.run }}"')
    )
    assert problem.endswith("names `pipeline`, whose run has not ended yet: that is for `then`")


def test_two_never_have_one_name() -> None:
    other = '- name: A.failed\n  start: {pipeline: 9, parameters: {run_id: "{{ run.id }}"}}\n'
    (problem,) = problems_in(then(f"{{failed: {{{NEXT}}}}}", other))
    assert problem.endswith("has the name A.failed, which another has too")


def test_a_group_is_the_same_wherever_it_is_named() -> None:
    grouped = "concurrency: {group: g, at_most: 2}"
    inner = f"{{{NEXT}, concurrency: {{group: g}}}}"
    (problem,) = problems_in(then(f"{{failed: {inner}}}", f"  {grouped}\n"))
    assert "routes[0].then.failed.concurrency.at_most: is another than that of routes[0]" in problem


def test_a_secret_has_one_kind_wherever_it_is_named() -> None:
    told = then("{failed: {tell: [{teams: ops}]}}", "  notify: [{slack: ops}]\n")
    (problem,) = problems_in(told)
    assert "names ops, which has another kind or key elsewhere" in problem


def test_a_start_that_could_be_taken_for_anothers_is_warned_of() -> None:
    found = routes(then("{failed: {start: {pipeline: 2}}}"))
    assert [w for w in found.warnings if "routes[0].then.failed.start: no parameter" in w]
    same = f"{{failed: {{{NEXT.replace('pipeline: 2', 'pipeline: 1')}}}}}"
    assert any("starts the same pipeline" in w for w in routes(then(same)).warnings)


def test_what_two_ends_start_is_told_apart_by_the_end() -> None:
    start = NEXT.replace("n: ", 'end: "{{ pipeline.end }}", n: ')
    found = routes(then(f"{{failed: {{{start}}}, lost: {{{start}}}}}"))
    assert [route.distinct for route in found.sequels] == [True, True]
    alike = routes(then(f"{{failed: {{{NEXT}}}, lost: {{{NEXT}}}}}"))
    assert [route.distinct for route in alike.sequels] == [False, False]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("  follow: false\n", "needs to see the pipeline run end"),
        ("", "waits for the end of a pipeline run, and the route starts none"),
    ],
)
def test_a_task_is_answered_by_no_end_that_nobody_sees(more: str, why: str) -> None:
    text = f"{FIRST}  complete: after\n{more}" if more else "- name: a\n  complete: after\n"
    (problem,) = problems_in(text)
    assert ".complete: " in problem
    assert why in problem
    (route,) = routes(f"{FIRST}  complete: after\n").routes
    assert (route.complete, route.answers_after) == (True, True)
    assert "must be" in problems_in(f"{FIRST}  complete: [after]\n")[0]
    assert "allowed: after" in problems_in(f"{FIRST}  complete: later\n")[0]
