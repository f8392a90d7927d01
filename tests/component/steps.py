"""The step as AML runs it: the uploaded folder, the rendered command line, AML's variables."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.aml.node import rendered, with_python
from local.cloud import SUBSCRIPTION
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.cloud import Cloud

FILE = ROOT / "component" / "trigger_pipeline.yml"
OWN_RUN = "brave_hat_0123456789"


@dataclass(frozen=True)
class Ran:
    """A step that ended. `output` is what it wrote for the next step, {} if nothing."""

    code: int
    said: str
    output: dict[str, Any]


class Step:
    """A command component on a node: `folder` is what was uploaded."""

    def __init__(self, command: str, folder: Path, cloud: Cloud, directory: Path) -> None:
        self._command, self._folder, self._directory = command, folder, directory
        self._output = directory / "outputs" / "pipeline_run"
        self.environ = os.environ | {
            **cloud.settings(),
            "AZUREML_RUN_ID": OWN_RUN,
            "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION,
            "AZUREML_ARM_RESOURCEGROUP": "rg-ml",
            "AZUREML_ARM_WORKSPACE_NAME": "ml-prod",
            "AZUREML_ARM_PROJECT_NAME": "defect-detection",
            "RETRY_FIRST_SECONDS": "0.2",
            "PATH": with_python(directory, os.environ["PATH"]),
        }
        for name in ("KEY_VAULT_URL", "PYTHONPATH", "MLFLOW_TRACKING_URI"):
            self.environ.pop(name, None)

    def run(self, inputs: Mapping[str, object], **environ: str) -> Ran:
        """Run it to its end, with these inputs and more variables."""
        done = subprocess.run(
            ["/bin/bash", "-c", rendered(self._command, {**inputs, "pipeline_run": self._output})],
            cwd=self._folder,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        told = self._output.read_text("utf-8") if self._output.exists() else "{}"
        return Ran(done.returncode, done.stdout, json.loads(told))
