"""The queries understand what the app really writes, and the alerts fire when they should."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.adapters.telling import log
from functions.core.rounds.noted import Done, said
from functions.core.rounds.watch import By
from local.cloud import Cloud
from tests.conftest import PAT
from tests.infra.kusto import files, kv
from tests.infra.kusto.logs import APP, OTHER, TOPIC, Logs
from tests.infra.monitoring import stories
from tests.stage.azure import Stage

Told = dict[str, list[tuple[timedelta, str]]]
FROM_THE_LOG = [name for name, query in files.QUERIES.items() if files.keys(query)]
FIRING = [  # what happened, the alert, whether it fires
    ("started", "continuation-failed", False),
    ("rejected", "continuation-failed", True),
    ("held_by_the_gate", "continuation-failed", False),
    ("started", "duplicate-start", False),
    ("doubled", "duplicate-start", True),
    ("parked", "open-too-long", False),
    ("parked_for_long", "open-too-long", True),
    ("went_on", "open-too-long", False),
    ("unreadable_routes", "open-too-long", True),
    ("unreadable_routes", "routes-unreadable", True),
    ("mended", "open-too-long", False),
    ("started", "routes-unreadable", False),
    ("parked", "credential-refused", False),
    ("refused", "credential-refused", True),
    ("expired", "credential-refused", True),
    ("near", "credential-expiring", True),
    ("expired", "credential-expiring", True),
    ("unreadable", "credential-expiring", True),
    ("far", "credential-expiring", False),
    ("started", "reconciler-silent", False),
    ("parked", "reconciler-silent", False),
    ("started", "wait-lost", False),
    ("waited_in_vain", "wait-lost", True),
    ("awaited_in_vain", "overdue", True),
    ("held_for_too_long", "overdue", True),
    ("came_in_time", "overdue", False),
    ("held_by_the_gate", "overdue", False),
    ("told_in_vain", "given-up", True),
    ("rejected", "given-up", False),
    ("went_on_by_an_end", "given-up", False),
]
AWKWARD = [
    'no "such" thing = here, or \\ there',
    "C:\\models\\",
    '"',
    "reason=gate run=other",
    "naïve ✓",
    " surrounded ",
    "a,b;c|d'e",
    'continuation=failed detail="x',
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the app logged in each story, with the age of each line at its end."""
    lines: Told = {}
    certificates = tmp_path_factory.mktemp("certificates")
    for name, story in stories.ALL.items():
        with pytest.MonkeyPatch.context() as patch, Cloud(certificates, PAT) as cloud:
            for variable, value in cloud.settings().items():
                patch.setenv(variable, value)
            stage = Stage(cloud, tmp_path_factory.mktemp(name))
            with stories.heard(stage) as listener:
                story(stage)
            lines[name] = listener.aged()
    return lines


def logs(told: Told, story: str, within: timedelta = timedelta.max) -> Logs:
    made = Logs()
    made.traces((ago, line) for ago, line in told[story] if ago < within)
    return made


@pytest.fixture(scope="module")
def kept(told: Told) -> dict[str, Logs]:
    """The logs of each story, to be asked and not added to."""
    return {story: logs(told, story) for story in told}


def every_line(told: Told) -> list[str]:
    return [line for lines in told.values() for _, line in lines]


@pytest.mark.parametrize("name", FROM_THE_LOG)
def test_the_app_writes_every_field_that_a_query_reads(name: str, told: Told) -> None:
    query = files.QUERIES[name]
    selected = [kv.fields(line) for line in every_line(told) if files.selects(query, line)]
    written = {key for fields in selected for key in fields}
    assert selected
    assert set(files.keys(query)) - written == set()


@pytest.mark.parametrize("name", FROM_THE_LOG)
def test_every_column_of_a_result_is_filled_by_some_line(name: str, kept: dict[str, Logs]) -> None:
    rows = [row for made in kept.values() for row in made.ask(name)]
    empty = {None, ""}
    assert rows
    assert [column for column in rows[0] if all(row[column] in empty for row in rows)] == []


@pytest.mark.parametrize(("story", "alert", "fires"), FIRING)
def test_an_alert_fires_when_it_should_and_not_else(
    story: str, alert: str, fires: bool, told: Told
) -> None:
    window = next(a["window"] for a in files.alerts() if a["name"] == alert)
    assert bool(logs(told, story, files.DURATIONS[window]).ask(alert)) is fires


def test_an_alert_names_the_continuation_and_why_it_failed(kept: dict[str, Logs]) -> None:
    (row,) = kept["rejected"].ask("continuation-failed")
    assert (row["route"], row["run"], row["outcome"]) == ("register", "r1", "Completed")
    assert (row["workspace"], row["reason"]) == ("ml-prod", "rejected")
    assert 'Parameter "run_id" is an unexpected parameter = no, \\ see the docs' in row["detail"]


def test_an_alert_names_all_pipeline_runs_of_a_duplicate(kept: dict[str, Logs]) -> None:
    (row,) = kept["doubled"].ask("duplicate-start")
    assert (row["route"], row["run"]) == ("register", "r1")
    (first, second) = (str(row["pipeline_run"]), row["also"])
    assert first.isdigit()
    assert second.isdigit()
    assert first != second


