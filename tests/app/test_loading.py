"""A probe loads all that an event may need: who deploys finds what was built amiss."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from functions.adapters.sqlite import SqliteLedger
from tests.running.imports import from_outside
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROBE = {"id": "p1", "subject": "deploy", "eventType": "RunRelay.Probe", "data": {}}
DELIVER = """
import function_app, functions.bootstrap, json, sys
functions.bootstrap.app().relay.deliver(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""
WHERE_IT_IS_ON = ("azure.monitor.opentelemetry",)


def probed(folder: Path, code: str = DELIVER) -> subprocess.CompletedProcess[str]:
    """A new process of the app gets a probe; what lies in the folder is imported before others."""
    settings = {
        "LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
        "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
        "IDENTITY_ENDPOINT": "http://127.0.0.1:9/none",
        "IDENTITY_HEADER": "none",
    }
    return subprocess.run(
        [sys.executable, "-c", code, json.dumps(PROBE)],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


def shown(folder: Path) -> str:
    """The probe that the ledger shows."""
    return str(SqliteLedger(folder / "ledger.db").shared("probe").value.get("id"))


def test_a_probe_loads_all_that_the_app_imports(tmp_path: Path) -> None:
    ran = probed(tmp_path)
    assert ran.returncode == 0, ran.stderr
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    wanted = {n for n in from_outside("functions") if not n.startswith(WHERE_IT_IS_ON)}
    # a name is a module, or in one
    lacking = {name for name in wanted if not {name, name.rpartition(".")[0]} & loaded}
    ours = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in modules()}
    assert (lacking, ours - loaded) == (set(), set())
    assert shown(tmp_path) == "p1"


def modules() -> list[Path]:
    return [path for path in (ROOT / "functions").rglob("*.py") if path.stem != "__init__"]


@pytest.mark.parametrize("package", ["cel_expr_python", "cryptography", "azure.eventgrid"])
def test_a_probe_fails_where_a_package_cannot_be_loaded_that_indexing_does_not_need(
    tmp_path: Path, package: str
) -> None:
    broken = f"import sys; sys.modules[{package!r}] = None  # as of another Python\n"
    assert probed(tmp_path, broken + "import function_app").returncode == 0
    ran = probed(tmp_path, broken + DELIVER)
    assert "ImportError" in ran.stderr or "ModuleNotFoundError" in ran.stderr
    assert (ran.returncode, shown(tmp_path)) == (1, "None")
