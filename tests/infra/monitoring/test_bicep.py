"""The alerts, the workbook and the saved queries are whole, and each query stands once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.infra.kusto import files
from tests.infra.kusto.files import DURATIONS
from tests.infra.kusto.logs import Logs

MODULES = {path.name: path.read_text("utf-8") for path in files.INFRA.glob("modules/*.bicep")}
MONITORING = MODULES["monitoring.bicep"]
LOADED = re.compile(r"load(?:Text|Json|Yaml)Content\('([^']+)'\)")
WHAT_IS_ALERTED = {
    "a continuation failed": "continuation-failed",
    "a duplicate start": "duplicate-start",
    "one open for longer than 30 minutes": "open-too-long",
    "routes that cannot be read": "routes-unreadable",
    "dead-lettered events": "dead-letters",
    "a credential refused": "credential-refused",
    "a secret expires within 14 days": "credential-expiring",
    "no event for a configurable time": "no-event",
    "the reconciler silent for 10 minutes": "reconciler-silent",
    "a waiting task whose token expired or whose plan is gone": "wait-lost",
    "a run that should have come, or one that is held for too long": "overdue",
    "a message, or what goes on by an end, that was given up": "given-up",
}
WHAT_THE_WORKBOOK_SHOWS = {
    "continuations over time by state": "continuations-by-state",
    "latency from run end to pipeline start": "start-latency",
    "failures by reason": "failures-by-reason",
    "parked continuations": "parked",
    "dead letters": "dead-letters",
    "days until the token expires": "credential-days",
}


def each(alert: dict[str, Any]) -> str:
    return str(alert["name"])


def shown() -> list[dict[str, Any]]:
    return [item["content"] for item in files.workbook()["items"] if item["type"] == 3]


def loads(kind: str) -> list[str]:
    """The files of that kind that the modules load, by the name that the load is given."""
    named = [path for text in MODULES.values() for path in LOADED.findall(text)]
    return sorted(path.rpartition("/")[2] for path in named if path.endswith(kind))


def test_every_query_is_loaded_once_under_its_own_name() -> None:
    assert loads(".kql") == sorted(f"{name}.kql" for name in files.QUERIES)
    entries = re.findall(r"^  '?([\w-]+)'?: .*queries/([\w-]+)\.kql", MONITORING, re.MULTILINE)
    assert [name for name, file in entries if name != file] == []
    assert len(entries) == len(files.QUERIES)


def test_no_kql_stands_anywhere_else() -> None:
    others = [*MODULES.values(), (files.INFRA / "workbook.json").read_text("utf-8")]
    others.append((files.INFRA / "alerts.yaml").read_text("utf-8"))
    tables = "|".join(files.tables())
    assert [text for text in others if re.search(rf"\b({tables})\s*(\\n)?\s*\|", text)] == []


def test_every_alert_that_is_wanted_is_there_and_no_other() -> None:
    assert sorted(map(each, files.alerts())) == sorted(WHAT_IS_ALERTED.values())


@pytest.mark.parametrize("alert", files.alerts(), ids=each)
def test_an_alert_has_a_query_a_severity_and_times_that_the_service_takes(
    alert: dict[str, Any],
) -> None:
    assert alert["query"] in files.QUERIES
    assert alert["severity"] in range(4)
    assert DURATIONS[alert["every"]] < DURATIONS[alert["window"]]
    assert set(alert) == {"name", "query", "severity", "every", "window", "splitBy", "first"}
    assert len(alert["splitBy"]) <= 6


@pytest.mark.parametrize("alert", files.alerts(), ids=each)
def test_an_alert_says_what_to_do_first(alert: dict[str, Any]) -> None:
    first = str(alert["first"])
    assert len(first) > 60
    assert first[0].isupper()
    assert "description: 'First: ${alert.first}'" in MODULES["alerts.bicep"]


@pytest.mark.parametrize("alert", files.alerts(), ids=each)
def test_a_window_covers_all_that_its_query_looks_back_at(alert: dict[str, Any]) -> None:
    for number, unit in re.findall(r"ago\((\d+)([mh])\)", files.QUERIES[alert["query"]]):
        back = timedelta(hours=int(number)) if unit == "h" else timedelta(minutes=int(number))
        assert back <= DURATIONS[alert["window"]]
    if alert["query"] == "no-event":
        assert "@maxValue(47)\nparam noEventHours int" in MONITORING
        assert alert["window"] == "P2D"


def test_the_hours_without_an_event_reach_the_query() -> None:
    (given,) = re.findall(
        r"no-event\.kql'\), '(ago\(\d+h\))', 'ago\(\$\{noEventHours\}h\)'", MONITORING
    )
    assert files.QUERIES["no-event"].count(given) == 2


def test_what_the_queries_leave_open_is_filled_in() -> None:
    left_open = {
        word for text in files.QUERIES.values() for word in re.findall(r"[A-Z]+(?:_[A-Z]+)+", text)
    }
    filled = set(re.findall(r"replace\(text, '([A-Z_]+)'", MONITORING))
    assert left_open - {"RUN_ID"} == filled
    assert "RUN_ID" not in "".join(files.QUERIES[alert["query"]] for alert in files.alerts())


def test_an_alert_fires_on_rows_and_only_on_rows() -> None:
    rule = re.sub(r"\s+", " ", MODULES["alerts.bicep"])
    assert "timeAggregation: 'Count' operator: 'GreaterThan' threshold: 0" in rule


@pytest.mark.parametrize("alert", files.alerts(), ids=each)
def test_nobody_is_woken_before_anything_was_deployed(alert: dict[str, Any]) -> None:
    assert Logs().ask(alert["query"]) == []


def test_everybody_who_is_named_is_alerted() -> None:
    rule = MODULES["alerts.bicep"]
    assert "for (address, i) in emails" in rule
    assert "for (url, i) in urls" in rule
    assert "actions: { actionGroups: [operators.id] }" in rule
    assert "emails: alertEmails" in MONITORING
    assert "webhooks: alertWebhooks" in MONITORING


def test_the_workbook_shows_what_is_wanted() -> None:
    assert "query: queries[item.content.query]" in MODULES["workbook.bicep"]
    asked = {content["query"] for content in shown()}
    assert set(WHAT_THE_WORKBOOK_SHOWS.values()) <= asked <= set(files.QUERIES)


@pytest.mark.parametrize("content", shown(), ids=lambda content: str(content["query"]))
def test_a_part_of_the_workbook_can_be_drawn(content: dict[str, Any]) -> None:
    assert content["version"] == "KqlItem/1.0"
    assert content["resourceType"] == "microsoft.operationalinsights/workspaces"
    assert content["visualization"] in {"barchart", "linechart", "table"}
    assert content["title"]
    assert content["noDataMessage"]
    assert content.get("timeContextFromParameter", "TimeRange") == "TimeRange"
    assert ("timeContext" in content) != ("timeContextFromParameter" in content)


def test_the_workbook_has_the_parameter_that_its_parts_follow() -> None:
    (head,) = [item["content"] for item in files.workbook()["items"] if item["type"] == 9]
    assert [parameter["name"] for parameter in head["parameters"]] == ["TimeRange"]


def test_names_in_the_workbook_are_told_apart() -> None:
    names = [item["name"] for item in files.workbook()["items"]]
    assert len(set(names)) == len(names)
