"""Each mistake in a route, and the exact line that its author reads."""

from __future__ import annotations

import pytest

from tests.routes.files import problems_in

OUTCOMES = "allowed: Completed, Failed, Canceled, NotResponding"
KEYS = (
    "allowed: name, outcome, event, promoted, match, children, when, step, model, "
    "champion, wait_for_facts, limit, concurrency, mode, complete, follow, notify, start, then, "
    "expect, join"
)


def one(text: str) -> str:
    """The only problem with a route."""
    (line,) = problems_in(text)
    return line


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (status, f"`{status}` is not known; {OUTCOMES}")
        for status in ("Running", "queued", "FINISHED", "Cancelled", "completed", "Nonsense")
    ],
)
def test_a_status_that_is_no_outcome_is_refused_by_name(status: str, said: str) -> None:
    assert (
        one(f"""\
        - name: a
          outcome: [Failed, {status}]
          start: {{pipeline: 1}}
        """)
        == f"routes.yaml:5: routes[0].outcome[1]: {said}"
    )


def test_no_outcome_at_all_is_refused() -> None:
    assert one("- {name: a, outcome: [], start: {pipeline: 1}}") == (
        "routes.yaml:4: routes[0].outcome: is an empty list: at least one is needed"
    )


def test_an_unknown_event_is_refused_with_the_known_ones() -> None:
    assert one("- {name: a, event: RunCompleted, start: {pipeline: 1}}") == (
        "routes.yaml:4: routes[0].event: `RunCompleted` is not known; allowed: "
        "ModelRegistered, ModelDeployed, ModelPromoted, DatasetDriftDetected"
    )


def test_event_and_outcome_exclude_each_other() -> None:
    assert one("- {name: a, outcome: Failed, event: ModelDeployed, start: {pipeline: 1}}") == (
        "routes.yaml:4: routes[0].event: stands beside `outcome`: a route is about one of them"
    )


def test_a_route_that_does_nothing_is_refused() -> None:
    assert one("- {name: a}") == (
        "routes.yaml:4: routes[0]: has neither `start` nor `complete: true`: nothing would follow"
    )


def test_two_routes_of_one_name_are_refused_even_if_their_case_differs() -> None:
    assert (
        one("""\
        - {name: a, start: {pipeline: 1}}
        - start: {pipeline: 2}
          name: A
        """)
        == "routes.yaml:6: routes[1].name: is the name of routes[0] too"
    )


@pytest.mark.parametrize("name", ["a/b", "-a", "a b", "ä", "a" * 64, '"a\\n"'])
def test_a_name_that_could_not_be_part_of_a_key_is_refused(name: str) -> None:
    shown = name.strip('"').replace("\\n", "")
    assert one(f"- {{name: {name}, start: {{pipeline: 1}}}}") == (
        f"routes.yaml:4: routes[0].name: `{shown}` does not fit: what it started is remembered by "
        "this name, so do not reuse it: 1 to 63 letters, digits, `.`, `_` or `-`, the first a "
        "letter or digit"
    )


def test_a_gate_that_does_not_compile_is_refused_in_the_words_of_cel() -> None:
    assert one("""\
        - name: a
          start: {pipeline: 1}
          when: runs.metrics.accuracy > 0.9
        """) == (
        "routes.yaml:6: routes[0].when: does not compile: undeclared reference to "
        "'runs.metrics.accuracy' (in container '') (at 1:13)"
    )


def test_a_gate_with_a_syntax_error_is_refused_in_one_line() -> None:
    line = one("- {name: a, start: {pipeline: 1}, when: 'run.metrics.x >='}")

    assert line.startswith("routes.yaml:4: routes[0].when: does not compile: Syntax error: ")
    assert "\n" not in line


def test_a_gate_that_is_clearly_not_true_or_false_is_refused() -> None:
    assert one("- {name: a, start: {pipeline: 1}, when: size(run.tags)}") == (
        "routes.yaml:4: routes[0].when: gives int, but a gate is true or false: compare it"
    )


def test_a_gate_about_what_is_no_fact_is_refused() -> None:
    assert one("- {name: a, start: {pipeline: 1}, when: run.metric.accuracy > 0.9}") == (
        "routes.yaml:4: routes[0].when: `run.metric` is no fact; did you mean run.metrics.NAME?"
    )


def test_an_empty_gate_is_refused_and_not_taken_for_none() -> None:
    assert (
        one("""\
        - name: a
          when:
          start: {pipeline: 1}
        """)
        == "routes.yaml:5: routes[0].when: must be text, not empty"
    )


