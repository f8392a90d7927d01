"""The ledger fails in the middle of the work: nothing is forgotten, nothing is started twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.terms.errors import LedgerUnavailable, Lost
from functions.core.terms.pipelines import PipelineRun
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.saying.wrapped import Wrapped
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

    from functions.core.kept.continuation import Continuation
    from functions.core.ports.ledger import Claim, Entry
    from functions.core.terms.runs import Key
    from tests.stage.azure import Stage

RUNS = "*/_apis/pipelines/42/runs"


class Failing(Wrapped):
    """The ledger, but some continuations can be neither claimed nor written."""

    def __init__(self, real: Any, refused: Callable[[Continuation], bool]) -> None:
        super().__init__(real)
        self.refused = refused

    def claim(self, new: Continuation, first: Iterable[Callable[[], None]] = ()) -> Claim:
        self._refuse(new)
        claim: Claim = self.real.claim(new, first)
        return claim

    def write(self, entry: Entry, changed: Continuation) -> Entry:
        self._refuse(changed)
        written: Entry = self.real.write(entry, changed)
        return written

    def _refuse(self, c: Continuation) -> None:
        if self.refused(c):
            raise LedgerUnavailable("out of reach")


def test_a_start_that_cannot_be_written_is_named_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    ledger = Failing(stage.ports.ledger, lambda c: c.state is State.STARTED)
    stage.build(ledger=ledger)
    stage.deliver(completed("r1"))
    (run,) = stage.devops.runs
    (line,) = [r for r in caplog.records if "unsettled=" in r.getMessage()]
    assert line.levelname == "ERROR"
    assert f"unsettled=register run=r1 outcome=Completed pipeline_run={run.id}" in line.getMessage()
    assert f"buildId={run.id}" in line.getMessage()


class Beaten(Failing):
    """Another was faster with some continuations, and what it wrote cannot be read."""

    def _refuse(self, c: Continuation) -> None:
        if self.refused(c):
            raise Lost("another wrote it")

    def read(self, key: Key) -> Entry | None:
        raise LedgerUnavailable(f"{key.run} is out of reach")


def test_a_start_that_was_beaten_by_another_write_is_named_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.build(ledger=Beaten(stage.ports.ledger, lambda c: c.state is State.STARTED))
    stage.deliver(completed("r1"))
    (run,) = stage.devops.runs
    (line,) = [text for text in caplog.messages if "unsettled=" in text]
    assert f"unsettled=register run=r1 outcome=Completed pipeline_run={run.id}" in line


class Unscheduled(Wrapped):
    """The ledger, but what has started cannot be scheduled for its second look."""

    def schedule(self, continuation: Continuation, *since: object) -> None:
        if continuation.state is State.STARTED:
            raise LedgerUnavailable("out of reach")
        self.real.schedule(continuation, *since)


def test_a_start_is_told_though_its_second_look_cannot_be_scheduled(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, status=502))
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=31)
    caplog.set_level("INFO")
    stage.build(ledger=Unscheduled(stage.ports.ledger))
    stage.reconcile(minutes=11)
    assert [text for text in caplog.messages if text.startswith("continuation=started ")]


def test_a_start_that_could_not_be_written_is_found_again(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    ledger = Failing(stage.ports.ledger, lambda c: c.state is State.STARTED)
    stage.build(ledger=ledger)
    stage.deliver(completed("r1"))
    stage.build()
    stage.reconcile(minutes=3)
    (run,) = stage.devops.runs
    row = stage.only("r1")
    assert (row.state, row.reason, row.pipeline_run) == (State.STARTED, Reason.FOUND, run.id)


class Twice(Wrapped):
    """The pipelines, and every look-up finds one run more."""

    def find(self, *args: Any) -> list[PipelineRun]:
        return [*self.real.find(*args), PipelineRun(id=4711)]


def test_a_duplicate_that_could_not_be_written_is_told_when_it_can(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.devops.server.faults.add(Fault(method="POST", path=RUNS, drop="before"))
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=31)
    stage.reconcile(minutes=11)
    ledger = Failing(stage.ports.ledger, lambda c: bool(c.duplicates))
    stage.build(ledger=ledger, pipelines=Twice(stage.ports.pipelines))
    stage.reconcile(minutes=61)
    assert (stage.only("r1").duplicates, "duplicate=" in caplog.text) == ((), False)
    ledger.refused = lambda _: False
    stage.reconcile(minutes=1)
    assert stage.only("r1").duplicates == (4711,)
    assert "duplicate=register" in caplog.text


def test_a_letter_that_cannot_be_claimed_stays_and_stops_no_other(stage: Stage) -> None:
    good = stage.routes_file.read_text()
    stage.routes("routes: [")
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.deliver(completed(run))
    stage.routes(good)
    ledger = Failing(stage.ports.ledger, lambda c: c.key.run == "r1")
    stage.build(ledger=ledger)
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r2")]
    assert [letter.event.run for letter in stage.ledger.letters(10)] == ["r1"]
    ledger.refused = lambda _: False
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "r2"), (42, "r1")]


def test_a_letter_that_cannot_be_claimed_does_not_stop_what_is_due(stage: Stage) -> None:
    good = stage.routes_file.read_text()
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    stage.deliver(completed("r2"))
    stage.routes("routes: [")
    stage.deliver(completed("r1"))
    stage.routes(good)
    ledger = Failing(stage.ports.ledger, lambda c: c.key.run == "r1")
    stage.build(ledger=ledger)
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "r2")]
