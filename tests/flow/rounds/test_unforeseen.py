"""An error that nobody foresaw, of one letter or one run that the rounds come to each time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from functions.adapters.routefile import RouteFile
from functions.core.events import parsing
from functions.core.kept.letter import Letter
from functions.core.limits.admission import Admission
from functions.core.terms.reasons import Reason
from local.cloud import WORKSPACE
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT, parked
from tests.flow.rounds.sweeps import end, lines, settled, sweep
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from functions.core.terms.pipelines import Sender
    from local.cloud import Cloud
    from tests.stage.azure import Stage


class Broken(Wrapped):
    """The ledger, but claiming one run fails as nobody foresaw."""

    def claim(self, new: Any, *given: Any) -> Any:
        if new.key.run == "odd":
            raise ZeroDivisionError("seven by none")
        return self.real.claim(new, *given)


class Secrets(Wrapped):
    """The vault, but reading one secret fails as nobody foresaw."""

    def read(self, sender: Sender, *given: Any, **named: Any) -> Any:
        if sender.secret == "odd":
            raise ZeroDivisionError("seven by none")
        return self.real.read(sender, *given, **named)


class Limits(Wrapped):
    """The ledger, but the row of a limit is of another version, and reads as nobody foresaw."""

    def shared(self, name: str) -> Any:
        row = self.real.shared(name)
        odd = {"taken": "some"} if name.startswith("limit/odd/") else row.value
        return replace(row, value=odd)


class OddPath(Wrapped):
    """A path, but to read the file fails as nobody foresaw."""

    def read_text(self, encoding: str) -> str:
        raise ZeroDivisionError(f"seven by none in {encoding}")


def kept(stage: Stage, *runs: str) -> None:
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT)
        stage.ledger.keep(Letter.of(parsing.parse(completed(run)), stage.clock.now()))


def test_a_letter_that_nobody_can_handle_costs_neither_letters_nor_rounds(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    assert parked(stage, "due") is Reason.RUN_UNREADABLE
    kept(stage, "odd", "even")
    stage.build(ledger=Broken(stage.ledger))
    stage.reconcile(hours=1)
    assert sorted(stage.started()) == [(42, "due"), (42, "even")]
    (line,) = [r for r in caplog.records if r.getMessage().startswith("letter=")]
    assert line.levelname == "ERROR"
    told = 'run=odd outcome=Completed detail="ZeroDivisionError: seven by none"'
    assert told in line.getMessage()


def test_it_stays_for_the_version_that_can(stage: Stage) -> None:
    kept(stage, "odd")
    stage.build(ledger=Broken(stage.ledger))
    for _ in range(3):
        stage.reconcile(days=2)
    assert stage.started() == []
    stage.build()
    stage.reconcile(minutes=1)
    assert stage.started() == [(42, "odd")]
    assert stage.ledger.letters(9) == []


def test_a_run_that_nobody_can_handle_does_not_keep_the_sweep_from_those_after_it(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    end(stage, "odd", timedelta(minutes=-1))
    end(stage, "even", timedelta(minutes=-2))
    stage.build(ledger=Broken(stage.ledger))
    caplog.clear()
    sweep(stage, hours=1)
    assert stage.started() == [(42, "even")]
    failed, told = lines(caplog, "sweep")
    assert 'run=odd detail="ZeroDivisionError: seven by none"' in failed
    assert " missed=1 left=1 complete=no " in told
    stage.build()
    sweep(stage, hours=1)
    assert stage.started() == [(42, "even"), (42, "odd")]


ODD = """
  - name: odd
    limit: 1/h
    match: {experiment: "odd-*"}
    start: {pipeline: 42, secret: odd, parameters: {run_id: "{{ run.id }}"}}
"""


def test_a_line_and_an_account_that_nobody_can_read_cost_no_round(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(ROUTES + ODD)
    account = Admission.account("contoso", "odd")
    Admission(stage.ports, stage.read.policy).block(account, "odd", "1", "refused")
    stage.aml.add_run("waits", experiment="odd-one")
    stage.deliver(completed("waits", experimentName="odd-one"))
    assert stage.only("waits").reason is Reason.CREDENTIAL_REFUSED
    stage.aml.server.faults.add(Fault(path="*/runs/get", status=503, times=2))
    assert parked(stage, "due") is Reason.RUN_UNREADABLE
    stage.build(credentials=Secrets(stage.ports.credentials), ledger=Limits(stage.ports.ledger))
    stage.reconcile(minutes=2)
    assert stage.started() == [(42, "due")]
    for what in (f"account={account}", "line=limit/odd"):
        assert [text for text in caplog.messages if text.startswith(what)]


def test_a_secret_that_nobody_can_read_costs_no_sweep(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE)
    sweep(stage)
    stage.routes(ROUTES + ODD)
    stage.clock.forward(days=1)
    stage.build(credentials=Secrets(stage.ports.credentials))
    end(stage, "r1", timedelta(minutes=1))
    sweep(stage)
    assert stage.started() == [(42, "r1")]
    told = 'credential=unreadable secret=odd detail="ZeroDivisionError: seven by none"'
    assert told in caplog.messages


def test_routes_that_fail_as_nobody_foresaw_cost_no_event_and_no_round(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    stage.build(routes=RouteFile(OddPath(stage.routes_file)))  # type: ignore[arg-type]
    stage.deliver(completed("r1"))
    assert "ZeroDivisionError: seven by none" in lines(caplog, "routes")[0]
    caplog.set_level("INFO")
    stage.reconcile()
    assert lines(caplog, "reconciler")[0].startswith("reconciler=done")
    stage.build()
    stage.reconcile()
    assert stage.started() == [(42, "r1")]
