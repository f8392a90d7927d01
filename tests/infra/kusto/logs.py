"""A Log Analytics workspace of one test: the queries run on DuckDB.

DuckDB's translation of KQL knows no parse-kv; the fields are taken out by tests/infra/kusto/kv.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.kusto import files, kv

if TYPE_CHECKING:
    from collections.abc import Iterable

APP = "/subscriptions/0/resourceGroups/rg/providers/microsoft.insights/components/app"
TOPIC = "/subscriptions/0/resourceGroups/rg/providers/microsoft.eventgrid/systemtopics/ml"
OTHER = "/subscriptions/0/resourceGroups/rg/providers/microsoft.insights/components/other"
_TYPES = {
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "string": "VARCHAR",
}
Row = dict[str, Any]


class Logs:
    """The tables that the queries read, and what a query makes of them."""

    def __init__(self) -> None:
        kql = pytest.importorskip("duckdb_kql", reason="no duckdb-kql, which runs the KQL")
        pytest.importorskip("duckdb", reason="no duckdb, which runs the KQL")
        self._database = kql.connect()
        self._fields = sorted(
            {key for query in files.QUERIES.values() for key in files.keys(query)}
        )
        for table, columns in files.tables().items():
            made = [f'"{name}" {_TYPES[kind]}' for name, kind in columns.items()]
            if table == "AppTraces":
                made += [f'"field_{key}" VARCHAR' for key in self._fields]
            self._database.execute(f"CREATE TABLE {table} ({', '.join(made)})")

    def add(self, table: str, ago: timedelta = timedelta(0), **columns: object) -> None:
        """One row, that old."""
        at = datetime.now(UTC).replace(tzinfo=None) - ago
        values = {"TimeGenerated": at, **columns}
        names = ", ".join(f'"{name}"' for name in values)
        places = ", ".join("?" * len(values))
        self._database.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - names of this file
            list(values.values()),
        )

    def trace(self, line: str, ago: timedelta = timedelta(0), app: str = APP) -> None:
        """One line of the app's log, that old."""
        found = kv.fields(line)
        taken = {f"field_{key}": found.get(key) for key in self._fields}
        self.add("AppTraces", ago, Message=line, _ResourceId=app, **taken)

    def traces(self, lines: Iterable[tuple[timedelta, str]]) -> None:
        """Many of them, each with its age."""
        for ago, line in lines:
            self.trace(line, ago)

    def ask(self, name: str, **hours: int) -> list[Row]:
        """The rows of the query of that name, asked as the Bicep deploys it."""
        query = files.with_columns(files.QUERIES[name], "field_{}")
        query = query.replace("APPLICATION_INSIGHTS_ID", APP.upper())
        query = query.replace("SYSTEM_TOPIC_IDS", f'{OTHER}", "{TOPIC}')
        if "no_event" in hours:
            query = query.replace("ago(24h)", f"ago({hours['no_event']}h)")
        result = self._database.sql(_as_sql(query))
        return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]


@cache
def _as_sql(query: str) -> str:
    """The query in DuckDB's language; its `ago` is reckoned when it is asked."""
    return str(pytest.importorskip("duckdb_kql").to_sql(query))
