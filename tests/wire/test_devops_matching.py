"""Which builds are taken for the answer to a request: what was asked, however it is shown.

A build that is not recognised is asked for twice, one that is wrongly recognised is not asked for.
"""

from __future__ import annotations

import json

import pytest

from functions.adapters.devops.matching import matches
from functions.core.terms.pipelines import PipelineRequest


def request(**body: object) -> PipelineRequest:
    return PipelineRequest(
        organization="contoso", project="mlops", pipeline=42, secret="pat", body=json.dumps(body)
    )


def shows(asked: str, shown: object) -> bool:
    """Whether a build that shows this value is taken for one that was asked with that text."""
    asking = request(templateParameters={"value": asked})
    return matches(asking, {"id": 1, "templateParameters": {"value": shown}})


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("text", "text"),
        ("", ""),
        (" two  spaces ", " two  spaces "),
        ("a: b: c", "a: b: c"),
        ("true", "True"),
        ("FALSE", "false"),
        ("true", True),
        ("True", True),
        ("false", False),
        ("7", 7),
        ("0.5", 0.5),
        ("10.0", 10),
        ("1e-05", 0.00001),
        ("-3", -3.0),
        ('{"a":1,"b":[true]}', {"b": [True], "a": 1}),
        ('{"a":1,"b":2}', '{ "b": 2, "a": 1 }'),
        ("- a\n- b", ["a", "b"]),
        ("a: 1\nb: {c: x}", {"a": 1, "b": {"c": "x"}}),
        ('["a","b"]', "- a\n- b\n"),
        ("day: 2026-11-21", {"day": "2026-11-21"}),
    ],
)
def test_the_same_value_is_recognised_however_it_is_shown(asked: str, shown: object) -> None:
    assert shows(asked, shown)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("text", "Text"),
        ("text # comment", "text"),
        ("2026_1_12", "2026_11_2"),
        ("1_0", "10"),
        ("010", "8"),
        ("yes", "on"),
        ("12:30", "750"),
        ("[" * 5000, "[" * 4999),
        ("1", "true"),
        ("1", True),
        ("true", 1),
        ("0", False),
        ("true", "false"),
        ("true", False),
        ("7", 8),
        ("[1,2]", [2, 1]),
        ('{"a":1}', {"a": 1, "b": 2}),
        ('{"a":1}', {"a": True}),
        ("- a\n- b", ["a"]),
        ("a: [", "b: ["),
        ("text", None),
        ("", None),
    ],
)
def test_another_value_is_not_recognised(asked: str, shown: object) -> None:
    assert not shows(asked, shown)


@pytest.mark.parametrize(("asked", "shown"), [("Run_Id", "run_id"), ("run_id", "RUN_ID")])
def test_names_are_compared_in_any_case_as_the_service_does(asked: str, shown: str) -> None:
    asking = request(templateParameters={asked: "r1"})
    assert matches(asking, {"templateParameters": {shown: "r1"}})


def test_a_build_may_carry_more_than_was_asked() -> None:
    asking = request(templateParameters={"run_id": "r1"})
    assert matches(asking, {"templateParameters": {"run_id": "r1", "default": "x"}})


@pytest.mark.parametrize("shown", [{}, {"other": "r1"}, None, ["run_id"], "run_id"])
def test_a_build_without_a_parameter_that_was_asked_is_another(shown: object) -> None:
    assert not matches(request(templateParameters={"run_id": "r1"}), {"templateParameters": shown})


VARIABLES = {
    "Model": {"value": "m", "isSecret": False},
    "TOKEN": {"value": "t", "isSecret": True},
}


@pytest.mark.parametrize(
    ("parameters", "same"),
    [
        ('{"model": "m"}', True),
        ('{"MODEL": "m", "system.debug": "false"}', True),
        ('{"model": "n"}', False),
        ('{"TOKEN": "t"}', False),
        ("{}", False),
        ("", False),
        ("no JSON", False),
        ("[]", False),
        ("[" * 101 + "]" * 101, False),
        ("[" * 100_000, False),
        ('{"model": ' + "9" * 5_000 + "}", False),
        ('{"x": ' + "9" * 5_000 + ', "model": "m"}', True),
        (None, False),
        (5, False),
    ],
)
def test_variables_are_compared_but_for_secret_ones_that_no_build_shows(
    parameters: object, same: bool
) -> None:
    assert matches(request(variables=VARIABLES), {"parameters": parameters}) is same


@pytest.mark.parametrize(
    ("branch", "same"), [("refs/heads/release", True), ("refs/heads/main", False), (None, False)]
)
def test_a_branch_that_was_asked_is_the_build_s(branch: str | None, same: bool) -> None:
    asking = request(resources={"repositories": {"self": {"refName": "refs/heads/release"}}})
    assert matches(asking, {"sourceBranch": branch}) is same


def test_without_a_branch_in_the_request_any_will_do() -> None:
    asking = request(templateParameters={"run_id": "r1"})
    build = {"templateParameters": {"run_id": "r1"}, "sourceBranch": "refs/heads/any"}
    assert matches(asking, build)


def test_a_value_that_would_unfold_to_gigabytes_is_compared_as_text() -> None:
    folds = (f",&a{n} [*a{n - 1},*a{n - 1},*a{n - 1}]" for n in range(1, 40))
    bomb = f"[&a0 [x]{''.join(folds)}]"
    assert not shows(bomb, "another")
    assert shows(bomb, bomb)


@pytest.mark.parametrize(
    "odd",
    ["[" * 101 + "]" * 101, "[" * 100_000, f"[{'9' * 5_000}]", "[1" + ":1" * 5_000 + "]", "[!x y]"],
    ids=lambda odd: odd[:3],
)
def test_a_value_that_cannot_be_read_is_compared_as_text(odd: str) -> None:
    assert not shows(odd, "another")
    assert not shows("[1]", odd)
    assert shows(odd, odd)
