"""A command as somebody types it, and every process that came of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


class Typed:
    """`python -m COMMAND` in the project's folder; its temporary files go to `directory`.

    That name in the environment is also what its processes are known by.
    """

    def __init__(self, command: tuple[str, ...], directory: Path) -> None:
        self.directory = directory
        self._lines: list[str] = []
        self._has_ended = False
        self._said = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(directory), "NO_COLOR": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    @property
    def output(self) -> str:
        """What it wrote so far."""
        with self._said:
            return "".join(self._lines)

    def wait_for(self, pattern: str) -> str:
        """The text that it writes of this pattern; fails if it ends without."""
        with self._said:
            self._said.wait_for(lambda: self._found(pattern) or self._has_ended, PATIENCE)
            found = self._found(pattern)
        assert found, f"{pattern!r} is not in:\n{self.output}"
        return found

    def ended(self) -> int:
        """Its exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """What Ctrl-C does."""
        self._process.send_signal(number)

    def processes(self) -> list[str]:
        """The command lines of all its processes that run now."""
        return [_command(pid) for pid in self._pids()]

    def runs(self, *names: str) -> bool:
        """Whether processes of these names run; one just started shows no command line yet."""
        return _soon(lambda: all(name in "\n".join(self.processes()) for name in names))

    def none_left(self) -> bool:
        """Whether all its processes are gone; those just killed are given a moment."""
        return _soon(lambda: not self._pids())

    def clear_away(self) -> None:
        """End what is left, so that one broken test breaks no other."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.ended()

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            with self._said:
                self._lines.append(line.decode())
                self._said.notify_all()
        with self._said:
            self._has_ended = True
            self._said.notify_all()

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, "".join(self._lines), re.MULTILINE)
        return found[0] if found else ""

    def _pids(self) -> list[int]:
        mark = f"TMPDIR={self.directory}\0".encode()
        return [pid for pid in _all_pids() if mark in _environment(pid)]


def _soon(so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not so() and time.monotonic() < end:
        time.sleep(0.05)
    return so()


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:
        return b""


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""
