"""What all commands share as they are typed: help, completion, interrupted pipes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from local.serving.faults import Fault
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.relay.conftest import Desk

COMMANDS = ("why", "list", "show", "preview", "replay")
COMPLETE = """
eval "$(_RELAY_COMPLETE=source_bash relay)"
COMP_WORDS=({words}) COMP_CWORD={at}
_relay_completion relay
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell with `relay` on its PATH, as a link in another folder."""
    (tmp_path / "relay").symlink_to(ROOT / "bin" / "relay")
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "RUN_RELAY_PYTHON": sys.executable, "COLUMNS": "120"}


def run(*command: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_start_with_what_people_type(desk: Desk, command: str) -> None:
    said = desk.type(command, "--help")
    assert said.code == 0
    examples = said.out[said.out.index("Examples:") :]
    assert f"bin/relay {command}" in examples
    assert "Exits with" in said.out
    assert "--app" in said.out
    assert "--json" in said.out


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("relay wh", {"what-if", "why"}),
        ("relay list --state st", {"started"}),
        ("relay list --st", {"--state"}),
        ("relay preview --ch", {"--check"}),
    ],
)
def test_bash_completes_commands_options_and_states(
    shell: dict[str, str], tmp_path: Path, words: str, expected: set[str]
) -> None:
    script = COMPLETE.format(words=words, at=len(words.split()) - 1)
    ran = run("bash", "-c", script, env=shell, cwd=tmp_path)
    assert set(ran.stdout.split()) == expected, ran.stderr


def test_it_runs_from_any_folder_under_its_own_name(shell: dict[str, str], tmp_path: Path) -> None:
    ran = run("relay", "why", "--help", env=shell, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Usage: relay why" in ran.stdout


def test_a_reader_that_goes_away_leaves_no_stack_trace(desk: Desk) -> None:
    command = f"'{sys.executable}' -m relay list --json | true"
    env = {**os.environ, **desk.stage.environ}
    ran = run("sh", "-c", command, env=env, cwd=ROOT)
    assert "Traceback" not in ran.stderr


def test_a_list_does_not_load_what_speaks_http() -> None:
    code = (
        "import sys, relay.continuations.listing, relay.previews.preview, relay.why.why;"
        " sys.exit('requests' in sys.modules)"
    )
    ran = run(sys.executable, "-c", code, env=dict(os.environ), cwd=ROOT)
    assert ran.returncode == 0, "importing requests costs every command half a second"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What is started can be interrupted, though this process may be one in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupting_ends_at_once_and_says_so_by_its_code(desk: Desk) -> None:
    hanging = Fault("GET", "*/runs/get", hang=True, times=9)
    desk.stage.aml.server.faults.add(hanging)
    env = {**os.environ, **desk.stage.environ}
    with subprocess.Popen(
        [sys.executable, "-m", "relay", "why", "r1"], cwd=ROOT, env=env, stderr=subprocess.PIPE
    ) as typed:
        while hanging.times == 9 and typed.poll() is None:
            time.sleep(0.05)
        typed.send_signal(signal.SIGINT)
        _, err = typed.communicate(timeout=60)
    assert (typed.returncode, b"Traceback" in err) == (130, False)
