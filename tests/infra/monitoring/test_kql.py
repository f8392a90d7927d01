"""Every query is KQL that Azure Monitor can run: Microsoft's own checker says so."""

from __future__ import annotations

import re

import pytest

from tests.infra.kusto import files
from tests.infra.kusto.language import Analysis, analyses

NOT_IN_ALERTS = ("search ", "union ", "take ", "limit ", "bag_unpack", "pivot", "narrow", "let ")
BROKEN = {
    "column": 'AppTraces | where Mesage startswith "continuation="',
    "table": "AppTrace | count",
    "type": "AppRequests | where DurationMs startswith 3 and Success > Name",
    "syntax": "AppTraces | where (Message",
    "after": "AppTraces | parse-kv Message as (run: string) | project runs",
}


@pytest.fixture(scope="module")
def checked() -> dict[str, Analysis]:
    return analyses(files.QUERIES)


def test_every_query_is_right_in_syntax_and_in_names(checked: dict[str, Analysis]) -> None:
    assert {name: said.problems for name, said in checked.items() if said.problems} == {}
    assert len(checked) == len(files.QUERIES) > 10


def test_the_checker_finds_what_is_wrong() -> None:
    found = analyses(BROKEN)
    assert [name for name, said in found.items() if not said.problems] == []
    assert "'Mesage' does not refer to any known column" in found["column"].problems[0]


def test_every_query_reads_one_table(checked: dict[str, Analysis]) -> None:
    read = {name: said.tables for name, said in checked.items()}
    assert {name: tables for name, tables in read.items() if len(tables) != 1} == {}
    assert {table for tables in read.values() for table in tables} == {*files.tables()}


def test_the_keys_that_these_tests_see_are_those_that_the_checker_sees(
    checked: dict[str, Analysis],
) -> None:
    seen = {name: files.keys(query) for name, query in files.QUERIES.items()}
    assert seen == {name: said.keys for name, said in checked.items()}


@pytest.mark.parametrize("alert", files.alerts(), ids=lambda alert: str(alert["name"]))
def test_an_alert_is_split_by_columns_that_its_query_has(
    alert: dict[str, list[str]], checked: dict[str, Analysis]
) -> None:
    columns = checked[str(alert["query"])].columns
    assert {columns[name] for name in alert["splitBy"]} <= {"string", "long", "int", "real"}


# https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-log-query
@pytest.mark.parametrize("alert", files.alerts(), ids=lambda alert: str(alert["name"]))
def test_an_alerts_query_begins_with_its_table_and_has_nothing_that_alerts_refuse(
    alert: dict[str, str],
) -> None:
    query = re.sub(r"^//.*\n", "", files.QUERIES[alert["query"]], flags=re.MULTILINE)
    assert query.split()[0] in files.tables()
    assert [word for word in NOT_IN_ALERTS if re.search(rf"\b{word}", query)] == []


@pytest.mark.parametrize("name", files.QUERIES)
def test_a_query_is_kept_to_this_deployments_resources(name: str) -> None:
    scopes = ('_ResourceId =~ "APPLICATION_INSIGHTS_ID"', '_ResourceId in~ ("SYSTEM_TOPIC_IDS")')
    assert sum(files.QUERIES[name].count(scope) for scope in scopes) == 1


@pytest.mark.parametrize("name", files.QUERIES)
def test_a_query_begins_with_its_title(name: str) -> None:
    title = files.QUERIES[name].splitlines()[0]
    assert re.fullmatch(r"// [A-Z].{5,60}[^.]", title)
