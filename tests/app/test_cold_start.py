"""Cold start, counted in modules: the same number on every machine, however busy it is."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.running.shipping import ROOT, beside
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.cloud import Cloud

INDEX_LIMIT, FIRST_EVENT_LIMIT = 260, 790
ON_FIRST_EVENT = (
    "azure.identity",
    "azure.keyvault",
    "azure.data",
    "azure.eventgrid",
    "yaml",
    "cel_expr_python",
)
INDEX = "import function_app"
DELIVER = """
import function_app, functions.bootstrap, json, sys
functions.bootstrap.app().deliver(json.loads(sys.argv[1]))
import functions.adapters.tables.opening, functions.adapters.tables.rows  # as a deployed app
"""
# A module's identity beside its name: requests lists its dependencies a second time under names
# of its own, and those were not loaded twice.
TELL = "\nimport json, sys; print(json.dumps({n: id(m) for n, m in sys.modules.items()}))"


def loaded(code: str, *arguments: str, **settings: str) -> dict[str, int]:
    """The modules of a new process after this code, with their identities."""
    ran = subprocess.run(
        [sys.executable, "-c", code + TELL, *arguments],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    modules: dict[str, int] = json.loads(ran.stdout.splitlines()[-1])
    return modules


def count(modules: Mapping[str, int]) -> int:
    """How many hold code, without those that some package loads because a test needs them.

    Nor those into which one Python divides its library, and another does not.
    """
    absent, folders = beside(), {folder for folder in modules if is_mere_folder(folder)}
    counted = {name: of for name, of in modules.items() if name.partition(".")[0] not in absent}
    return len(
        {of for name, of in counted.items() if name not in folders and not is_pythons_own(name)}
    )


def is_pythons_own(name: str) -> bool:
    """Whether it is a part of the standard library that is not meant to be imported."""
    parts = name.split(".")
    return parts[0] in sys.stdlib_module_names and any(part.startswith("_") for part in parts)


def is_mere_folder(name: str) -> bool:
    """Whether it is a package of ours that says what is in it, and holds nothing else."""
    file = ROOT.joinpath(*name.split("."), "__init__.py")
    if not name.startswith("functions.") or not file.exists():
        return False
    return [type(node) for node in ast.parse(file.read_text("utf-8")).body] == [ast.Expr]


@pytest.fixture(scope="module")
def indexed() -> dict[str, int]:
    return loaded(INDEX)


def test_indexing_the_app_loads_few_modules(indexed: Mapping[str, int]) -> None:
    assert count(indexed) < INDEX_LIMIT


def test_indexing_the_app_loads_nothing_of_the_core(indexed: Mapping[str, int]) -> None:
    floors = (
        "functions.core",
        "functions.adapters",
        "functions.configuration.settings",
        "msgspec",
        "requests",
    )
    assert [name for name in indexed if name.startswith(floors)] == []


@pytest.mark.parametrize("package", ON_FIRST_EVENT)
def test_indexing_the_app_does_not_load(package: str, indexed: Mapping[str, int]) -> None:
    assert [name for name in indexed if f"{name}.".startswith(f"{package}.")] == []


def test_the_page_is_loaded_only_when_somebody_asks_for_it(indexed: Mapping[str, int]) -> None:
    assert [name for name in indexed if name.startswith("functions.web")] == []


def test_the_first_event_starts_its_pipeline_with_few_modules(cloud: Cloud, tmp_path: Path) -> None:
    cloud.aml.add_run("r1", metrics={"accuracy": 0.9}, experiment="defect-detection")
    cloud.aml.add_model_version("defects", 1, "r1")
    settings = {**cloud.settings(), "LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}"}
    modules = loaded(DELIVER, json.dumps(completed("r1")), **settings)
    assert [run.pipeline_id for run in cloud.devops.runs] == [42]
    assert count(modules) < FIRST_EVENT_LIMIT
    assert [name for name in modules if name.startswith("functions.web")] == []
