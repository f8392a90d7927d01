"""Which starts can be told from every other's."""

from __future__ import annotations

import pytest

from tests.routes.files import routes

HELD = "a start in doubt will be held for an operator"
ID = "r: '{{ run.id }}'"


def distinct(text: str) -> list[bool]:
    """Per route whether its request can be told from any other's."""
    return [route.distinct for route in routes(text).routes]


def test_a_parameter_that_is_exactly_the_run_id_tells_a_start_apart() -> None:
    assert distinct("- {name: a, start: {pipeline: 1, parameters: {r: ' {{run.id}} '}}}") == [True]


def test_a_correlation_tells_a_start_apart() -> None:
    assert distinct("- {name: a, start: {pipeline: 1, correlation: relay_id}}") == [True]


@pytest.mark.parametrize("value", ["run {{ run.id }}", "{{ run.name }}", "{{ run.root_id }}", "1"])
def test_anything_else_does_not_and_is_warned_of(value: str) -> None:
    found = routes(f"- {{name: a, start: {{pipeline: 1, parameters: {{r: '{value}'}}}}}}")

    assert not found.routes[0].distinct
    assert found.warnings == (
        (
            "routes.yaml:4: routes[0].start: no parameter is exactly {{ run.id }} and there is no "
            f"`correlation`; {HELD}"
        ),
    )


def test_two_routes_that_ask_for_the_same_are_not_told_apart() -> None:
    found = routes(f"""\
        - {{name: a, start: {{pipeline: 1, parameters: {{{ID}}}}}}}
        - {{name: b, start: {{pipeline: 1, project: MLOPS, parameters: {{{ID}, x: 1}}}}}}
        """)

    assert [r.distinct for r in found.routes] == [False, False]
    assert found.warnings == (
        (
            "routes.yaml:4: routes[0].start: `b` starts the same pipeline with what may be equal "
            f"values; {HELD}"
        ),
        (
            "routes.yaml:5: routes[1].start: `a` starts the same pipeline with what may be equal "
            f"values; {HELD}"
        ),
    )


@pytest.mark.parametrize(
    "other", ["pipeline: 2", "pipeline: 1, project: p", "pipeline: 1, organization: o"]
)
def test_routes_that_start_different_pipelines_are_told_apart(other: str) -> None:
    assert distinct(f"""\
        - {{name: a, start: {{pipeline: 1, parameters: {{{ID}}}}}}}
        - {{name: b, start: {{{other}, parameters: {{{ID}}}}}}}
        """) == [True, True]


@pytest.mark.parametrize(
    ("one", "other", "told_apart"),
    [
        ("kind: good", "kind: bad", True),
        ("kind: good", "KIND: Good", False),
        ("n: 1", "n: '1.0'", False),
        ("kind: good", "kind: '{{ run.name }}'", False),
        ("kind: good", "other: bad", False),
        ("kind: [1]", "kind: [2]", True),
        ("s: '{{ run.status }}'", "s: Failed", True),
        ("s: '{{ run.status }}'", "s: completed", False),
    ],
)
def test_only_values_that_can_never_be_equal_tell_two_routes_apart(
    one: str, other: str, told_apart: bool
) -> None:
    assert distinct(f"""\
        - {{name: a, start: {{pipeline: 1, parameters: {{{ID}, {one}}}}}}}
        - {{name: b, start: {{pipeline: 1, parameters: {{{ID}, {other}}}}}}}
        """) == [told_apart, told_apart]


def test_different_outcomes_tell_routes_apart_only_if_the_status_is_asked() -> None:
    def both(parameters: str) -> list[bool]:
        return distinct(f"""\
            - {{name: a, start: {{pipeline: 1, parameters: {{{parameters}}}}}}}
            - {{name: b, outcome: Failed, start: {{pipeline: 1, parameters: {{{parameters}}}}}}}
            """)

    assert both(ID) == [False, False]
    assert both(f"{ID}, s: '{{{{ run.status }}}}'") == [True, True]


@pytest.mark.parametrize(
    ("one", "other", "told_apart"),
    [
        ("branch: refs/heads/a", "branch: refs/heads/b", True),
        ("branch: refs/heads/a", "pipeline_version: 3", False),
        ("variables: {v: 1}", "variables: {v: 2}", True),
        ("variables: {v: {value: 1, secret: true}}", "variables: {v: 2}", False),
    ],
)
def test_a_branch_or_a_variable_can_tell_two_routes_apart(
    one: str, other: str, told_apart: bool
) -> None:
    assert distinct(f"""\
        - {{name: a, start: {{pipeline: 1, {one}, parameters: {{{ID}}}}}}}
        - {{name: b, start: {{pipeline: 1, {other}, parameters: {{{ID}}}}}}}
        """) == [told_apart, told_apart]


def test_a_route_that_asks_for_less_leaves_both_in_doubt() -> None:
    assert distinct(f"""\
        - {{name: a, start: {{pipeline: 1, parameters: {{{ID}}}}}}}
        - {{name: b, start: {{pipeline: 1}}}}
        """) == [False, False]


def test_a_correlation_tells_one_of_two_equal_routes_apart() -> None:
    assert distinct(f"""\
        - {{name: a, start: {{pipeline: 1, correlation: c, parameters: {{{ID}}}}}}}
        - {{name: b, start: {{pipeline: 1, parameters: {{{ID}}}}}}}
        """) == [True, False]


def test_a_shadow_route_does_not_stand_in_the_way() -> None:
    assert distinct(f"""\
        - {{name: a, start: {{pipeline: 1, parameters: {{{ID}}}}}}}
        - {{name: b, mode: shadow, start: {{pipeline: 1, parameters: {{{ID}}}}}}}
        """) == [True, False]


def test_a_run_that_stopped_responding_and_ended_later_needs_its_status_asked() -> None:
    found = routes(f"""\
        - name: a
          outcome: [NotResponding, Failed]
          start: {{pipeline: 1, parameters: {{{ID}}}}}
        - name: b
          outcome: [NotResponding, Failed]
          start: {{pipeline: 2, parameters: {{{ID}, s: '{{{{ run.status }}}}'}}}}
        """)

    assert [r.distinct for r in found.routes] == [False, True]
    assert found.warnings == (
        (
            "routes.yaml:6: routes[0].start: NotResponding and another outcome of a run look alike "
            f"without {{{{ run.status }}}}; {HELD}"
        ),
    )
