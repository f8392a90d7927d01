"""What the tests' own forked programs promise: to be processes like those that are typed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.running import forked
from tests.running.shipping import ROOT

WORDS = ("check", "no-such-file.yaml")


def test_a_forked_program_says_and_answers_what_a_typed_one_does() -> None:
    environ = {**os.environ, "COLUMNS": "300"}
    typed = subprocess.run(
        [sys.executable, "-m", "relay", *WORDS],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    ran = forked.ran("relay", *WORDS, environ=environ)
    assert typed.returncode
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        typed.returncode,
        typed.stdout,
        typed.stderr,
    )


def test_each_is_a_process_that_ends_by_its_own_signal_alone() -> None:
    hosts = [
        forked.start("local.host", "--no-timers", environ=os.environ, together=True)
        for _ in range(2)
    ]
    first, second = hosts
    assert first.pid != second.pid
    first.kill()
    assert first.wait(60) == -signal.SIGKILL
    assert second.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0)
    second.kill()
    assert second.wait(60) == -signal.SIGKILL
    for host in hosts:
        host.communicate()


def test_it_is_awaited_in_a_process_that_has_many_files_open() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1100):
            held.enter_context(Path(os.devnull).open("rb"))
        assert forked.ran("relay", *WORDS, environ=os.environ).returncode
