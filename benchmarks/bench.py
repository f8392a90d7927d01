"""What every part gets: the services, processes to measure in, and somebody to tell."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.cloud import Services
from benchmarks.names import HERE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.report import Section


USUAL, QUICK, SMOKE = "usual", "quick", "smoke"


class Bench:
    """One run of the benchmarks; `done` are its sections so far.

    `size` is how much is measured: `usual`, `quick` for rough figures, or `smoke`, which only shows
    that it can be measured.
    """

    def __init__(self, services: Services, folder: Path, size: str) -> None:
        self.services, self.folder, self.size = services, folder, size
        self.done: dict[str, Section] = {}
        self._tables = 0

    @property
    def quick(self) -> bool:
        """Whether rough figures suffice."""
        return self.size != USUAL

    def times(self, usual: int, quick: int) -> int:
        """How often something is to be done."""
        return {USUAL: usual, QUICK: quick}.get(self.size, 1)

    def lag(self, name: str) -> None:
        """From now on services take as long as `none` or `cloud` says, and count from zero."""
        self.services.ask("lag", name)
        self.services.ask("forget")

    def ledger(self, kind: str) -> dict[str, str]:
        """The settings of a new, empty ledger: `table` or `sqlite`."""
        self._tables += 1
        if kind == "sqlite":
            return {"LEDGER_URL": f"sqlite:///{self.folder}/ledger{self._tables}.db"}
        return {"LEDGER_URL": "", "LEDGER_TABLE": f"continuations{self._tables}"}

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """A process's environment, with the services' settings and these."""
        routes = {"ROUTES_FILE": str(HERE / "routes.yaml")}
        direct = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        return {**direct, **self.services.settings, **routes, **settings}

    def started_once(self, runs: int) -> None:
        """Raise RuntimeError unless so many runs were asked about, each started exactly once."""
        arrived = self.services.ask("arrivals")
        wrong = [run for run, times in arrived.items() if len(times) != 1]
        if wrong or len(arrived) != runs:
            named = f", {', '.join(wrong[:5])} more than once" if wrong else ""
            raise RuntimeError(f"{len(arrived):,} runs were started, not {runs:,}{named}")

    def subject(self, name: str, settings: Mapping[str, str], **arguments: object) -> Any:  # noqa: ANN401
        """What a subject found, in a process of its own; see `benchmarks.subject`."""
        with self.started(name, settings, (ROOT, sys.executable), **arguments) as process:
            return result(process)

    def together(
        self, name: str, settings: Mapping[str, str], processes: int, **arguments: object
    ) -> tuple[list[Any], dict[str, int], float]:
        """What so many processes found, each with its `share` of the work.

        With it the requests that each service got meanwhile, and how many cores were busy.
        """
        here = (ROOT, sys.executable)
        with ExitStack() as stack:
            every = [
                stack.enter_context(
                    self.started(name, settings, here, **arguments, share=(n, processes))
                )
                for n in range(processes)
            ]
            for process in every:
                warm(process)
            before, worked, began = self.services.ask("counts"), machine.busy(), time.monotonic()
            for process in every:
                go_on(process)
            found = [result(process) for process in every]
            cores = (machine.busy() - worked) / (time.monotonic() - began)
        after = self.services.ask("counts")
        return found, {each: after[each] - before[each] for each in after}, cores

    @contextmanager
    def started(
        self,
        name: str,
        settings: Mapping[str, str],
        where: tuple[Path, str] = (ROOT, sys.executable),
        **arguments: object,
    ) -> Iterator[subprocess.Popen[str]]:
        """The process of a subject, which is ended if it has not ended by itself.

        `where` are the tree that is measured, and the Python that runs it.
        """
        root, python = where
        command = [python, "-m", "benchmarks.subject", name, json.dumps(arguments)]
        with subprocess.Popen(
            command,
            cwd=root,
            env=self.environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def warm(process: subprocess.Popen[str]) -> None:
    """Wait until the process is warm. Raises RuntimeError if it failed."""
    assert process.stdout  # noqa: S101 - a pipe
    if process.stdout.readline() != "ready\n":
        result(process)


def go_on(process: subprocess.Popen[str]) -> None:
    """Let a warm process go on."""
    assert process.stdin  # noqa: S101 - a pipe
    process.stdin.write("\n")
    process.stdin.flush()


def go(process: subprocess.Popen[str]) -> None:
    """Let the process go on once it is warm."""
    warm(process)
    go_on(process)


def result(process: subprocess.Popen[str]) -> Any:  # noqa: ANN401 - JSON is anything
    """What the process found. Raises RuntimeError if it failed; what it said is on the screen."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} exited with {process.returncode}")
    return json.loads(output.splitlines()[-1])


@contextmanager
def running(size: str = "usual") -> Iterator[Bench]:
    """The services, entered; raises NotInstalledError without Azurite."""
    with tempfile.TemporaryDirectory() as folder, Services() as services:
        yield Bench(services, Path(folder), size)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say what takes its time, and how long it took."""
    sys.stdout.write(f"{what} ... ")
    sys.stdout.flush()
    begun = time.monotonic()
    yield
    sys.stdout.write(f"{time.monotonic() - begun:.0f} s\n")
    sys.stdout.flush()


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them is not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
