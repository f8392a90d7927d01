"""No limit is exceeded, whoever stands still between two writes, and whoever's clock is ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.reasons import Reason
from tests.flow.asking import EXPERIMENT
from tests.flow.limits.test_lines import next_hour
from tests.flow.limits.test_places import ONE, deliver, started, taken
from tests.flow.limits.test_places import stage as stage  # noqa: PLC0414 - a fixture
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import Stage, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Frozen(Wrapped):
    """A ledger whose process stands still in the n-th such call, while something else happens."""

    def __init__(self, real: Any, method: str, nth: int, meanwhile: Callable[[], object]) -> None:
        super().__init__(real)
        self._method, self._left, self._meanwhile = method, nth, meanwhile

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)

        def called(*given: Any, **named: Any) -> Any:
            if "limit/register" in str(given[0]):
                self._left -= 1
                if self._left == 0:
                    self._meanwhile()
            return found(*given, **named)

        return called if name == self._method else found


def frozen(stage: Stage, run: str, method: str, nth: int, **lasts: float) -> None:
    """Deliver the run to a process that freezes there, while another one's timer fires."""
    other = stage.app
    stage.aml.add_run(run, experiment=EXPERIMENT)

    def meanwhile() -> None:
        stage.clock.forward(**lasts)
        other.reconciler.reconcile()

    stage.build(ledger=Frozen(stage.ledger, method, nth, meanwhile))
    stage.deliver(completed(run))
    stage.build()


def test_who_wakes_after_its_place_served_another_process_does_not_give_it_back(
    stage: Stage,
) -> None:
    """It was to stand back for who waits; its lease ran out, and its run was started since."""
    deliver(stage, "first", "waits")
    next_hour(stage)
    frozen(stage, "late", "is_awaited", 1, minutes=3)
    assert (started(stage), taken(stage)) == (["first", "late"], 1)
    stage.reconcile(minutes=1)
    assert started(stage) == ["first", "late"]
    next_hour(stage)
    stage.reconcile()
    assert started(stage) == ["first", "late", "waits"]


def test_who_wakes_before_it_gives_back_a_place_that_is_used_again_leaves_it(stage: Stage) -> None:
    """It was refused, parked, and started by another process with the place that it still had."""
    stage.devops.server.faults.add(says(400, "GitHub reported the error: rate limit"))
    frozen(stage, "a", "shared", 2, minutes=1)
    assert (started(stage), taken(stage)) == (["a"], 1)
    deliver(stage, "b")
    assert (started(stage), stage.only("b").reason) == (["a"], Reason.LIMIT)


def test_who_wakes_and_finds_its_run_at_another_process_starts_nothing_and_takes_one_place(
    stage: Stage,
) -> None:
    frozen(stage, "a", "shared", 1, minutes=3)
    assert (started(stage), taken(stage)) == (["a"], 1)
    deliver(stage, "b")
    assert started(stage) == ["a"]


def test_who_wakes_before_it_gives_back_a_place_that_its_run_took_when_it_was_read_again_leaves_it(
    stage: Stage,
) -> None:
    """Meanwhile the run read Failed for a moment, and an event told once more how it had ended."""
    stage.devops.server.faults.add(says(400, "GitHub reported the error: rate limit"))
    stage.aml.add_run("a", experiment=EXPERIMENT)
    other = stage.app

    def meanwhile() -> None:
        stage.clock.forward(minutes=1)
        stage.aml.add_run("a", experiment=EXPERIMENT, status="Failed")
        other.reconciler.reconcile()
        assert stage.of_run("a")["register"].reason is Reason.OUTCOME_CHANGED
        stage.aml.add_run("a", experiment=EXPERIMENT)
        other.deliver(completed("a"))

    stage.build(ledger=Frozen(stage.ledger, "shared", 2, meanwhile))
    stage.deliver(completed("a"))
    stage.build()
    assert (42, "a") in stage.started()
    deliver(stage, "b")
    assert (taken(stage), stage.only("b").reason) == (1, Reason.LIMIT)


def test_a_window_that_is_over_by_one_clock_is_full_by_the_other(
    stage: Stage, tmp_path: Path
) -> None:
    """The sweep fires with the hour, and forgets what is over."""
    deliver(stage, "a")
    ahead = Stage(stage.cloud, tmp_path, SWEEP="off")
    ahead.routes(ONE)
    next_hour(stage, -60)
    ahead.clock.moved = stage.clock.moved
    ahead.clock.forward(seconds=65)
    ahead.app.sweep.sweep()
    deliver(stage, "b")
    assert stage.only("b").reason is Reason.LIMIT
    assert started(stage) == ["a"]
