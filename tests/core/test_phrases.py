"""One way of telling numbers and lengths of time, wherever they are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.core.texts.phrases import counted, lasting


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (0, ("run",), "0 runs"),
        (1, ("run",), "1 run"),
        (2, ("run",), "2 runs"),
        (1, ("try", "tries"), "1 try"),
        (3, ("try", "tries"), "3 tries"),
    ],
)
def test_one_is_told_as_one(number: int, words: tuple[str, ...], told: str) -> None:
    assert counted(number, *words) == told


@pytest.mark.parametrize(
    ("span", "told", "briefly"),
    [
        (0.2, "0 s", "0 s"),
        (41, "41 s", "41 s"),
        (timedelta(minutes=10), "10 min", "10 min"),
        (200, "3 min 20 s", "3 min"),
        (7500, "2 h 5 min", "2 h"),
        (timedelta(hours=26), "1 d 2 h", "1 d"),
        (timedelta(days=400), "400 d", "400 d"),
        (timedelta(hours=2, seconds=5), "2 h", "2 h"),
        (-41, "41 s", "41 s"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(
    span: timedelta | float, told: str, briefly: str
) -> None:
    assert (lasting(span), lasting(span, units=1)) == (told, briefly)
