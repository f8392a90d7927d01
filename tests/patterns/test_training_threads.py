"""A training in a background thread of a program that has runs of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from mlflow.entities import Run

    from local.real.mlflow import MLflow


class Program(NamedTuple):
    """A program that logs to MLflow and trains beside."""

    mlflow: Any

    def trains(
        self, stop: threading.Event | None = None, **options: Any
    ) -> tuple[str, Future[str]]:
        """A training that was begun in the background."""
        from examples.training import train, ways  # noqa: PLC0415 - seconds, on every collection

        return ways.in_background(train.Options(**options), stop or threading.Event())

    def run(self, run: str) -> Run:
        """A run as it is now."""
        found: Run = self.mlflow.get_run(run)
        return found


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    import mlflow  # noqa: PLC0415 - seconds, on every collection

    yield Program(mlflow)
    mlflow.set_tracking_uri("")


@pytest.fixture
def tracked(program: Program, mlflow_server: MLflow) -> Program:
    program.mlflow.set_tracking_uri(mlflow_server.url)
    program.mlflow.set_experiment("defect-detection")
    return program


@pytest.mark.filterwarnings("ignore:.*input example")
def test_two_threads_and_their_caller_log_each_to_a_run_of_their_own(tracked: Program) -> None:
    with tracked.mlflow.start_run() as mine:
        one, first = tracked.trains(epochs=2, seed=1)
        two, second = tracked.trains(epochs=3, seed=2)
        tracked.mlflow.log_metric("served", 17)
        assert (first.result(), second.result()) == (one, two)
    runs = [tracked.run(run) for run in (mine.info.run_id, one, two)]
    assert [r.data.params.get("seed") for r in runs] == [None, "1", "2"]
    assert [r.data.metrics.get("served") for r in runs] == [17, None, None]
    assert [r.info.status for r in runs] == ["FINISHED"] * 3


def test_a_thread_that_dies_ends_its_run_as_failed_and_tells_who_asks(tracked: Program) -> None:
    run, done = tracked.trains(fail=True)
    assert "the image store went away" in str(done.exception())
    assert tracked.run(run).info.status == "FAILED"


def test_a_thread_that_is_stopped_ends_its_run_as_failed(tracked: Program) -> None:
    stop = threading.Event()
    run, done = tracked.trains(stop, epochs=100_000)
    stop.set()
    assert type(done.exception()).__name__ == "Stopped"
    assert tracked.run(run).info.status == "FAILED"


def test_a_thread_that_dies_before_it_has_a_run_is_not_waited_for(program: Program) -> None:
    program.mlflow.set_tracking_uri("http://127.0.0.1:9")
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        program.trains()
