from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.children import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(inner.pid, flush=True)
time.sleep(600)
"""
STARTER = """
import sys, time
from pathlib import Path
from local.children import Child, Children, Interrupted
log = Path(sys.argv[1])
try:
    with Children() as children:
        for n in range(3):
            code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
            command = [sys.executable, "-c", code]
            children.start(Child(command, log / str(n), directory=log, environment={}))
        print("ready", flush=True)
        time.sleep(600)
except Interrupted as signal:
    sys.exit(signal.code)
"""


def script(text: str, folder: Path) -> Child:
    command = [sys.executable, "-c", text]
    return Child(command, folder / "log", directory=folder, environment=os.environ)


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Child]:
    child = script(STUBBORN, tmp_path).start()
    yield child
    child.stop(patience=0.1)


def is_running(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def told_pid(log: Path) -> int:
    """The process id in a child's log, once it is there."""
    while not (text := log.read_text()).endswith("\n"):
        pass
    return int(text)


def test_a_child_that_ignores_being_asked_is_ended_with_what_it_started(stubborn: Child) -> None:
    inner = told_pid(stubborn.log)
    assert is_running(inner)
    stubborn.stop(patience=0.1)
    while is_running(inner):
        pass
    assert not is_running(inner)


def test_a_child_tells_its_exit_code_and_the_end_of_its_log(tmp_path: Path) -> None:
    child = script("print('one'); print('two'); raise SystemExit(3)", tmp_path).start()
    assert child.ended(patience=30) == 3
    assert child.tail(1) == ["two"]


def test_a_child_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    child = script("", tmp_path)
    child.stop()
    assert child.ended() is None


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_all_children(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
        pids = [told_pid(tmp_path / str(n)) for n in range(3)]
        assert all(map(is_running, pids))
        starter.send_signal(number)
        assert starter.wait(30) == code
    assert not any(map(is_running, pids))
