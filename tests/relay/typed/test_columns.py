"""Lists in terminals of any width: nothing is broken, what is cut says so, the last is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relay.columns import Column, lines, wide
from relay.continuations import listing
from relay.coverage import coverage
from tests.ledger import samples
from tests.running import terminal

if TYPE_CHECKING:
    from tests.relay.conftest import Desk

SHOWN = (Column("a"), Column("b", cut=4), Column("c", drop=2), Column("d", drop=1), Column("key"))
ROW = ("1", "quite long", "three", "four", "the/whole/key")
WHOLE = "1  quite long  three  four  the/whole/key"


def row(within: int | None, *cells: str) -> str:
    return [*lines(SHOWN, [cells or ROW], within)][1]


@pytest.mark.parametrize(
    ("within", "told"),
    [
        (None, WHOLE),
        (1000, WHOLE),
        (len(WHOLE), WHOLE),
        (len(WHOLE) - 1, "1  quite lo…  three  four  the/whole/key"),
        (35, "1  qui…  three  four  the/whole/key"),
        (34, "1  quite long  four  the/whole/key"),
        (28, "1  qui…  four  the/whole/key"),
        (27, "1  quite lo…  the/whole/key"),
        (22, "1  qui…  the/whole/key"),
        (10, "1  qui…  the/whole/key"),
    ],
)
def test_as_much_is_shown_as_there_is_room_for_and_the_last_is_whole(
    within: int | None, told: str
) -> None:
    assert row(within) == told


def test_one_very_long_key_costs_the_others_no_column() -> None:
    found = [*lines(SHOWN, [ROW, (*ROW[:-1], "k" * 300)], 70)]
    assert found[1] == "1  quite…  three  four  the/whole/key"
    assert found[2].endswith("  three  four  " + "k" * 300)


@pytest.mark.parametrize(("text", "places"), [("a", 1), ("缺陷", 4), ("e\u0301", 1), ("", 0)])
def test_columns_stand_below_each_other_in_any_script(text: str, places: int) -> None:
    assert wide(text) == places
    assert wide(row(None, text, "b", "c", "d", "key")) == max(places, 1) + 14


def test_headings_stand_above_their_columns() -> None:
    heading, one = lines(SHOWN, [ROW], None)
    assert [heading.index(word) for word in "BCD"] == [
        one.index(w) for w in ("quite", "thr", "fou")
    ]
    assert heading.index("KEY") == one.index("the/whole")


def test_the_lists_of_operators_end_with_what_they_copy() -> None:
    assert [listing.HEADINGS[-1], coverage.HEADINGS[-1]] == [Column("key"), Column("run")]


def test_a_list_fits_a_terminal_of_eighty_columns(desk: Desk) -> None:
    desk.stage.ledger.claim(samples.opened("plum_pot_1", at=desk.stage.clock.now()))
    shown = terminal.shown(80, "list", environ=desk.stage.environ)
    heading, one, total = shown
    assert heading.split() == ["AGE", "STATE", "REASON", "KEY"]
    assert one.split()[-1] == "register/plum_pot_1/Completed@defects"
    assert (max(map(len, shown)) <= 80, total) == (True, "1 continuation")
