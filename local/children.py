"""Processes started here, and their end: on success, on failure and on a signal none is left."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG_LINES_TOLD = 25


class Interrupted(BaseException):
    """A signal came. Like KeyboardInterrupt it is no error, so nothing should swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def code(self) -> int:
        """The exit code that a shell would give: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.number


class Child:
    """A process with a group of its own, so that what it starts can be ended with it.

    Output goes to `log`; with `output` its stdout goes to that file instead.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        directory: Path,
        environment: Mapping[str, str],
        output: Path | None = None,
    ) -> None:
        self.command, self.log, self.output = list(command), log, output or log
        self._directory, self._environment = directory, dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the process; its files are begun anew."""
        with self.log.open("wb") as log, self.output.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                self.command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log if self.output == self.log else output,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def pid(self) -> int:
        """Its id, and that of its group; 0 before it is started."""
        return self._process.pid if self._process else 0

    def ended(self, patience: float = 0) -> int | None:
        """The exit code, waiting so many seconds for it; None while the process runs."""
        if self._process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience)
        return None

    def ask_to_end(self) -> None:
        """Send SIGTERM to the group and do not wait."""
        self._send(signal.SIGTERM)

    def stop(self, patience: float = 10) -> None:
        """End the whole group: asked first, forced after so many seconds."""
        self.ask_to_end()
        self.ended(patience)
        self._send(signal.SIGKILL)
        self.ended(patience)
        self._process = None

    def tail(self, lines: int = LOG_LINES_TOLD) -> list[str]:
        """The end of its log."""
        if not self.log.exists():
            return []
        return self.log.read_text("utf-8", errors="replace").splitlines()[-lines:]

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


class Children:
    """Starts processes and ends them all when left. To be entered in the main thread.

    While entered, the first SIGINT, SIGTERM or SIGHUP raises Interrupted in the main thread,
    though never between the start of a process and its being known here, nor while processes are
    ended; any further signal is ignored. Whoever enters calls `end` once more in a `finally`: the
    signal may come when the block is being left already.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._handlers: dict[int, object] = {}
        self._shields = 0
        self._pending: int | None = None
        self._raised = False

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._came) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        with self._shielded():
            self.end()
        if not self._raised:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def start(self, child: Child) -> Child:
        """Start a process that is ended with the others. Raises OSError, Interrupted."""
        with self._shielded():
            self._children.append(child)
            return child.start()

    def end(self) -> None:
        """End what is left."""
        for child in self._children:
            child.ask_to_end()
        while self._children:
            self._children[-1].stop()
            self._children.pop()

    @contextmanager
    def _shielded(self) -> Iterator[None]:
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._pending is not None:
            self._raise(self._pending)

    def _came(self, number: int, _frame: FrameType | None) -> None:
        if self._shields:
            self._pending = number
        else:
            self._raise(number)

    def _raise(self, number: int) -> None:
        if not self._raised:
            self._raised = True
            raise Interrupted(number)


def plain_environment() -> dict[str, str]:
    """The environment of this process without what could be a setting of the app or of a proxy."""
    wanted = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"}
    return {
        name: value
        for name, value in os.environ.items()
        if name in wanted or name.startswith(("PYTHON", "LC_"))
    }
