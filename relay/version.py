"""Which commit of Run Relay this is: as git says, or as what was packed says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from functions.configuration import version

ROOT = Path(__file__).parent.parent
SECONDS = 10
_COMMIT = ("git", "-C", str(ROOT), "log", "-1", "--format=%h of %cs")
_CHANGED = ("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")


def told() -> str:
    """In words, for people; raises nothing, also without git."""
    commit = _git(_COMMIT) if (ROOT / ".git").exists() else None
    if not commit:
        return f"Run Relay, commit {version.packed() or 'not known'}"
    return f"Run Relay, commit {commit}{', with changes' if _git(_CHANGED) else ''}"


def _git(command: tuple[str, ...]) -> str | None:
    """What git says, None where it cannot."""
    try:
        ran = subprocess.run(  # noqa: S603 - the commands above
            command, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return ran.stdout.strip()
