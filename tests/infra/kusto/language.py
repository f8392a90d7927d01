"""Microsoft's own parser and semantic checker for KQL, which runs on node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.infra.kusto import files

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path("@kusto/language-service-next")
CHECK = Path(__file__).with_name("check.js")
SECONDS = 120


class Analysis(NamedTuple):
    """What the language service makes of a query; keys and columns come with their types."""

    problems: list[str]
    tables: list[str]
    keys: dict[str, str]
    columns: dict[str, str]


def analyses(queries: Mapping[str, str]) -> dict[str, Analysis]:
    """Each query's analysis. Skips the test where node or the package is not there."""
    tables = {t: ", ".join(map(": ".join, c.items())) for t, c in files.tables().items()}
    said = subprocess.run(
        [_node(), str(CHECK), str(_package())],
        input=json.dumps({"tables": tables, "queries": dict(queries)}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=SECONDS,
    )
    found: dict[str, dict[str, Any]] = json.loads(said.stdout)
    return {name: Analysis(**analysis) for name, analysis in found.items()}


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip(
            "no node, which runs the KQL checker: install Node.js with npm, then: make parts"
        )
    return node


def _package() -> Path:
    given = os.environ.get("RUN_RELAY_KUSTO") or os.environ.get("RUN_RELAY_AZURITE")
    base = Path(given) if given else files.ROOT / ".cache" / "node_modules"
    places = (base, *(folder / PACKAGE for folder in (base, base / "node_modules", base.parent)))
    found = next((p for p in places if (p / "Kusto.Language.Bridge.js").is_file()), None)
    if found is None:
        pytest.skip("no KQL checker: make parts, or set RUN_RELAY_KUSTO")
    return found
