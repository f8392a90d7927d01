"""The queries, the alerts and the workbook, as they stand in infra/."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.running import yamlfiles

ROOT = Path(__file__).resolve().parents[3]
INFRA = ROOT / "infra"
QUERIES = {path.stem: path.read_text("utf-8") for path in sorted(INFRA.glob("queries/*.kql"))}
# https://learn.microsoft.com/azure/templates/microsoft.insights/scheduledqueryrules
DURATIONS = {
    "PT5M": timedelta(minutes=5),
    "PT10M": timedelta(minutes=10),
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT1H": timedelta(hours=1),
    "PT6H": timedelta(hours=6),
    "P1D": timedelta(days=1),
    "P2D": timedelta(days=2),
}
_PARSE_KV = re.compile(r"parse-kv Message as \((?P<keys>[^)]*)\)\s+with \([^)]*\)")
_KEY = re.compile(r"(?:\['(?P<quoted>\w+)'\]|(?P<plain>\w+)):\s*(?P<type>\w+)")
_BEGINS = re.compile(r'Message startswith "([^"]+)"')


def alerts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yamlfiles.read(INFRA / "alerts.yaml")
    return found


def workbook() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((INFRA / "workbook.json").read_text("utf-8"))
    return found


def keys(query: str) -> dict[str, str]:
    """The fields that a query takes out of a log line, with their types."""
    found = _PARSE_KV.search(query)
    fields = _KEY.finditer(found["keys"]) if found else ()
    return {field["quoted"] or field["plain"]: field["type"] for field in fields}


def with_columns(query: str, column: str = "{}") -> str:
    """The query with its parse-kv replaced by columns that hold the fields as texts."""
    casts = {"string": "tostring", "long": "tolong", "datetime": "todatetime"}
    made = [f"['{k}'] = {casts[t]}({column.format(k)})" for k, t in keys(query).items()]
    return _PARSE_KV.sub("extend " + ", ".join(made), query)


def selects(query: str, line: str) -> bool:
    """Whether the query's conditions on how a line begins let this one in."""
    beginnings = _BEGINS.findall(query)
    return any(line.startswith(beginning) for beginning in beginnings)


@cache
def tables() -> dict[str, dict[str, str]]:
    """Columns and their types; each table's page is named for it in lower case.

    https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces
    """
    read = json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))
    return {
        table: {column: kind for kind, named in kinds.items() for column in named.split()}
        for table, kinds in read.items()
    }