def test_a_gate_is_bounded() -> None:
    assert one(f"- {{name: a, start: {{pipeline: 1}}, when: '{'!' * 4001}true'}}") == (
        "routes.yaml:4: routes[0].when: is longer than 4000 characters"
    )


@pytest.mark.parametrize("text", ["10", "10 minutes", "8d", "-1m", "1w", "999999d"])
def test_a_duration_that_does_not_parse_is_refused(text: str) -> None:
    assert one(f"- {{name: a, wait_for_facts: '{text}', start: {{pipeline: 1}}}}") == (
        f"routes.yaml:4: routes[0].wait_for_facts: `{text}` does not fit: how long facts may "
        "take to appear: 30s, 10m (the default), 2h, at most 7d"
    )


@pytest.mark.parametrize("text", ["20", "0/h", "20/w", "20 / h", "100000/d"])
def test_a_limit_that_does_not_parse_is_refused(text: str) -> None:
    assert one(f"- {{name: a, limit: '{text}', start: {{pipeline: 1}}}}") == (
        f"routes.yaml:4: routes[0].limit: `{text}` does not fit: starts per hour or day, 20/h or "
        "100/d; more of them wait"
    )


def test_an_unknown_mode_is_refused() -> None:
    assert one("- {name: a, mode: dry-run, start: {pipeline: 1}}") == (
        "routes.yaml:4: routes[0].mode: `dry-run` is not known; allowed: active, shadow"
    )


def test_an_empty_filter_is_refused() -> None:
    assert one("""\
        - name: a
          match:
            tags:
              stage: ""
          start: {pipeline: 1}
        """) == (
        "routes.yaml:7: routes[0].match.tags.stage: `` does not fit: text where `*` and `?` are "
        "wildcards, in any case; leave it out for any"
    )


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    assert (
        one("""\
        - name: a
          strat: {pipeline: 1}
        """)
        == f"routes.yaml:5: routes[0].strat: is no known key; did you mean start? {KEYS}"
    )


def test_a_missing_key_is_named() -> None:
    assert one("- {start: {pipeline: 1}}") == (
        "routes.yaml:4: routes[0].name: is required: what it started is remembered by this name, "
        "so do not reuse it: 1 to 63 letters, digits, `.`, `_` or `-`, the first a letter or digit"
    )


def test_a_value_of_the_wrong_kind_is_refused_on_its_line() -> None:
    assert (
        one("""\
        - name: a
          start:
            pipeline: "42"
        """)
        == "routes.yaml:6: routes[0].start.pipeline: must be a whole number, not text"
    )


def test_a_wrong_entry_of_a_mapping_is_found_among_the_right_ones() -> None:
    assert problems_in("""\
        - name: a
          match:
            tags:
              stage: production
              build: 7
          start: {pipeline: the second mistake}
        """) == [
        "routes.yaml:8: routes[0].match.tags.build: must be text, not a whole number",
        "routes.yaml:9: routes[0].start.pipeline: must be a whole number, not text",
    ]


def test_a_wrong_key_of_a_variable_is_found_among_the_right_ones() -> None:
    assert one("""\
        - name: a
          start:
            pipeline: 1
            variables:
              x: {value: 1}
              y: {value: 1, hidden: true}
        """) == (
        "routes.yaml:9: routes[0].start.variables.y.hidden: is no known key; allowed: value, secret"
    )


def test_a_route_that_is_no_mapping_is_refused() -> None:
    assert problems_in("""\
        - register-model
        -
        """) == [
        "routes.yaml:4: routes[0]: must be a mapping, not text",
        "routes.yaml:5: routes[1]: must be a mapping, not empty",
    ]


def test_all_mistakes_are_reported_at_once_by_line() -> None:
    assert problems_in("""\
        - name: a
          outcome: Running
          limit: many
          start: {pipeline: 0}
        - name: b
          wait: 10m
        - name: a
          start: {pipeline: 1}
        """) == [
        f"routes.yaml:5: routes[0].outcome: `Running` is not known; {OUTCOMES}",
        (
            "routes.yaml:6: routes[0].limit: `many` does not fit: starts per hour or day, 20/h or "
            "100/d; more of them wait"
        ),
        "routes.yaml:7: routes[0].start.pipeline: `0` must be from 1 to 2147483647",
        f"routes.yaml:9: routes[1].wait: is no known key; {KEYS}",
        "routes.yaml:10: routes[2].name: is the name of routes[0] too",
    ]
