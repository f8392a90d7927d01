"""What people and stores are shown of an outside text: one line, without tokens, in linear time."""

from __future__ import annotations

import base64
import importlib
import json
import random
from typing import Any

import pytest

from functions.core.texts import bounds
from functions.core.texts.bounds import LONGEST_TOKEN, bounded

SEED = 20_261_129


def part(text: str) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


HEAD = part(json.dumps({"alg": "RS256", "kid": "k"}))
SIGNED = f"{HEAD}.{part('claims')}.{part('signature')}"
UNSIGNED = f"{HEAD}.{part('claims')}."
ENCRYPTED = ".".join([HEAD, *(part(text) for text in ("key", "vector", "text", "tag"))])
WITH_ITS_KEY_AGREED = ".".join([HEAD, "", *(part(text) for text in ("vector", "text", "tag"))])
LONG = f"{HEAD}.{part('c' * 5_000)}.{part('s' * 700)}"
ESCAPES = {
    "\x00": "\\u0000",
    "\x1b": "\\u001b",
    "\x7f": "\\u007f",
    "\x85": "\\u0085",
    "\x9b": "\\u009b",
    "\xad": "\\u00ad",
    "\u034f": "\\u034f",
    "\u200b": "\\u200b",
    "\u200f": "\\u200f",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
    "\u202e": "\\u202e",
    "\u2066": "\\u2066",
    "\u3164": "\\u3164",
    "\ufe0f": "\\ufe0f",
    "\ufeff": "\\ufeff",
    "\ud800": "\\ud800",
    "\U000e0001": "\\U000e0001",
    "\U000e0100": "\\U000e0100",
}
TOKENS = [SIGNED, UNSIGNED, ENCRYPTED, WITH_ITS_KEY_AGREED, LONG]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", "Bearer {} was refused", "token={}&x=1", '{{"t":"{}"}}', "a_{}", "eyJ {}"]
)
def test_no_part_of_a_token_is_shown(token: str, around: str) -> None:
    assert bounded(around.format(token)) == around.format("***")


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_that_begins_just_before_the_cut_is_hidden(token: str) -> None:
    told = bounded("x" * 90 + " " + token + " and more", 100)

    assert told == "x" * 90 + " *** and …"


def test_what_was_left_out_behind_a_token_is_told_by_a_mark() -> None:
    assert bounded(SIGNED + " " + "x" * (500 + LONGEST_TOKEN)).endswith("x…")
    assert bounded(SIGNED + " " * 9_000 + "x") == "***…"


def test_several_tokens_are_hidden_one_by_one() -> None:
    assert bounded(f"{SIGNED}, {ENCRYPTED} and {SIGNED}") == "***, *** and ***"


@pytest.mark.parametrize("text", ["eyJ", "eyJhbGciOiJIUzI1NiJ9", f"{HEAD}.x", "eyJab.cd.ef"])
def test_what_is_no_token_is_shown(text: str) -> None:
    assert bounded(text) == text


def test_a_token_is_found_behind_what_only_begins_as_one() -> None:
    assert bounded(f"eyJab.{SIGNED}") == "eyJab.***"
    assert bounded(f"{HEAD}.{SIGNED}") == "***"


@pytest.mark.parametrize("odd", ["\n", "\r\n", "\t", "\v", "\f"], ids=ascii)
def test_layout_is_a_space(odd: str) -> None:
    assert bounded(f"a{odd}b{odd}") == "a b"
    assert bounded(f"a{odd * 3}b") == "a b"
    assert bounded("Erreur\u00a0: le\u3000x") == "Erreur : le x"


@pytest.mark.parametrize(("odd", "shown"), ESCAPES.items(), ids=ESCAPES.values())
def test_what_nobody_sees_as_what_it_is_is_shown_as_its_escape(odd: str, shown: str) -> None:
    assert bounded(f"a{odd}b{odd}") == f"a{shown}b{shown}"
    assert bounds.visible(f"\n{odd}") == f"\\u000a{shown}"
    assert bounds.visible(shown) == bounded(shown) == shown


