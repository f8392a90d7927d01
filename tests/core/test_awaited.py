"""By when a run is awaited, and what is told once that is over: time by time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta

import pytest

from functions.core.rounds.expecting import awaited
from functions.core.rounds.expecting.awaited import GRACE, Awaited
from functions.core.routes.expectation import WEEKDAYS, Expectation
from functions.core.terms.words import Happening

BERLIN = "Europe/Berlin"
AT_SIX = Expectation(by=time(6), zone=BERLIN)
WORKDAYS = Expectation(by=time(6), zone=BERLIN, days=WEEKDAYS)
DAILY = Expectation(within=timedelta(hours=26))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MONDAY = datetime(2026, 1, 5, 5, tzinfo=UTC)  # six o'clock in Berlin
DAY = timedelta(days=1)
OVERDUE, CAME = Happening.OVERDUE, Happening.CAME


def told(
    what: Expectation, begins: datetime, ends: list[datetime], until: datetime
) -> list[tuple[Happening, datetime]]:
    """What is told, and when, if somebody looks each five minutes; each event is told at once."""
    one, now, found = awaited.begun(what, begins), begins, list[tuple[Happening, datetime]]()
    while now <= until:
        one, happened = awaited.judged(one, what, [end for end in ends if end <= now], now)
        found += [(each.about, now) for each in happened]
        now += GRACE
    return found


def test_nothing_is_told_while_one_comes_each_day() -> None:
    ends = [MONDAY + n * DAY - 3 * HOUR for n in range(6)]
    assert told(AT_SIX, MONDAY - HOUR, ends, MONDAY + 5 * DAY) == []


def test_one_that_does_not_come_is_told_once_and_once_more_when_it_comes() -> None:
    ends = [MONDAY - 3 * HOUR, MONDAY + DAY + HOUR, MONDAY + 2 * DAY - HOUR]
    assert told(AT_SIX, MONDAY - HOUR, ends, MONDAY + 2 * DAY + HOUR) == [
        (OVERDUE, MONDAY + DAY + GRACE),
        (CAME, MONDAY + DAY + HOUR),
    ]


def test_one_that_is_late_does_not_stand_for_the_next() -> None:
    late = [MONDAY - HOUR, MONDAY + DAY + HOUR]
    assert told(AT_SIX, MONDAY - HOUR, late, MONDAY + 2 * DAY + HOUR) == [
        (OVERDUE, MONDAY + DAY + GRACE),
        (CAME, MONDAY + DAY + HOUR),
        (OVERDUE, MONDAY + 2 * DAY + GRACE),
    ]


def test_no_number_of_those_that_are_late_stands_for_the_next() -> None:
    late = [MONDAY - HOUR, *(MONDAY + DAY + n * HOUR for n in (1, 2, 3))]
    assert told(AT_SIX, MONDAY - HOUR, late, MONDAY + 2 * DAY + HOUR) == [
        (OVERDUE, MONDAY + DAY + GRACE),
        (CAME, MONDAY + DAY + HOUR),
        (OVERDUE, MONDAY + 2 * DAY + GRACE),
    ]


def test_one_at_its_usual_time_after_a_day_without_is_not_awaited_once_more() -> None:
    usual = [MONDAY + n * DAY - 3 * HOUR for n in (0, 2, 3)]
    assert told(AT_SIX, MONDAY - HOUR, usual, MONDAY + 3 * DAY + HOUR) == [
        (OVERDUE, MONDAY + DAY + GRACE),
        (CAME, MONDAY + 2 * DAY - 3 * HOUR),
    ]


def test_each_time_that_passes_is_told() -> None:
    assert told(AT_SIX, MONDAY + HOUR, [], MONDAY + 3 * DAY + HOUR) == [
        (OVERDUE, MONDAY + n * DAY + GRACE) for n in (1, 2, 3)
    ]


def test_nobody_waits_at_the_weekend_and_what_ends_then_counts_for_monday() -> None:
    friday = MONDAY + 4 * DAY
    saturday = friday + DAY
    assert told(WORKDAYS, friday - HOUR, [friday - HOUR, saturday], friday + 3 * DAY + HOUR) == []
    assert told(WORKDAYS, friday - HOUR, [friday - HOUR], friday + 3 * DAY + HOUR) == [
        (OVERDUE, friday + 3 * DAY + GRACE)
    ]


def test_one_that_ended_in_time_and_is_told_late_came() -> None:
    one = awaited.begun(AT_SIX, MONDAY + HOUR)
    one, happened = awaited.judged(one, AT_SIX, [], MONDAY + DAY + GRACE)
    assert [each.about for each in happened] == [OVERDUE]
    before = MONDAY + DAY - HOUR
    one, happened = awaited.judged(one, AT_SIX, [before], MONDAY + DAY + HOUR)
    assert [(each.about, each.at, each.due) for each in happened] == [(CAME, before, MONDAY + DAY)]
    assert one == Awaited(says=AT_SIX.digest, due=MONDAY + 2 * DAY, since=MONDAY + DAY)


def test_within_a_time_goes_by_the_one_before() -> None:
    ends = [MONDAY + HOUR, MONDAY + 26 * HOUR, MONDAY + 54 * HOUR]
    assert told(DAILY, MONDAY, ends, MONDAY + 60 * HOUR) == [
        (OVERDUE, MONDAY + 52 * HOUR + GRACE),
        (CAME, MONDAY + 54 * HOUR),
    ]


@pytest.mark.parametrize(
    ("day", "hour"),
    [((2026, 3, 28), 5), ((2026, 3, 29), 4), ((2026, 10, 24), 4), ((2026, 10, 25), 5)],
)
def test_six_o_clock_is_six_o_clock_on_the_nights_on_which_clocks_are_put(
    day: tuple[int, int, int], hour: int
) -> None:
    midnight = datetime(*day, tzinfo=UTC)
    assert AT_SIX.after(midnight) == midnight.replace(hour=hour)
    assert AT_SIX.before(midnight.replace(hour=23)) == midnight.replace(hour=hour)


def test_a_time_that_there_is_not_or_twice_comes_once() -> None:
    half_past_two = Expectation(by=time(2, 30), zone=BERLIN)
    spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
    assert half_past_two.after(spring) == spring + 1.5 * HOUR
    assert half_past_two.after(spring + 1.5 * HOUR) == spring + DAY + 0.5 * HOUR
    assert half_past_two.after(autumn) == autumn + 0.5 * HOUR
    assert half_past_two.after(autumn + 0.5 * HOUR) == autumn + DAY + 1.5 * HOUR


def test_a_time_that_is_put_past_midnight_is_not_passed_over() -> None:
    """Clocks are put forward from eleven in the evening to midnight there."""
    half_past = Expectation(by=time(23, 30), zone="America/Nuuk")
    due = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    for before in (HOUR, 10 * MINUTE):
        assert half_past.after(due - before) == due


@pytest.mark.parametrize("seed", range(5))
def test_whoever_looks_seldom_or_often_is_told_the_same(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    what = chance.choice((AT_SIX, WORKDAYS, DAILY))
    begins = MONDAY + chance.randrange(7) * DAY + HOUR
    ends = sorted(begins + chance.uniform(0, 6) * DAY for _ in range(chance.randrange(7)))
    often = seldom = awaited.begun(what, begins)
    told_often: list[object] = []
    told_seldom: list[object] = []
    for n in range(6 * 24 * 12):
        now = begins + n * 5 * MINUTE
        known = [end for end in ends if end <= now]
        often, happened = awaited.judged(often, what, known, now)
        told_often += happened
        if chance.random() < 0.01:
            seldom, happened = awaited.judged(seldom, what, known, now)
            told_seldom += happened
    seldom, happened = awaited.judged(seldom, what, ends, begins + 6 * DAY)
    often, more = awaited.judged(often, what, ends, begins + 6 * DAY)
    assert told_seldom + happened == told_often + more, f"seed {seed}"
    assert seldom == often, f"seed {seed}"
