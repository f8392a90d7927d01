"""The local host keeps a schedule when the real one does, and at the same times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from local.host.indexing import IndexingError, index
from local.host.triggers.timers import NeverError, Schedule, schedule_of
from tests.saying.schedules import ASKED, KEPT, REFUSED, UNMEANT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

TAKEN: Mapping[str, datetime | None] = {**KEPT, **UNMEANT}


def read(schedule: str, **settings: str) -> Schedule:
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule=schedule)
    def tick(timer: func.TimerRequest) -> None:
        """Never called."""

    return schedule_of(index(app)["tick"], settings)


@pytest.mark.parametrize("schedule", TAKEN)
def test_what_the_real_host_takes_is_due_when_it_says(schedule: str) -> None:
    following = TAKEN[schedule]
    if following is None:
        with pytest.raises(NeverError):
            read(schedule).after(ASKED)
    else:
        assert read(schedule).after(ASKED) == following


@pytest.mark.parametrize("schedule", REFUSED)
def test_what_the_real_host_refuses_is_no_schedule(schedule: str) -> None:
    with pytest.raises(IndexingError, match="was not recognized as a valid cron expression"):
        read(schedule)


def test_a_setting_may_hold_the_schedule() -> None:
    assert read("%EVERY%", EVERY="00:05:00").after(ASKED) == KEPT["00:05:00"]


def test_what_is_longer_than_any_calendar_is_never_due() -> None:
    with pytest.raises(NeverError):
        read("9999999.00:00:00").after(ASKED)
