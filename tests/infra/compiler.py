"""The Bicep compiler, asked as a program asks it that has many questions.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli#jsonrpc
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

TESTED = "0.49.2"
FOLDER = ROOT / ".cache" / "bicep"
NONE = (
    f"there is no Bicep compiler: `az bicep install --version v{TESTED}` puts one where it is found"
)
# What a deployment is predicted for.
PLACE = {
    "tenantId": "00000000-0000-0000-0000-000000000001",
    "subscriptionId": "00000000-0000-0000-0000-000000000002",
    "resourceGroup": "relay",
    "location": "westeurope",
    "deploymentName": "run-relay",
}


def compiler() -> Path | None:
    """The compiler of this checkout, the one on the path, or that of the Azure CLI."""
    found = shutil.which("bicep")
    azure = Path(os.environ.get("AZURE_CONFIG_DIR", Path.home() / ".azure")) / "bin" / "bicep"
    candidates = (FOLDER / "bicep", Path(found) if found else azure, azure)
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def surroundings(**more: str) -> dict[str, str]:
    """The environment of the compiler: no variable that a parameter file reads comes from here."""
    own = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    # A process that lives for seconds gains nothing by measuring itself: a third of its time.
    runtime = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "DOTNET_TieredPGO": "0"}
    return own | runtime | more


class Compiler:
    """One process that answers question after question; it knows what it has compiled before."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [path, "jsonrpc", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environ),
        )
        self._asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def compile(self, path: Path) -> dict[str, Any]:
        """The template, and what the compiler and its linter say of it."""
        return self._answer("compile", path)["result"]  # type: ignore[no-any-return]

    def formatted(self, path: Path) -> str:
        """The file as the compiler writes it."""
        return str(self._answer("format", path)["result"]["contents"])

    def parameters(self, path: Path) -> dict[str, Any]:
        """What the environment makes of a parameter file, and what is said of it."""
        return self._answer("compileParams", path, parameterOverrides={})["result"]  # type: ignore[no-any-return]

    def snapshot(self, path: Path, **place: str) -> tuple[str, str]:
        """The deployment that a parameter file is predicted to make, or why there is none."""
        said = self._answer("getSnapshot", path, metadata=PLACE | place)
        return said.get("result", {}).get("snapshot", ""), said.get("error", {}).get("message", "")

    def _answer(self, method: str, path: Path, **more: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._asked += 1
        asked = {"jsonrpc": "2.0", "id": self._asked, "method": f"bicep/{method}"}
        body = json.dumps(asked | {"params": {"path": str(path)} | more}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        found: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return found
