from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.component.steps import FILE, Step
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from azure.ai.ml.entities import CommandComponent

    from local.cloud import Cloud
    from local.real.mlflow import MLflow

    Given = dict[str, Any]


@pytest.fixture(scope="session")
def component() -> CommandComponent:
    from azure.ai.ml import load_component  # noqa: PLC0415 - seconds, on every collection
    from azure.ai.ml.entities import CommandComponent  # noqa: PLC0415

    loaded = load_component(FILE)
    assert isinstance(loaded, CommandComponent)
    return loaded


@pytest.fixture(scope="session")
def uploaded(component: CommandComponent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the SDK would upload, put together by the SDK itself: nothing runs here."""
    folder = tmp_path_factory.mktemp("code") / "uploaded"
    built: AbstractContextManager[Any] = component._build_code()  # noqa: SLF001 - what create does
    with built as code:
        shutil.copytree(code.path, folder)
    return folder


@pytest.fixture(scope="session")
def on_node(uploaded: Path) -> Path:
    """The same folder on the node, where what runs leaves its bytecode."""
    return shutil.copytree(uploaded, uploaded.with_name("wd"))


@pytest.fixture(scope="session")
def model(mlflow_server: MLflow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder of a real training, as a mount shows it: read only."""
    script = ROOT / "examples" / "training" / "train.py"
    trained = subprocess.run(
        [sys.executable, str(script), "--epochs", "2"],
        env=os.environ | {"MLFLOW_TRACKING_URI": mlflow_server.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    run = trained.stdout.strip()
    files = (mlflow_server.directory / "art").rglob("MLmodel")
    (found,) = (file.parent for file in files if run in file.read_text("utf-8"))
    mounted = tmp_path_factory.mktemp("mount") / "model"
    shutil.copytree(found, mounted)
    mounted.chmod(0o555)
    return mounted


@pytest.fixture
def run_id(model: Path) -> str:
    lines = (model / "MLmodel").read_text("utf-8").splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("run_id: "))


@pytest.fixture
def step(component: CommandComponent, on_node: Path, cloud: Cloud, tmp_path: Path) -> Step:
    assert component.command
    return Step(component.command, on_node, cloud, tmp_path)


@pytest.fixture
def given(component: CommandComponent, model: Path, cloud: Cloud) -> Given:
    """The least that somebody gives; what has a default has it."""
    defaults = {n: i.default for n, i in component.inputs.items() if i.default is not None}
    return {
        **defaults,
        "model": model,
        "model_name": "defect-classifier",
        "vault": cloud.vault.url,
        "organization": "contoso",
        "project": "mlops",
        "pipeline_id": 42,
    }


@pytest.fixture
def altered(given: Given) -> Callable[..., Given]:
    return lambda **inputs: {**given, **inputs}
