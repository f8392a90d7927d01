"""The doctor tells when the timers are due, as the real host keeps their schedules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pytest

from functions.configuration.occurrences import after as following
from tests.saying.schedules import ASKED, KEPT

if TYPE_CHECKING:
    from tests.doctor.conftest import Patient

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("schedule", KEPT)
def test_the_first_time_is_that_of_the_real_host(schedule: str) -> None:
    assert next(following(schedule, ASKED)) == KEPT[schedule]


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        (
            "0 59 23 31 12 *",
            [datetime(year, 12, 31, 23, 59, tzinfo=UTC) for year in range(2026, 2029)],
        ),
        ("*/20 * * * * *", [ASKED + timedelta(seconds=20 * n) for n in (1, 2, 3)]),
        ("00:05", [ASKED + 5 * n * MINUTE for n in (1, 2, 3)]),
        ("0 0 3 29 2 0", [datetime(year, 2, 29, 3, tzinfo=UTC) for year in (2032, 2060)]),
    ],
)
def test_those_after_it_follow_in_order(schedule: str, times: list[datetime]) -> None:
    assert list(islice(following(schedule, ASKED), 3)) == times


def test_the_next_three_times_of_each_timer_are_told_in_utc(patient: Patient) -> None:
    patient.deploy(SWEEP_SCHEDULE="0 30 3 1 1 *")
    (_, reconcile), (_, sweep) = patient.examined("--no-probe").of("timers")
    form = r"reconcile \(0 \* \* \* \* \*\): next (.{16}:00), (.{16}:00), (.{16}:00) UTC"
    found = re.fullmatch(form, reconcile)
    assert found is not None
    times = [datetime.fromisoformat(text) for text in found.groups()]
    assert [later - earlier for earlier, later in pairwise(times)] == [MINUTE] * 2
    form = r"sweep \(0 30 3 1 1 \*\): next (\d+)-01-01 03:30:00, (\d+)-01-01 .*, (\d+)-01-01 .* UTC"
    years = re.fullmatch(form, sweep)
    assert years is not None
    first, *others = map(int, years.groups())
    assert others == [first + 1, first + 2]


def test_a_schedule_that_nobody_can_have_meant_is_told_with_the_one_in_force(
    patient: Patient,
) -> None:
    patient.deploy(SWEEP_SCHEDULE="0 0 22-2 * * *")
    report = patient.examined("--no-probe")
    ((check, said),) = report.bad
    means = "has the hours 22-2, which the host reads as 2-22: write 22-23,0-2"
    told = f"SWEEP_SCHEDULE='0 0 22-2 * * *' {means}; 0 0 * * * * is used"
    assert (check, said) == ("settings", told)
    assert any("sweep (0 0 * * * *)" in told for _, told in report.of("timers"))
