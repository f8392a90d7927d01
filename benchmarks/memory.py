"""How much memory this process holds."""

from __future__ import annotations

from pathlib import Path


def resident() -> float:
    """Megabytes."""
    status = Path("/proc/self/status").read_text("utf-8")
    kilobytes = status.partition("VmRSS:")[2].split()[0]
    return int(kilobytes) / 1024
