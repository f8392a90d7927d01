"""Submits a job through the Azure CLI, which knows job files and uploads the code they name.

https://learn.microsoft.com/cli/azure/ml/job#az-ml-job-create
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from functions.core.events import parsing
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from functions.core.terms.runs import Workspace

LONGEST_SECONDS = 1800.0  # code and data are uploaded
GRACE_SECONDS = 5.0  # an agent of Azure Pipelines waits no longer than 10 before it kills
_OVERRIDE = re.compile(r"[A-Za-z_][\w.\[\]-]*=.*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,254}")


class NotSubmitted(Exception):
    """There is no job; the message says why."""


class Interrupted(KeyboardInterrupt):
    """It was interrupted while it submitted. `run` is the job's name where it is known."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class Job(NamedTuple):
    """A job file and what is changed in it; without `name` the service gives one."""

    file: Path
    overrides: Sequence[str] = ()
    name: str = ""

    def problem(self) -> str:
        """What cannot be submitted in this, empty where all is well."""
        wrong = [text for text in self.overrides if not _OVERRIDE.fullmatch(text)]
        if wrong:
            return f"{bounded(wrong[0], 100)!r} is not of the form NAME=VALUE"
        if self.name and not _NAME.fullmatch(self.name):
            return f"{bounded(self.name, 100)!r} is no name for a job: letters, digits, _ and -"
        return ""

    def arguments(self, workspace: Workspace) -> list[str]:
        """What follows `az`."""
        where = {
            "--file": str(self.file),
            "--subscription": workspace.subscription,
            "--resource-group": workspace.resource_group,
            "--workspace-name": workspace.name,
            "--query": "name",
            "--output": "tsv",
        }
        named = ["--name", self.name] if self.name else []
        changed = ["--set", *self.overrides] if self.overrides else []
        options = [word for pair in where.items() for word in pair]
        return ["ml", "job", "create", *options, *named, *changed]


def submitted(job: Job, workspace: Workspace, seconds: float) -> str:
    """The run id of the new job, after so many seconds at most; raises NotSubmitted, Interrupted.

    An interruption from the terminal does not reach `az`: it has a moment to tell which job it
    made.
    """
    az = shutil.which("az")
    if az is None:
        raise NotSubmitted("the Azure CLI is not installed: there is no az on the PATH")
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(  # noqa: S603 - no shell reads the arguments
        [az, *job.arguments(workspace)],
        **given,  # type: ignore[call-overload]
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            return _answer(process, min(seconds, LONGEST_SECONDS))
        except KeyboardInterrupt:
            raise Interrupted(job.name or _last_word(process)) from None
        finally:
            _end(process)


def _answer(process: subprocess.Popen[str], seconds: float) -> str:
    try:
        out, err = process.communicate(timeout=max(seconds, 1.0))
    except subprocess.TimeoutExpired:
        raise NotSubmitted(f"az ml job create did not end within {seconds:.0f} s") from None
    if process.returncode:
        lines = [line for line in err.splitlines() if line.strip()] or ["no reason was given"]
        why = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise NotSubmitted(f"az ml job create failed: {bounded(why)}")
    if not parsing.is_run_id(out.strip()):
        raise NotSubmitted(f"az ml job create told no run id: {bounded(out, 100)!r}")
    return out.strip()


def _last_word(process: subprocess.Popen[str]) -> str:
    try:
        return _answer(process, GRACE_SECONDS)
    except (NotSubmitted, KeyboardInterrupt):
        return ""


def _end(process: subprocess.Popen[str]) -> None:
    """End what still runs: `az` is a shell script that starts Python."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
