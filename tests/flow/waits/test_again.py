"""A task that asks again gets the answer to what it asks now, whoever is still at the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.serving.faults import Fault
from tests.flow.waits.test_put_off import only
from tests.flow.waits.test_waits import ends, post, register, runs
from tests.flow.waits.test_waits import stage as stage  # noqa: PLC0414 - the fixture
from tests.saying.wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage.azure import Stage


class Frozen(Wrapped):
    """A seal whose process stands still once, before a token is stored or after it was read."""

    def __init__(self, real: Any, method: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(real)
        self._method, self._meanwhile = method, [meanwhile]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)

        def called(*given: Any) -> Any:
            answer = found(*given)
            if self._meanwhile:
                self._meanwhile.pop()()
            return answer

        return called if name == self._method else found


def untaken(stage: Stage) -> Any:
    """A task whose answer was noted, and was not taken yet."""
    runs(stage)
    job = register(stage)
    stage.devops.server.faults.add(Fault(method="POST", path="*/events", status=503))
    ends(stage)
    assert job.result is None
    return job


def test_an_answer_that_was_not_taken_is_not_given_to_who_asks_for_another_run(
    stage: Stage,
) -> None:
    job = untaken(stage)
    runs(stage, "r2")
    register(stage, "r2", job=job)
    stage.reconcile(minutes=2)
    assert job.result is None  # the run goes on
    ends(stage, "r2", accuracy=0.1)
    assert job.result == "failed"


def test_who_asks_for_the_same_again_while_an_answer_is_not_taken_is_answered_once(
    stage: Stage,
) -> None:
    job = untaken(stage)
    register(stage, job=job)
    stage.clock.forward(minutes=6)
    register(stage, job=job)
    stage.reconcile(minutes=2)
    assert job.result == "succeeded"
    assert [event.status for event in job.events] == [204]
    assert stage.ledger.waits.waiting(9) == []


def test_who_wakes_with_the_answer_to_what_was_asked_before_keeps_it_to_itself(
    stage: Stage,
) -> None:
    other = stage.app
    runs(stage)
    job = register(stage)

    def meanwhile() -> None:
        stage.clock.forward(minutes=4)
        other.reconciler.reconcile()
        assert job.result == "succeeded"
        job.evaluate_again()
        runs(stage, "r2")
        stage.build()
        register(stage, "r2", job=job)

    stage.build(seal=Frozen(stage.ports.seal, "opened", meanwhile))
    ends(stage)
    assert job.result is None  # of the new question nothing is known yet
    ends(stage, "r2", accuracy=0.1)
    assert job.result == "failed"


def test_a_call_that_was_given_up_changes_nothing_of_what_is_asked_since(stage: Stage) -> None:
    job = stage.devops.start_server_job("contoso", "mlops")
    for run in ("r1", "r2"):
        runs(stage, run)

    def meanwhile() -> None:
        stage.clock.forward(seconds=30)
        stage.build()
        register(stage, "r2", job=job)

    stage.build(seal=Frozen(stage.ports.seal, "sealed", meanwhile))
    assert post(stage, job.headers, {"run_id": "r1"})[0] == 503
    assert only(stage).runs == ("r2",)
