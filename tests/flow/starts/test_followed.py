"""docs/architecture.md follows an event, a lost answer and a replay through the files that run."""

from __future__ import annotations

import inspect
import re
import sys
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from functions.core.operators import typed_keys
from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.project.test_architecture import FILE, PAGE, layers
from tests.running.shipping import ROOT
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from tests.stage.azure import Stage

HERE = f"{ROOT}/functions/"
STACK = [name for layer in layers("functions.core") for name in layer]
VALUES = {"kept", "terms", "texts"}  # that every room uses
MOST_ROOMS = 9
GATED = ROUTES.replace(
    "name: register", "name: register\n    when: run.metrics.accuracy > 0.9\n    limit: 20/h", 1
)
# What the host calls, and what makes the app: here the test does.
AROUND = {f"functions/{name}.py" for name in ("eventgrid", "timers", "bootstrap")}


class Walk:
    """The files of the app that ran, and which called which."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.calls: dict[str, set[str]] = defaultdict(set)
        threading.setprofile(self._see)  # a round works in threads of its own
        sys.setprofile(self._see)
        try:
            act()
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _see(self, frame: FrameType, event: str, _: object) -> None:
        is_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED  # else it is being imported
        if event == "call" and is_function and frame.f_code.co_filename.startswith(HERE):
            caller = frame.f_back.f_code.co_filename if frame.f_back else ""
            self.calls[frame.f_code.co_filename].add(caller)

    @property
    def files(self) -> set[str]:
        return {str(name).removeprefix(f"{ROOT}/") for name in self.calls}

    @property
    def rooms(self) -> set[str]:
        return {found for name in self.calls if (found := room(name))} - VALUES

    @property
    def upward(self) -> set[tuple[str, str]]:
        """Calls within the core to a package that is drawn above the caller's."""
        pairs = ((a, b) for b, callers in self.calls.items() for a in callers)
        rooms = {(room(a), room(b)) for a, b in pairs if room(a) and room(b)}
        return {(a, b) for a, b in rooms if STACK.index(b) < STACK.index(a)}


def room(name: str) -> str:
    """The package of the core that a file is in; empty for one that is not of the core."""
    found = re.match(f"{re.escape(HERE)}core/([a-z]+)/", name)
    return found[1] if found else ""


def told(title: str) -> str:
    """A section of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def named(title: str) -> set[str]:
    return {name for name in FILE.findall(told(title)) if name.startswith("functions/")}


def test_one_event_enters_the_rooms_that_are_told_and_never_goes_back_up(stage: Stage) -> None:
    stage.routes(GATED)
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.95})
    walk = Walk(lambda: stage.deliver(completed("r1")))
    assert stage.started() == [(42, "r1")]
    assert named("One event, followed") - AROUND - walk.files == set()
    rooms = re.findall(r"^\d\. \*\*([a-z]+)\*\*", told("One event, followed"), re.MULTILINE)
    # afterwards the delivery looks whether rounds go on, which is told apart
    assert set(rooms) == walk.rooms - {"rounds"} | {"triggers"}
    assert len(rooms) <= MOST_ROOMS
    assert walk.upward == set()


def test_a_lost_answer_is_looked_for_in_the_files_that_are_told(stage: Stage) -> None:
    runs = "*/_apis/pipelines/42/runs"
    stage.devops.server.faults.add(Fault(method="POST", path=runs, drop="after"))
    stage.aml.add_run("r1", experiment=EXPERIMENT)

    def lost_and_found() -> None:
        stage.deliver(completed("r1"))
        assert stage.only("r1").reason is Reason.IN_DOUBT
        stage.reconcile(seconds=31)

    walk = Walk(lost_and_found)
    assert (stage.only("r1").reason, stage.posts()) == (Reason.FOUND, 1)
    assert named("One lost answer, followed") - AROUND - walk.files == set()


def test_what_is_replayed_passes_through_the_files_that_are_told(stage: Stage) -> None:
    stage.routes(GATED)
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.5})
    stage.deliver(completed("r1"))
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.95})

    def replay() -> None:
        key = typed_keys.resolve(stage.ledger, "register/r1/Completed").key
        Replaying(stage.ledger, stage.clock, "ada").replay(key)
        assert stage.started() == []
        stage.reconcile()

    walk = Walk(replay)
    assert stage.started() == [(42, "r1")]
    assert named("One replay, followed") - AROUND - walk.files == set()
