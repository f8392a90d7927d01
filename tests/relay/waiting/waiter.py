"""`bin/relay wait` as a user or an agent runs it: a process, its lines, its exit code."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Self

from local.arm.jobs import Job
from local.cloud import WORKSPACE
from tests.running import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azcli import AzureCli

PATIENCE = 60.0  # seconds until a test gives up, which a slow machine may need


def until(reached: Callable[[], bool]) -> None:
    """Return once that is so; fails if it never is."""
    ends = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < ends, "it was never reached"
        time.sleep(0.02)


# An `az` that creates jobs as `answer` says, and hands all else on to another one.
_SCRIPT = """#!{python} -IS
import json, os, sys, time

if sys.argv[1:3] == ["extension", "add"]:
    sys.exit()
if sys.argv[1:4] != ["ml", "job", "create"]:
    os.execv({other!r}, [{other!r}, *sys.argv[1:]])
with open({log!r}, "a", encoding="utf-8") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
with open({answer!r}, encoding="utf-8") as file:
    answer = json.load(file)
while answer["until"] and not os.path.exists(answer["until"]):
    time.sleep(0.02)
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["code"])
"""


class JobsCli:
    """An `az` with the `ml` extension, in front of another `az`; it makes no job itself."""

    def __init__(self, directory: Path, signed_in: AzureCli) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._signed_in = signed_in
        self._log = directory / "log"
        other = signed_in.environ()["PATH"].partition(os.pathsep)[0]
        script = directory / "az"
        text = _SCRIPT.format(
            python=sys.executable,
            other=f"{other}/az",
            log=str(self._log),
            answer=str(directory / "answer"),
        )
        script.write_text(text, "utf-8")
        script.chmod(0o755)

    def answers(self, out: str = "", *, err: str = "", code: int = 0, until: str = "") -> None:
        """What `az ml job create` does from now on, once the file `until` is there."""
        answer = {"out": out, "err": err, "code": code, "until": until}
        (self._directory / "answer").write_text(json.dumps(answer), "utf-8")

    def environ(self) -> dict[str, str]:
        """The environment in which this `az` is found first."""
        signed_in = self._signed_in.environ()
        path = os.pathsep.join([str(self._directory), signed_in["PATH"]])
        return {**signed_in, "PATH": path}

    def tokens(self) -> list[str]:
        """What tokens were asked for."""
        return self._signed_in.asked_for()

    def calls(self) -> list[list[str]]:
        """The arguments of each `az ml job create`."""
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
        return [json.loads(line) for line in lines]


class Waiting:
    """The running command."""

    def __init__(self, words: tuple[str, ...], environ: Mapping[str, str]) -> None:
        mine = {**os.environ, "COLUMNS": "200", **environ}
        self._process = forked.start("relay", "wait", *words, environ=mine)
        self._lines = threading.Condition()
        self.out, self.err = "", ""
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream))
            for name, stream in (("out", self._process.stdout), ("err", self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self.code()

    def tells(self, text: str) -> bool:
        """Whether it prints this, however long that takes."""
        with self._lines:
            return self._lines.wait_for(lambda: text in self.out + self.err, PATIENCE)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def code(self) -> int:
        """Its exit code, once it has ended and all its lines were read."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        assert "Traceback" not in self.out + self.err, self.err
        return code

    def statuses(self) -> list[str]:
        """The last word of each line that has a time."""
        told = [line for line in self.out.splitlines() if " UTC  " in line]
        return [line.split()[-1] for line in told]

    def json(self) -> Any:
        """The one line that it printed for programs."""
        self.code()
        (line,) = self.out.splitlines()
        return json.loads(line)

    def _read(self, name: str, stream: IO[str] | None) -> None:
        assert stream is not None
        with stream:
            for line in stream:
                with self._lines:
                    setattr(self, name, getattr(self, name) + line)
                    self._lines.notify_all()


class Training:
    """A run that is a job, too, as Azure Machine Learning's own runs are."""

    def __init__(self, cloud: Cloud, run: str, status: str = "Running", **facts: Any) -> None:
        self._cloud, self._run, self._facts = cloud, run, facts
        self.becomes(status)

    def becomes(self, status: str, *, run: str | None = None, **facts: Any) -> None:
        """Give job and run this status; the run another one if `run` says so."""
        self._facts |= facts
        self._cloud.aml.add_run(self._run, status=run or status, **self._facts)
        self._cloud.arm.add_job(WORKSPACE, Job(self._run, status=status))

    @property
    def cancels(self) -> int:
        """How often its cancellation was asked for."""
        return len(self._cloud.arm.server.received("POST", f"/jobs/{self._run}/cancel"))
