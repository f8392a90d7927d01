"""Each mistake in a `start`, and the exact line that its author reads."""

from __future__ import annotations

import pytest

from functions.core.routes.file.interpreting import decode
from tests.routes.files import problems, problems_in, route

ORGANIZATION = (
    "Azure DevOps organization (or collection, on a server): 1 to 64 letters, digits, blanks, "
    "`-`, `.` or `_`, no `..`, letters or digits at both ends"
)
PROJECT = (
    "Azure DevOps project: 1 to 64 characters, none of /\\:~&%;@'\"?<>|#$*{},+=[], no `..`, no `_` "
    "or `.` in front, no `.` at the end"
)


def one(key: str, value: str) -> str:
    """The only problem with a start that has this key."""
    (line,) = problems_in(f"""\
        - name: a
          start:
            pipeline: 1
            {key}: {value}
        """)
    return line


def test_a_start_needs_an_organization_and_a_project_from_somewhere() -> None:
    assert problems("version: 1\nroutes:\n- name: a\n  start: {pipeline: 1}\n") == [
        "routes.yaml:4: routes[0].start.organization: is given neither here nor in `defaults`",
        "routes.yaml:4: routes[0].start.project: is given neither here nor in `defaults`",
    ]


@pytest.mark.parametrize(
    "text", ["a/b", "a/../b", "..", "a?b", "a#b", "a\\b", "a..b", "a%2fb", "ä"]
)
def test_an_organization_that_could_change_the_url_is_refused(text: str) -> None:
    assert one("organization", f"'{text}'") == (
        f"routes.yaml:7: routes[0].start.organization: `{text}` does not fit: {ORGANIZATION}"
    )


@pytest.mark.parametrize("text", ["a/b", "..", ".", "a?b", "a#b", "a\\b", "a%2fb", "_a", "a."])
def test_a_project_that_could_change_the_url_is_refused(text: str) -> None:
    assert one("project", f"'{text}'") == (
        f"routes.yaml:7: routes[0].start.project: `{text}` does not fit: {PROJECT}"
    )


@pytest.mark.parametrize("text", ["a/b", "..", "a_b", "a?b", "a b", "a" * 128])
def test_a_secret_that_no_key_vault_has_is_refused(text: str) -> None:
    shown = text if len(text) < 80 else text[:79] + "…"
    assert one("secret", f"'{text}'") == (
        f"routes.yaml:7: routes[0].start.secret: `{shown}` does not fit: Key Vault secret with its "
        "token: 1 to 127 letters, digits or `-`"
    )


def test_the_defaults_are_checked_in_the_same_way() -> None:
    assert problems(
        "version: 1\ndefaults:\n  organization: a\n  project: a/b\nroutes:\n"
        "- {name: a, start: {pipeline: 1}}\n"
    ) == [f"routes.yaml:4: defaults.project: `a/b` does not fit: {PROJECT}"]


@pytest.mark.parametrize(
    "text",
    ["main", "refs/heads/", "refs/heads/a..b", "refs/heads/a b", "refs/notes/a", "refs/heads/a~1"],
)
def test_a_branch_that_is_no_full_name_is_refused(text: str) -> None:
    assert one("branch", text) == (
        f"routes.yaml:7: routes[0].start.branch: `{text}` does not fit: where the "
        "pipeline's YAML is read, default its default branch: a full name such as "
        "refs/heads/main, refs/tags/v1 or refs/pull/7/merge"
    )


@pytest.mark.parametrize(
    "text", ["refs/heads/main", "refs/heads/feature/x-1", "refs/tags/v1.2", "refs/pull/7/merge"]
)
def test_a_full_branch_name_is_taken(text: str) -> None:
    start = route(f"- {{name: a, start: {{pipeline: 1, branch: {text}}}}}").start

    assert start is not None
    assert start.branch == text


@pytest.mark.parametrize("number", ["0", "-1", "2147483648"])
def test_a_pipeline_version_is_a_positive_32_bit_number(number: str) -> None:
    assert one("pipeline_version", number) == (
        f"routes.yaml:7: routes[0].start.pipeline_version: `{number}` must be from 1 to 2147483647"
    )


def test_a_correlation_that_is_a_parameter_too_is_refused() -> None:
    assert problems_in("""\
        - name: a
          start:
            pipeline: 1
            correlation: relay_id
            parameters: {Relay_Id: x}
        """) == [
        (
            "routes.yaml:7: routes[0].start.correlation: names `Relay_Id`, which stands among the "
            "parameters as well"
        )
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ run.ID }}", "`run.ID` is no fact; did you mean run.id?"),
        ("{{ run.metric.auc }}", "`run.metric.auc` is no fact; did you mean run.metrics.NAME?"),
        ("{{ model.versoin }}", "`model.versoin` is no fact; did you mean model.version?"),
        ("{{ run.tags }}", "`run.tags` is no fact: say which one, as in run.tags.NAME"),
        ("{{ run.id", "`{{` without a fact's name and `}}`: write {{ run.id }}"),
    ],
)
def test_a_placeholder_that_is_no_fact_is_refused_with_the_nearest_fact(
    text: str, said: str
) -> None:
    assert problems_in(f"""\
        - name: a
          start:
            pipeline: 1
            parameters:
              b: ok
              x: ["{text}"]
        """) == [f"routes.yaml:9: routes[0].start.parameters.x: {said}"]


def test_a_placeholder_far_from_any_fact_is_refused_with_all_facts() -> None:
    line = one("parameters", "{x: '{{ nonsense }}'}")

    assert "`nonsense` is no fact; known are event.id, event.type" in line
    assert "run.properties.*" in line


def test_a_placeholder_in_a_variable_is_checked_too() -> None:
    assert one("variables", "{x: {value: '{{ run.x }}'}}").startswith(
        "routes.yaml:7: routes[0].start.variables.x: `run.x` is no fact"
    )


def test_a_placeholder_in_a_key_is_refused() -> None:
    assert one("parameters", "{x: {'{{ run.id }}': 1}}") == (
        "routes.yaml:7: routes[0].start.parameters.x: a key holds `{{`: only values may name facts"
    )


def test_a_parameter_without_a_name_is_refused() -> None:
    assert one("parameters", "{'': 1}") == (
        "routes.yaml:7: routes[0].start.parameters: `` does not fit: 1 to 256 printable characters"
    )


def test_the_file_is_named_as_it_was_given() -> None:
    with pytest.raises(Exception, match=r"^conf/my\.yaml:1: the file is no mapping"):
        decode("", "conf/my.yaml")