def test_the_workbook_counts_a_continuation_once_an_hour_and_state(kept: dict[str, Logs]) -> None:
    rows = kept["parked_for_long"].ask("continuations-by-state")
    assert {(row["continuation"], row["continuations"]) for row in rows} == {("parked", 1)}


def test_the_workbook_shows_how_long_a_start_took_from_the_runs_end(kept: dict[str, Logs]) -> None:
    (row,) = kept["started"].ask("start-latency")
    assert 40 <= row["half_within"] <= row["most_within"] <= row["longest"] < 100


def test_a_start_that_had_to_wait_counts_with_its_waiting(kept: dict[str, Logs]) -> None:
    (row,) = kept["went_on"].ask("start-latency")
    assert row["longest"] > 3600


def test_the_workbook_shows_what_is_parked_until_it_goes_on(kept: dict[str, Logs]) -> None:
    (row,) = kept["parked_for_long"].ask("parked")
    assert (row["run"], row["route"], row["reason"]) == ("r1", "register", "paused")
    assert row["due"] > row["since"]
    assert kept["went_on"].ask("parked") == []


def test_the_workbook_counts_failures_and_not_what_the_gate_held(kept: dict[str, Logs]) -> None:
    (row,) = kept["rejected"].ask("failures-by-reason")
    assert (row["continuation"], row["reason"], row["continuations"]) == ("failed", "rejected", 1)
    assert kept["held_by_the_gate"].ask("failures-by-reason") == []


def test_the_workbook_shows_the_days_that_are_left(kept: dict[str, Logs]) -> None:
    (row,) = kept["near"].ask("credential-days")
    assert (row["secret"], row["days"], row["state"]) == (stories.SECRET, 9, "expiring")


def test_the_days_are_those_of_the_newest_line(told: Told) -> None:
    made = logs(told, "near")
    line = f"credential=valid secret={stories.SECRET} days=364 expires=2030-01-01T00:00:00Z"
    made.trace(line, timedelta(seconds=-1))
    (row,) = made.ask("credential-days")
    assert row["days"] == 364
    assert made.ask("credential-expiring") == []


@pytest.mark.parametrize("name", FROM_THE_LOG)
def test_another_apps_lines_are_not_this_ones(name: str, told: Told) -> None:
    made = Logs()
    made.traces(((timedelta(0), line) for line in every_line(told)), app=OTHER)
    assert made.ask(name) == []


@pytest.mark.parametrize(
    ("hours", "ago", "fires"), [(24, 23, False), (24, 25, True), (30, 25, False)]
)
def test_no_event_fires_after_the_hours_given(hours: int, ago: int, fires: bool) -> None:
    made = Logs()
    made.add("AppRequests", timedelta(hours=ago), Name="on_run_completed", _ResourceId=APP)
    made.add("AppRequests", timedelta(hours=47), Name="reconcile", _ResourceId=APP)
    made.add("AppRequests", Name="reconcile", _ResourceId=APP)
    assert bool(made.ask("no-event", no_event=hours)) is fires


@pytest.mark.parametrize(("ago", "fires"), [(23, False), (25, True)])
def test_no_event_waits_for_its_first_day(ago: int, fires: bool) -> None:
    made = Logs()
    for hours in (ago, 0):
        made.add("AppRequests", timedelta(hours=hours), Name="reconcile", _ResourceId=APP)
    assert bool(made.ask("no-event")) is fires


@pytest.mark.parametrize("minutes", [9, 11])
def test_the_reconciler_is_silent_after_ten_minutes(minutes: int) -> None:
    made = Logs()
    made.trace("reconciler=done resumed=0 looked_at=0 open=0 ms=3", timedelta(minutes=minutes))
    assert bool(made.ask("reconciler-silent")) is (minutes > 10)


def test_a_round_beside_a_delivery_does_not_hide_that_the_timer_is_silent_for_days() -> None:
    made = Logs()
    _, line = said(Done(3, 2, left=False, open=1, oldest=7.0, whole=True, seconds=0.1), By.DELIVERY)
    made.trace(log.line(line), timedelta(minutes=1))
    assert made.ask("reconciler-silent")


def test_what_is_open_too_long_is_known_from_a_round_beside_a_delivery_too() -> None:
    made = Logs()
    done = Done(3, 2, left=False, open=1, oldest=3600.0, whole=True, seconds=0.1)
    made.trace(log.line(said(done, By.DELIVERY)[1]), timedelta(minutes=1))
    assert [row["oldest_s"] for row in made.ask("open-too-long")] == [3600]


@pytest.mark.parametrize("name", ["DeadLetteredCount", "Dropped Events"])
def test_a_dead_letter_is_alerted_and_a_count_of_none_is_not(name: str) -> None:
    made = Logs()
    metric: dict[str, Any] = {"MetricName": name, "Resource": "ML", "_ResourceId": TOPIC.upper()}
    made.add("AzureMetrics", Total=0.0, **metric)
    assert made.ask("dead-letters") == []
    made.add("AzureMetrics", Total=2.0, **metric)
    (row,) = made.ask("dead-letters")
    assert (row["topic"], row["what"], row["events"]) == ("ML", name, 2)


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_comes_out_of_a_line_as_it_went_in(value: str) -> None:
    line = log.line({"continuation": "held", "detail": value, "run": "r1", "reason": "x"})
    assert kv.fields(line) == {
        "continuation": "held",
        "detail": value.strip(),
        "run": "r1",
        "reason": "x",
    }
