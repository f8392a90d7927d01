"""What the figures were measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from local.real import azurite

PACKAGES = (
    "azure-functions",
    "azure-data-tables",
    "azure-identity",
    "azure-keyvault-secrets",
    "requests",
    "urllib3",
)


def described() -> str:
    """Date, processor, system and versions, in one line."""
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    today = datetime.now(UTC).date().isoformat()
    where = f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GB, {platform.system()}"
    azurite, node = _azurite(), _node()
    return f"{today}; {where}; Python {platform.python_version()}, {packages}, {azurite}, {node}"


def busy() -> float:
    """Seconds that all cores together have worked since the machine started.

    https://man7.org/linux/man-pages/man5/proc_stat.5.html
    """
    user, nice, system, _, _, interrupt, soft, *_ = (
        int(n) for n in Path("/proc/stat").read_text("utf-8").split(maxsplit=9)[1:9]
    )
    return (user + nice + system + interrupt + soft) / os.sysconf("SC_CLK_TCK")


def _azurite() -> str:
    main = azurite.installed()
    package = main and main.parents[3] / "package.json"
    version = json.loads(package.read_text("utf-8"))["version"] if package else "none"
    return f"Azurite {version}"


def _node() -> str:
    ran = subprocess.run(["node", "--version"], capture_output=True, check=False, text=True)  # noqa: S607
    return f"Node {ran.stdout.strip().removeprefix('v')}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
