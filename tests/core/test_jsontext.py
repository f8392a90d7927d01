"""What is read of JSON from outside, on both sides of each bound."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.core.texts import jsontext
from functions.core.texts.jsontext import DEEPEST, MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable


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


NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
TEXTS = st.text().map(json.dumps) | st.text().map(lambda text: json.dumps(text, ensure_ascii=False))
ODD = st.sampled_from(["NaN", "-Infinity", '"\\ud800"', "01", "1.", "tru", "", "'a'"])
LEAVES = NUMBERS | TEXTS | ODD | st.sampled_from(["true", "false", "null"])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner).map(lambda found: f"[{', '.join(found)}]")
        | st.dictionaries(TEXTS, inner).map(
            lambda found: f"{{{','.join(f'{k} : {v}' for k, v in found.items())}}}"
        )
    ),
    max_leaves=8,
)


def read_by(reader: Callable[[str | bytes], object], text: str | bytes) -> str:
    try:
        return repr(reader(text))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


@given(JSON, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@example('{"a": 1, "a": 2.50}', "utf-8")
@example("[1e400, -0, -0.0, 18446744073709551616]", "utf-8")
@example('["\ud800"]', "utf-8")
def test_whatever_is_read_is_read_as_python_reads_it(text: str, encoding: str) -> None:
    sent = text.encode(encoding, "surrogatepass")
    for one in (text, sent):
        assert read_by(jsontext.read, one) == read_by(json.loads, one)
