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
        self._insert(table, [{"TimeGenerated": _at(ago), **columns}])

    def trace(self, line: str, ago: timedelta = timedelta(0), app: str = APP) -> None:
        """One line of the app's log, that old."""
        self.traces([(ago, line)], app)

    def traces(self, lines: Iterable[tuple[timedelta, str]], app: str = APP) -> None:
        """Many of them, each with its age."""
        self._insert("AppTraces", [self._row(line, ago, app) for ago, line in lines])

    def _row(self, line: str, ago: timedelta, app: str) -> Row:
        found = kv.fields(line)
        taken = {f"field_{key}": found.get(key) for key in self._fields}
        return {"TimeGenerated": _at(ago), "Message": line, "_ResourceId": app, **taken}

    def _insert(self, table: str, rows: list[Row]) -> None:
        """Rows of the same columns, in one statement: each takes milliseconds."""
        if not rows:
            return
        names = ", ".join(f'"{name}"' for name in rows[0])
        places = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))
        self._database.execute(
            f"INSERT INTO {table} ({names}) VALUES {places}",  # noqa: S608 - names of this file
            [value for row in rows for value in row.values()],
        )

    def ask(self, name: str, **hours: int) -> list[Row]:
        """The rows of the query of that name, asked as the Bicep deploys it."""
        query = files.with_columns(files.QUERIES[name], "field_{}")
        query = query.replace("APPLICATION_INSIGHTS_ID", APP.upper())
        query = query.replace("SYSTEM_TOPIC_IDS", f'{OTHER}", "{TOPIC}')
        if "no_event" in hours:
            query = query.replace("ago(24h)", f"ago({hours['no_event']}h)")
        result = self._database.execute(_as_sql(query))
        columns = [column[0] for column in result.description]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _at(ago: timedelta) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) - ago


@cache
def _as_sql(query: str) -> str:
    """The query in DuckDB's language; its `ago` is reckoned when it is asked."""
    return str(pytest.importorskip("duckdb_kql").to_sql(query))
