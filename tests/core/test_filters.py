"""What a pattern fits, however its author and that of the text shape them."""

from __future__ import annotations

import fnmatch
import random
import re
from typing import Any

import pytest

from functions.core.memory import first_seen
from functions.core.routes.definition import Match, Route
from functions.core.routes.filters import fits

SEED = 20_261_122


@pytest.mark.parametrize(
    ("pattern", "text", "so"),
    [
        (None, "anything", True),
        ("", "", True),
        ("", "x", False),
        ("*", "", True),
        ("defect-*", "Defect-Detection", True),
        ("defect-*", "a defect-", False),
        ("*-prod", "eu-prod", True),
        ("*-prod", "eu-prod-2", False),
        ("?", "", False),
        ("a?c", "abc", True),
        ("a**c", "abbc", True),
        ("*ab*ab*", "abab", True),
        ("*ab*ab*", "aba", False),
        ("*a?b*b", "axbab", True),
        ("*a*a", "a", False),
        ("a.c", "abc", False),
        ("*", "two\nlines", True),
        ("[ab]", "[AB]", True),
    ],
)
def test_a_pattern_fits(pattern: str | None, text: str, *, so: bool) -> None:
    assert fits(pattern, text) is so


def test_any_pattern_fits_as_a_plain_translation_says() -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    for _ in range(20_000):
        pattern = "".join(chance.choices("ab*?", k=chance.randrange(8)))
        text = "".join(chance.choices("ab", k=chance.randrange(9)))
        plain = re.fullmatch(fnmatch.translate(pattern), text) is not None
        assert fits(pattern, text) is plain, (SEED, pattern, text)


def test_no_text_makes_a_pattern_try_all_ways_to_share_it_out() -> None:
    assert not fits("*a*b*c*d*e*f*", "abcde" * 800)
    assert not fits("*a*a*a*a*a*a*b", "a" * 4096)


class Wider(Match, frozen=True, kw_only=True, omit_defaults=True):
    """The filters of a later version."""

    region: str | None = None


@pytest.mark.parametrize("filters", [{}, {"experiment": "defect-*", "tags": {"stage": "p"}}])
def test_a_filter_that_a_later_version_adds_makes_no_route_another_one(filters: Any) -> None:
    today, later = (Route(name="r", match=kind(**filters)) for kind in (Match, Wider))
    assert first_seen.digest(later) == first_seen.digest(today)
    other = Route(name="r", match=Wider(**filters, region="eu"))
    assert first_seen.digest(other) != first_seen.digest(today)
