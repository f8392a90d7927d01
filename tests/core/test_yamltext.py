"""What is read of YAML from outside, on both sides of each bound, with both of PyYAML's loaders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from functions.core.texts.yamltext import (
    DEEPEST,
    LONGEST_NUMBER,
    MOST_VALUES,
    NotYaml,
    composed,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
SAVED = ROOT.parent / "shared" / "cases" / "06-MLmodel-saved.yaml"
LOADERS = [yaml.SafeLoader, yaml.CSafeLoader]
NESTED: dict[str, Callable[[int], str]] = {
    "flow": lambda depth: "[" * depth + "]" * depth,
    "mappings": lambda depth: "{a: " * depth + "}" * depth,
    "block": lambda depth: "\n".join(" " * n + "a:" for n in range(depth)),
    "sequence": lambda depth: "- " * depth + "x",
}


def told(text: str | bytes) -> object:
    """What the text says."""
    return plain(composed(text))


def why(text: str | bytes) -> str:
    """Why it is refused."""
    with pytest.raises(NotYaml) as refused:
        told(text)
    return str(refused.value)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("kind", NESTED)
def test_what_is_nested_as_deep_as_allowed_is_read(kind: str, loader: object) -> None:
    text = NESTED[kind](DEEPEST)
    assert plain(composed(text, loader=loader)) == yaml.safe_load(text)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("kind", NESTED)
def test_what_is_nested_one_deeper_is_refused(kind: str, loader: object) -> None:
    with pytest.raises(NotYaml, match=f"^is nested more than {DEEPEST} deep$"):
        composed(NESTED[kind](DEEPEST + 1), loader=loader)


def test_what_is_too_long_or_too_wide_is_refused() -> None:
    assert composed("#" * 1_000_000) is None
    assert why("#" * 1_000_001) == "is longer than 1000000 characters"
    assert why(b"#" * 1_000_001) == "is longer than 1000000 bytes"
    assert composed("- x\n" * (MOST_VALUES - 1)) is not None
    assert why("- x\n" * MOST_VALUES) == f"has more than {MOST_VALUES} values"


def test_an_alias_is_what_it_names() -> None:
    assert told("a: &x {b: [1]}\nc: *x") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_aliases_that_multiply_are_not_unfolded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert why("\n".join(lines)).endswith(f"more than {MOST_VALUES} values, aliases counted")


def test_an_alias_of_what_it_stands_in_is_refused() -> None:
    assert why("&a [*a]").endswith("aliases counted")


def test_where_no_alias_is_wanted_one_is_refused() -> None:
    with pytest.raises(NotYaml, match=r"^has an alias$"):
        composed("a: &x [1]\nc: *x", aliases=False)


@pytest.mark.parametrize(
    "text", ["!!python/name:os.system x", "!secret x", "!!binary eA==", "!!set {a}", "<<: {a: 1}"]
)
def test_a_tag_that_json_has_nothing_for_is_refused(text: str) -> None:
    assert why(text) == "has a tag or a key that is not supported"


@pytest.mark.parametrize("text", ["!!int x", "!!float x", "!!bool x"])
def test_a_tag_that_does_not_fit_is_refused(text: str) -> None:
    assert why(text).startswith("has what is no ")


def test_a_key_that_is_a_list_is_refused() -> None:
    assert why("? [a]\n: b") == "has a key that is a list or a mapping"


def test_a_number_that_is_too_long_is_refused() -> None:
    assert told("9" * LONGEST_NUMBER) == int("9" * LONGEST_NUMBER)
    said = f"has a number of more than {LONGEST_NUMBER} characters"
    assert [why(text) for text in ("9" * 101, "0x" + "f" * 99, "1" + ":1" * 50)] == [said] * 3


def test_what_is_no_yaml_says_where() -> None:
    with pytest.raises(NotYaml, match=r"^is no YAML: .* flow sequence$") as refused:
        composed("a: 1\nb: [1\nc: 2\n")
    assert refused.value.line == 3


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"\x00", "\ud800", "a: \x01"])
def test_what_is_no_text_is_refused(text: str | bytes) -> None:
    assert why(text).startswith("is no YAML: ")


@pytest.mark.parametrize("file", [ROOT / "benchmarks/cold/MLmodel", SAVED], ids=lambda f: f.name)
def test_an_mlmodel_says_what_pyyaml_says_of_it(file: Path) -> None:
    if not file.exists():
        pytest.skip(f"{file.name} is not here")
    assert told(file.read_bytes()) == yaml.safe_load(file.read_bytes())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "null",
            "~",
            "1",
            "-1",
            "0x1f",
            "1_000",
            "010",
            "1:30",
            "1.5",
            "1e3",
            ".inf",
            "yes",
        ),
        *("off", "'1'", "[1, a, null, true]", "{1: a, true: b, null: c}", "a: |\n  two\n  lines\n"),
    ],
)
def test_a_value_is_what_pyyaml_says(text: str) -> None:
    assert told(text) == yaml.safe_load(text)


def test_a_time_is_its_text() -> None:
    assert told("[2026-01-01, 2026-01-01T10:00:00Z]") == ["2026-01-01", "2026-01-01T10:00:00Z"]