def test_a_fact_stays_as_it_is_but_for_control_characters_and_tokens() -> None:
    family = "👩\u200d🚀\ufe0f and \u202eb"
    assert bounds.kept(family) == family
    assert bounds.kept(f"a\x1b[1m\x85\u2028\ud800b{SIGNED}", 20) == "a [1m b***"
    assert bounds.kept("x" * 30, 20) == "x" * 19 + "…"


def test_any_text_can_be_typed_as_it_is_shown() -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    pieces = [
        "\\",
        "u",
        "U",
        "202e",
        "000e0001",
        "005c",
        "\u202e",
        "\x85",
        "\U000e0001",
        "d800",
        "é",
    ]
    for _ in range(20_000):
        text = "".join(chance.choices(pieces, k=chance.randrange(9)))
        shown = bounds.visible(bounds.exact(text))
        assert bounds.meant(shown) == text, (SEED, ascii(text))
        assert bounds.meant(bounds.exact(text)) == text, (SEED, ascii(text))
        assert bounds.visible(shown) == shown, (SEED, ascii(text))


@pytest.mark.parametrize("text", ["\\ud800", "\\U00110000", "\\udfff", "\\u20", "C:\\users"])
def test_what_stands_for_no_character_is_no_escape(text: str) -> None:
    assert bounds.meant(text) == bounds.exact(text) == text


@pytest.mark.parametrize("text", ["", "plain", "größer", "日本語", "a  b", "🚀", "é", "##[x]"])
def test_what_is_printable_stays(text: str) -> None:
    assert bounded(text) == text


def test_any_text_is_told_on_one_line_that_is_not_too_long() -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    pieces = ["eyJ", ".", "abcdefgh", "-", " ", "\n", "\x1b", "é", SIGNED, "\u2028"]
    for _ in range(5_000):
        text = "".join(chance.choices(pieces, k=chance.randrange(30)))
        told = bounded(text, 40)
        assert told.isprintable(), (SEED, text)
        assert len(told) <= 40, (SEED, text)
        assert HEAD not in told, (SEED, text)


@pytest.mark.parametrize("value", [10**5_000, -(10**5_000)], ids=["large", "small"])
def test_a_number_of_too_many_digits_is_named_by_its_kind(value: int) -> None:
    assert bounded(value) == "a int"


def test_what_is_nested_too_deep_is_named_by_its_kind() -> None:
    nested: list[object] = []
    for _ in range(200_000):
        nested = [nested]
    told = bounded(nested)
    while nested:  # let go of one by one: not every Python takes it apart without going deep
        nested = nested.pop()  # type: ignore[assignment]

    assert told == "a list"


def _repeats(parsed: Any) -> list[str]:
    """The kinds of all repeats without an end in a parsed pattern."""
    kinds = []
    for kind, given in parsed:
        if str(kind).endswith("REPEAT"):
            kinds += [str(kind)] if str(given[1]) == "MAXREPEAT" else []
            kinds += _repeats(given[2])
        elif str(kind) == "SUBPATTERN":
            kinds += _repeats(given[3])
        elif str(kind) == "BRANCH":
            kinds += [repeat for branch in given[1] for repeat in _repeats(branch)]
    return kinds


def test_no_text_makes_the_search_for_tokens_go_back() -> None:
    parse = importlib.import_module("re._parser").parse

    assert {*_repeats(parse(r"(a+?|b*)c*+"))} == {"MIN_REPEAT", "MAX_REPEAT", "POSSESSIVE_REPEAT"}
    assert {*_repeats(parse(bounds.TOKEN.pattern))} == {"POSSESSIVE_REPEAT"}


@pytest.mark.parametrize(
    ("piece", "parts"),
    [("eyJ", 0), ("eyJa", 0), ("eyJ-", 0), ("eyJabcdefgh", 0), ("eyJeyJ.", 1), ("eyJeyJ. ", 1)],
)
@pytest.mark.parametrize("times", [1_000, 4_000])
def test_what_begins_as_a_token_is_gone_through_once(piece: str, parts: int, times: int) -> None:
    begun = [found[0] for found in bounds.TOKEN.finditer(piece * times)]

    assert len(begun) == (parts * times or 1)
    assert "".join(begun) == piece.rstrip(". ") * times
