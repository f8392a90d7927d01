"""No group has two at once, whoever stands still between two writes while others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.reasons import Reason
from local.serving.faults import Fault
from tests.flow.limits.groups import (
    finish,
    one_at_a_time,  # noqa: F401 - the fixture
    rounds,
    started,
    trained,
)
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage


class Frozen(Wrapped):
    """A ledger whose process stands still at the n-th such call, while others go on."""

    def __init__(
        self, real: Any, method: str, nth: int, meanwhile: Callable[[], None], *, after: bool
    ) -> None:
        super().__init__(real)
        self._method, self._left, self._meanwhile = method, nth, meanwhile
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)

        def called(*given: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                self._meanwhile()
            answer = found(*given, **named)
            if self._left == 0 and self._after:
                self._meanwhile()
            return answer

        return called if name == self._method else found


def frozen(
    stage: Stage, run: str, call: str, meanwhile: Callable[[], None], nth: int = 1, *, after: bool
) -> None:
    """Deliver the run to a process that stands still there."""
    other = stage.app

    def others() -> None:
        mine, stage.app = stage.app, other
        meanwhile()
        stage.app = mine

    stage.build(ledger=Frozen(stage.ledger, call, nth, others, after=after))
    trained(stage, run)
    stage.build()


CALLS = [("shared", 2), ("share", 1), ("write", 1)]  # of its group's row, and of its mark


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("call", "nth"), CALLS[:2])
def test_who_stands_still_at_its_place_while_another_comes(
    stage: Stage, call: str, nth: int, after: bool
) -> None:
    frozen(stage, "a", call, lambda: trained(stage, "b"), nth, after=after)
    rounds(stage)
    (first,) = started(stage)
    (other,) = {"a", "b"} - {first}
    assert stage.only(other).reason is Reason.CONCURRENCY
    finish(stage, first)
    rounds(stage)
    assert started(stage) == [first, other]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("call", "nth"), CALLS)
def test_who_wakes_up_when_its_lease_has_run_out_and_another_waits(
    stage: Stage, call: str, nth: int, after: bool
) -> None:
    def meanwhile() -> None:
        stage.reconcile(minutes=3)
        trained(stage, "b")
        rounds(stage)

    frozen(stage, "a", call, meanwhile, nth, after=after)
    rounds(stage, 15)  # it had its mark, and is in doubt: it was never sent, and is sent then
    assert started(stage) == ["a"]
    assert stage.only("b").reason is Reason.CONCURRENCY
    finish(stage, "a")
    rounds(stage)
    assert started(stage) == ["a", "b"]


def test_who_was_refused_takes_its_place_again_while_another_is_about_to_take_it_over(
    stage: Stage,
) -> None:
    """The other has read that it needs none, and then stands still, for less than its lease."""
    stage.devops.server.faults.add(says(403))
    trained(stage, "a")
    assert stage.only("a").reason is Reason.REFUSED

    def meanwhile() -> None:
        assert Replaying(stage.ledger, stage.clock, "ada").replay(stage.only("a").key).done
        stage.reconcile(seconds=1)

    frozen(stage, "b", "read", meanwhile, after=True)
    assert started(stage) == ["a"]
    assert stage.only("b").reason is Reason.CONCURRENCY


@pytest.mark.parametrize("drop", [None, "after"])
def test_who_stands_still_before_it_says_that_it_waits_keeps_no_place_for_hours(
    stage: Stage, drop: Literal["after"] | None
) -> None:
    """It has been called meanwhile: by the schedule it then waits for the place that it has."""
    trained(stage, "a")

    def meanwhile() -> None:
        stage.devops.finish(stage.devops.runs[0].id, "succeeded")
        if drop:
            stage.devops.server.faults.add(Fault("POST", "*/42/runs", drop=drop))
        while started(stage) == ["a"]:
            stage.reconcile(seconds=20)

    frozen(stage, "b", "schedule", meanwhile, after=False)
    assert started(stage) == ["a", "b"]
    rounds(stage)
    finish(stage, "b")
    trained(stage, "c")
    assert started(stage) == ["a", "b", "c"]
