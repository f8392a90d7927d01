"""What is read of JSON from outside, on both sides of each bound."""

from __future__ import annotations

import json
import math

import pytest

from functions.core.texts import jsontext
from functions.core.texts.jsontext import DEEPEST, MOST_DIGITS


def lists(depth: int) -> str:
    """So many lists, each in the one before."""
    return "[" * depth + "]" * depth


def mappings(depth: int) -> str:
    """So many mappings, each in the one before."""
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("nested", [lists, mappings])
def test_what_is_nested_as_deep_as_allowed_is_read(nested: object) -> None:
    text = nested(DEEPEST)  # type: ignore[operator]
    assert json.dumps(jsontext.read(text), separators=(",", ":")) == text


@pytest.mark.parametrize("depth", [DEEPEST + 1, 5_000, 200_000])
@pytest.mark.parametrize("nested", [lists, mappings])
def test_what_is_nested_deeper_is_no_json(nested: object, depth: int) -> None:
    with pytest.raises(ValueError, match=f"^nested more than {DEEPEST} deep$"):
        jsontext.read(nested(depth))  # type: ignore[operator]


def test_brackets_in_a_text_nest_nothing() -> None:
    assert jsontext.read(json.dumps(["[" * 500])) == ["[" * 500]
    assert jsontext.read(json.dumps([[1]] * 500)) == [[1]] * 500


def test_a_number_of_too_many_digits_costs_only_itself() -> None:
    most, sign = "9" * MOST_DIGITS, "-"
    found = jsontext.read(f'{{"a": {most}, "b": {most}9, "c": {sign}{most}, "d": 1, "e": 1.5}}')
    assert (found["a"], found["c"]) == (10**MOST_DIGITS - 1, 1 - 10**MOST_DIGITS)
    assert math.isnan(found["b"])
    assert (found["d"], found["e"]) == (1, 1.5)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[1,]", "9" * 5_000 + "x", '{"a": 1}}'])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        jsontext.read(text)
