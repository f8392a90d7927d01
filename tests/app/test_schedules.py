"""The schedules of the app's timers: the default stands in for what the host would not keep."""

from __future__ import annotations

import pytest

from functions.configuration import settings
from functions.configuration.declared import EVERY_HOUR, EVERY_MINUTE, Environment
from tests.saying.schedules import KEPT, REFUSED, UNMEANT

NAMES = {"RECONCILE_SCHEDULE": EVERY_MINUTE, "SWEEP_SCHEDULE": EVERY_HOUR}
INTERVALS = [schedule for schedule in KEPT if ":" in schedule]


def in_force(name: str, **given: str) -> str:
    """The schedule that a timer is declared with."""
    environment = Environment(given)
    of = {"RECONCILE_SCHEDULE": environment.reconcile_schedule}
    return of.get(name, environment.sweep_schedule)()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("schedule", KEPT)
def test_a_schedule_that_the_host_keeps_is_declared(name: str, schedule: str) -> None:
    assert in_force(name, **{name: f" {schedule} "}) == schedule
    assert settings.read({name: schedule}).complaints == ()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("schedule", [*REFUSED, *UNMEANT, "0 */0 * * * *", "00:00", "x" * 9999])
def test_any_other_is_told_and_the_default_declared(name: str, schedule: str) -> None:
    assert in_force(name, **{name: schedule}) == NAMES[name]
    (told,) = settings.read({name: schedule}).complaints
    assert told.startswith(f"{name}={schedule[:200]!r} ")
    assert told.endswith(f"; {NAMES[name]} is used")


@pytest.mark.parametrize("plan", ["Dynamic", "FlexConsumption"])
@pytest.mark.parametrize("schedule", INTERVALS)
def test_an_interval_is_kept_by_no_plan_that_sleeps(plan: str, schedule: str) -> None:
    given = {"SWEEP_SCHEDULE": schedule, "WEBSITE_SKU": plan}
    assert in_force("SWEEP_SCHEDULE", **given) == EVERY_HOUR
    (told,) = settings.read(given).complaints
    assert "is an interval, which only an App Service plan keeps" in told


@pytest.mark.parametrize(("plan", "doubted"), [("PremiumV3", 0), ("", 1)])
def test_an_interval_is_doubted_where_the_plan_is_not_known(plan: str, doubted: int) -> None:
    read = settings.read({"SWEEP_SCHEDULE": "00:05:00", "WEBSITE_SKU": plan})
    assert (read.complaints, len(read.doubts)) == ((), doubted)


def test_a_setting_that_is_named_is_filled_in_as_the_host_would() -> None:
    given = {"SWEEP_SCHEDULE": "0 %EVERY% * * *", "EVERY": "0 */2"}
    assert in_force("SWEEP_SCHEDULE", **given) == "0 0 */2 * * *"


@pytest.mark.parametrize("value", ["%NOWHERE%", "%", "%%", "%KEY%"])
def test_one_that_is_not_there_or_no_schedule_is_told_without_its_value(value: str) -> None:
    given = {"SWEEP_SCHEDULE": value, "KEY": "a-secret"}
    assert in_force("SWEEP_SCHEDULE", **given) == EVERY_HOUR
    (told,) = settings.read(given).complaints
    assert told.startswith(f"SWEEP_SCHEDULE={value!r} is no schedule")
    assert "a-secret" not in told


@pytest.mark.parametrize(
    ("schedule", "means"),
    [
        ("24:00:00", "means 24 days to the host; 1.00:00:00 would be one"),
        ("0 0 22-2 * * *", "has the hours 22-2, which the host reads as 2-22: write 22-23,0-2"),
        ("0 0 3 * * sat-MON", "has the weekdays sat-MON, which the host reads as 1-6: write 6,0-1"),
        (
            "50-10/5 * * * * *",
            "the seconds 50-10/5, which the host reads as 10-50: write 50-59/5,0-10/5",
        ),
        ("0 */90 * * * *", "has the minutes */90, which to the host is 0 alone"),
        ("0 5/61 * * * *", "has the minutes 5/61, which to the host is 5 alone"),
    ],
)
def test_what_the_host_reads_as_nobody_can_mean_it_is_told_as_the_host_reads_it(
    schedule: str, means: str
) -> None:
    (told,) = settings.read({"SWEEP_SCHEDULE": schedule}).complaints
    assert means in told
