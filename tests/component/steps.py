"""The step as AML runs it: the uploaded folder, the rendered command line, AML's variables."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.aml.node import rendered, with_python
from local.cloud import SUBSCRIPTION
from tests.running import forked
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.cloud import Cloud

FILE = ROOT / "component" / "trigger_pipeline.yml"
OWN_RUN = "brave_hat_0123456789"
SHELL = ("/bin/bash", "-c")
TELLING = "#!/bin/sh\nprintf '%s\\0' \"$@\"\n"  # a `python` that only says what it was called with


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
        """Run it to its end, with these inputs and more variables.

        The shell reads the command line as on a node; what it calls has been imported before.
        """
        words = self._words(inputs)
        mine = {**self.environ, **environ}
        process = forked.start("component.trigger_pipeline", *words, environ=mine, together=True)
        said, _ = process.communicate(timeout=120)
        assert process.returncode is not None
        return Ran(process.returncode, said, self._told())

    def run_uploaded(self, inputs: Mapping[str, object]) -> Ran:
        """The same, of nothing but what was uploaded."""
        done = subprocess.run(
            [*SHELL, self._rendered(inputs)],
            cwd=self._folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, self._told())

    def _rendered(self, inputs: Mapping[str, object]) -> str:
        return rendered(self._command, {**inputs, "pipeline_run": self._output})

    def _words(self, inputs: Mapping[str, object]) -> list[str]:
        """What the shell makes of the command line's words, after `python -m trigger_pipeline`."""
        folder = self._directory / "telling"
        folder.mkdir(exist_ok=True)
        (folder / "python").write_text(TELLING, "utf-8")
        (folder / "python").chmod(0o755)
        told = subprocess.run(
            [*SHELL, self._rendered(inputs)],
            env=self.environ | {"PATH": f"{folder}:{self.environ['PATH']}"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        module, *words = told.stdout.split("\0")[1:-1]
        assert module == "trigger_pipeline"
        return words

    def _told(self) -> dict[str, Any]:
        found: dict[str, Any] = (
            json.loads(self._output.read_text("utf-8")) if self._output.exists() else {}
        )
        return found
