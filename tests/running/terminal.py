"""`python -m relay` before a terminal of so many columns."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 4_000  # bytes that a terminal keeps for who has not read them yet


def shown(columns: int, *words: str, environ: Mapping[str, str]) -> list[str]:
    """The lines that a command that ends well shows there; a few, which are read at its end."""
    ours, theirs = pty.openpty()
    mine = {**os.environ, **environ, "COLUMNS": str(columns)}
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", 0) as seen:
        typed = [sys.executable, "-m", "relay", *words]
        subprocess.run(typed, env=mine, cwd=ROOT, stdout=terminal, check=True, timeout=120)
        return seen.read(MOST).decode().splitlines()
