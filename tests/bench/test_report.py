"""What a report says of figures, and what it keeps of those that were not measured again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import report
from benchmarks.report import Section, Target

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("found", "at_least", "met"),
    [(1.2, False, True), (1.3, False, False), (1.2, True, True), (1.1, True, False)],
)
def test_a_limit_itself_is_within_it(found: float, *, at_least: bool, met: bool) -> None:
    assert Target("it", found, 1.2, at_least=at_least).met is met


def test_a_miss_is_shown_with_its_reason_and_a_hit_without() -> None:
    hit, miss = (Target("it", found, 2, "ms", accepted=4, why="so it is") for found in (1, 3))
    assert hit.row == ("it", "1 ms", "≤ 2 ms", "met")
    assert miss.row == ("it", "3 ms", "≤ 2 ms", "**missed**, accepted ≤ 4 ms: so it is")


@pytest.mark.parametrize(
    ("found", "accepted", "fails"), [(2, None, False), (3, None, True), (3, 4, False), (5, 4, True)]
)
def test_a_miss_fails_unless_it_is_accepted(
    found: float, accepted: float | None, *, fails: bool
) -> None:
    assert Target("it", found, 2, accepted=accepted).fails() is fails


@pytest.mark.parametrize(
    ("target", "fails"),
    [
        (Target("it", 8, 2, accepted=4), False),
        (Target("it", 13, 2, accepted=4), True),
        (Target("it", 8, 2, accepted=4, counted=True), True),
        (Target("it", 1, 2, at_least=True), False),
        (Target("it", 0.5, 2, at_least=True), True),
        (Target("it", 1, 2, at_least=True, counted=True), True),
    ],
)
def test_where_figures_are_rough_only_what_was_counted_is_judged_to_the_letter(
    target: Target, *, fails: bool
) -> None:
    assert target.fails(rough=3.0) is fails


def test_what_another_table_shows_is_listed_where_it_is_missed_only() -> None:
    hit, miss = (Target(f"{found} calls", found, 2, "", listed=False) for found in (2, 3))
    text = report.shown(Section(title="Calls", text="by service", targets=(hit, miss)))
    assert "3 calls" in text
    assert "2 calls" not in text


def test_the_report_begins_with_what_was_missed(tmp_path: Path) -> None:
    parts = {
        "speed": Section(title="Speed", text="", targets=(Target("ms", 1, 2),), seconds=3),
        "calls": Section(title="Calls", text="", targets=(Target("calls", 9, 2, ""),), seconds=4),
    }
    report.write(parts, tuple(parts), tmp_path)
    first = (tmp_path / "RESULTS.md").read_text("utf-8").partition("\n## ")[0]
    assert "1 of 2 targets are met. Those that are not:" in first
    assert "| calls | 9 | ≤ 2 | **missed** |" in first
    assert "It took: speed 3 s, calls 4 s." in first


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0223, "0.0223"), (1.6, "1.6"), (99.96, "100"), (12345.6, "12,346")]
)
def test_numbers_have_three_digits_that_count(value: float, shown: str) -> None:
    assert report.number(value) == shown


def test_what_is_not_measured_again_stays_in_its_place(tmp_path: Path) -> None:
    order = ("speed", "growth")
    growth = Section(title="Growth", text="it grows", figures={"ms": 2.5}, machine="an old one")
    report.write({"growth": growth}, order, tmp_path)
    speed = Section(title="Speed", text="fast", machine="a new one")
    report.write({"speed": speed}, order, tmp_path)
    text = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert text.index("speed: a new one") < text.index("growth: an old one")
    assert text.index("fast") < text.index("## Growth") < text.index("it grows")
    assert report.read(tmp_path)["growth"] == growth
    assert list(json.loads((tmp_path / "figures.json").read_text("utf-8"))) == ["speed", "growth"]
