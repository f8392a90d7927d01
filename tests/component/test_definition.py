"""trigger_pipeline.yml and environment.yml, as Microsoft's SDK reads them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.component.steps import FILE
from tests.running.shipping import needed_by, provided, requirements, shipped

if TYPE_CHECKING:
    from pathlib import Path

    from azure.ai.ml.entities import CommandComponent

LINK_ONLY = "azureml-mlflow"
TELL = """
import sys
before = {*sys.modules}
from trigger_pipeline import __main__, driving
import functions.core.starts.handling, functions.adapters.sqlite, functions.adapters.vault, yaml
import azure.identity, functions.core.starts.doubt, functions.core.rounds.reconciler
import functions.adapters.devops
print(*{name.partition('.')[0] for name in {*sys.modules} - before})
"""


def pins() -> list[Requirement]:
    from azure.ai.ml import load_environment  # noqa: PLC0415 - seconds, on every collection

    found: Any = load_environment(FILE.with_name("environment.yml")).conda_file
    (pip,) = (part["pip"] for part in found["dependencies"] if isinstance(part, dict))
    return [Requirement(line) for line in pip]


def test_the_sdk_finds_nothing_to_complain_of(component: CommandComponent) -> None:
    result = component._validate()  # noqa: SLF001 - what create does first
    assert (result.passed, result.error_messages) == (True, {})


def test_a_result_of_yesterday_is_never_reused(component: CommandComponent) -> None:
    assert component.is_deterministic is False


def test_the_model_comes_as_an_mlflow_model_and_numbers_as_numbers(
    component: CommandComponent,
) -> None:
    kinds = {name: found.type for name, found in component.inputs.items()}
    assert kinds["model"] == "mlflow_model"
    numbers = {name for name, kind in kinds.items() if kind == "integer"}
    assert numbers == {"pipeline_id", "pipeline_version", "patience_seconds"}


def test_every_input_is_used_in_the_command(component: CommandComponent) -> None:
    named = {f"${{{{inputs.{name}}}}}" for name in component.inputs}
    assert {name for name in named if name not in str(component.command)} == set()


def test_what_is_uploaded_is_the_step_and_the_app_s_package(uploaded: Path) -> None:
    tops = {path.name for path in uploaded.iterdir()}
    mine = {"trigger_pipeline", "trigger_pipeline.yml", "environment.yml", "conda.yml"}
    assert tops - {"README.md"} == {*mine, "functions"}
    assert not list(uploaded.rglob("__pycache__"))


def test_the_environment_pins_what_the_app_pins() -> None:
    app = {r.name: str(r.specifier) for r in requirements("requirements.in")}
    mine = {r.name: str(r.specifier) for r in pins()}
    assert {name for name, pin in mine.items() if app.get(name) != pin} == {LINK_ONLY}
    assert all(pin.startswith("==") for pin in mine.values())


def test_the_environment_has_everything_that_the_step_imports(on_node: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=on_node,
        capture_output=True,
        text=True,
        check=True,
    )
    brought = needed_by(r for r in pins() if r.name != LINK_ONLY)
    outside = {top: by for top, by in provided().items() if top in told.stdout.split()}
    lacking = {top for top, by in outside.items() if not by & brought}
    assert {canonicalize_name(r.name) for r in pins()} - {LINK_ONLY} <= brought
    assert lacking == set()


def test_the_sdk_is_a_tool_of_the_tests_alone() -> None:
    assert "azure-ai-ml" not in shipped("requirements-cli.txt")
