"""When a schedule comes next, as the host's own extension said when it was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.configuration import occurrences

SUNDAY = datetime(2026, 11, 29, 4, tzinfo=UTC)  # 04:00


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("schedule", "next_one"),
    [
        ("0 */5 * * * *", "2026-11-29T04:05"),
        ("*/5 * * * *", "2026-11-29T04:05"),
        ("00:05:00", "2026-11-29T04:05"),
        ("00:05", "2026-11-29T04:05"),
        ("1.00:00:00", "2026-11-30T04:00"),
        ("0 0 3 1 * 1", "2027-02-01T03:00"),  # the next first that is a Monday
        ("0 0 3 * * sunday", "2026-12-06T03:00"),
        ("0 0 3 * JAN,jun *", "2027-01-01T03:00"),
        ("0 5/15 * * * *", "2026-11-29T04:05"),
        ("0 0 3 29 2 *", "2028-02-29T03:00"),
        ("30 0 4 * * *", "2026-11-29T04:00:30"),
    ],
)
def test_the_next_one_is_the_hosts(schedule: str, next_one: str) -> None:
    assert occurrences.missed(schedule, SUNDAY, 1) == at(next_one)


def test_three_that_are_missed_are_the_third_next() -> None:
    assert occurrences.missed("0 */30 8-9 * * 1-5", SUNDAY) == at("2026-11-30T09:00")
    assert occurrences.missed("00:30:00", SUNDAY) == SUNDAY + timedelta(minutes=90)
    assert occurrences.missed("0 * * * * *", SUNDAY) == SUNDAY + timedelta(minutes=3)


def test_one_that_comes_next_after_many_years_is_not_missed_in_a_lifetime() -> None:
    leap_sundays = occurrences.missed("0 0 3 29 2 0", SUNDAY)
    assert leap_sundays > at("2100-01-01T00:00")


def test_the_moment_itself_is_no_next_one() -> None:
    assert occurrences.missed("0 0 4 * * *", SUNDAY, 1) == at("2026-11-30T04:00")
