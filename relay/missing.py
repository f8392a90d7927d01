"""One line instead of a traceback, where this Python is too old or lacks the packages."""

import sys
from contextlib import contextmanager
from pathlib import Path

OLDEST = (3, 11)
USAGE = 2
_OURS = ("relay", "functions")


@contextmanager
def told():  # type: ignore[no-untyped-def] # noqa: ANN201 - read by any Python 3
    """End the program with what is missing and what to do, if something that it imports is."""
    if sys.version_info[:2] < OLDEST:
        _end("Python {}.{} is needed, and this is {}.{}".format(*OLDEST, *sys.version_info[:2]))
    try:
        yield
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name in _OURS:
            raise
        _end(f"this Python has no package {name}")


def _end(why: str) -> None:
    home = Path(__file__).resolve().parent.parent
    done = "call bin/relay" if (home / ".venv").exists() else "run make setup"
    sys.stderr.write(f"relay: {why}: {done} in {home}\n")
    raise SystemExit(USAGE)
