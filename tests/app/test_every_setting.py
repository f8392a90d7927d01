"""Every setting with values that cannot be meant: no event is lost by one, and each is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.configuration import settings
from functions.configuration.declared import EVERY_HOUR, EVERY_MINUTE
from functions.core.terms.errors import ConfigurationError, LedgerUnavailable
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.host.indexing import index, load
from local.host.triggers.timers import scheduled
from relay.deployment.signin import SignedIn
from relay.doctor.app import health
from relay.doctor.azure import vault
from relay.doctor.case import Case
from relay.doctor.checks import Check, made
from tests.flow.asking import EXPERIMENT
from tests.saying.mistaken import BESIDE, OF_LEDGER, OF_PLATFORM, SECRET, WRONG, asked, values
from tests.stage.azure import completed
from tests.stage.hosted import ROOT

if TYPE_CHECKING:
    from tests.stage.azure import Stage

ROUTES = "ROUTES_FILE"  # whose path is told, since nobody keeps a secret in one
PARKED = {
    "KEY_VAULT_URL": Reason.SECRET_UNREADABLE,
    "DEVOPS_URL": Reason.NOT_SENT,  # its default is out of a test's reach
    "RESOURCE_MANAGER_URL": Reason.RUN_UNREADABLE,  # the same
    "PAUSED": Reason.PAUSED,
}
STARTED = sorted(set(WRONG) - OF_LEDGER - set(PARKED) - {ROUTES})
DECLARED = ("RECONCILE_PARTS", "RECONCILE_SCHEDULE", "SWEEP_SCHEDULE", "OPERATIONS_AUTH", "WAITS")


@pytest.fixture(autouse=True)
def _out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not of this machine cannot be reached."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


def environ(stage: Stage, name: str, value: str) -> dict[str, str]:
    return {**stage.environ, **BESIDE.get(name, {}), name: value}


def delivered(stage: Stage, name: str, value: str, run: str) -> None:
    """A run ends at an app of which one setting cannot be meant."""
    stage.aml.add_run(run, experiment=EXPERIMENT)
    bootstrap.built(environ(stage, name, value)).relay.deliver(completed(run))


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    """Lines that name a setting, each an error."""
    found = [r for r in caplog.records if re.search(rf"\b{name}\b", r.getMessage())]
    return [r.getMessage() for r in found if r.levelname == "ERROR"]


def test_the_table_has_every_setting_that_is_read() -> None:
    on = {"RELAY_OTEL": "1", "WAITS": "1", "DEVOPS_AUTH": "entra", "SWEEP_SCHEDULE": "00:05:00"}
    stored = {"AzureWebJobsStorage": "a=b", "OPERATIONS_AUTH": "entra"}
    assert asked() | asked(**on) | asked(**on, **stored) == set(WRONG) | OF_PLATFORM


def test_the_readme_has_every_setting_of_the_table() -> None:
    text = (ROOT / "README.md").read_text("utf-8").partition("## Settings")[2]
    assert [name for name in WRONG if name.replace("AzureWebJobsStorage__", "__") not in text] == []


@pytest.mark.parametrize("name", STARTED)
def test_a_setting_that_cannot_be_meant_stops_no_start(
    stage: Stage, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number, value in enumerate(values(name)):
        caplog.clear()
        delivered(stage, name, value, f"r{number}")
        assert stage.started()[number:] == [(42, f"r{number}")], value
        assert lines(caplog, name), value
        assert SECRET not in caplog.text


@pytest.mark.parametrize("name", PARKED)
def test_one_that_leaves_nothing_to_start_with_makes_it_wait(
    stage: Stage, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number, value in enumerate(values(name)):
        caplog.clear()
        delivered(stage, name, value, f"r{number}")
        assert (stage.only(f"r{number}").reason, stage.posts()) == (PARKED[name], 0), value
        assert lines(caplog, name), value
        assert SECRET not in caplog.text
    runs = len(values(name))
    stage.reconcile(hours=2)
    assert sorted(stage.started()) == sorted((42, f"r{number}") for number in range(runs))


@pytest.mark.parametrize("value", values(ROUTES))
def test_events_wait_for_routes_that_cannot_be_read(
    stage: Stage, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    delivered(stage, ROUTES, value, "r1")
    assert stage.started() == []
    assert lines(caplog, ROUTES)
    stage.reconcile(minutes=1)
    assert stage.started() == ([(42, "r1")])


@pytest.mark.parametrize("name", sorted(OF_LEDGER))
def test_a_ledger_that_cannot_be_meant_refuses_the_event_until_it_is_mended(
    stage: Stage, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for value in values(name):
        with pytest.raises((ConfigurationError, LedgerUnavailable)) as refused:
            delivered(stage, name, value, "r1")
        assert name in str(refused.value), value
        assert SECRET not in str(refused.value) + caplog.text
    assert stage.outgoing() == []
    stage.deliver(completed("r1"))
    assert stage.started() == [(42, "r1")]


def test_no_other_ledger_stands_in_for_one_that_is_not_there(stage: Stage) -> None:
    there = f"sqlite:///{stage.routes_file}"  # a file, but no database
    built = bootstrap.built({**stage.environ, "LEDGER_URL": there})
    with pytest.raises(LedgerUnavailable, match="LEDGER_URL"):
        built.relay.deliver(completed("r1"))


@pytest.mark.parametrize("name", WRONG)
def test_the_doctor_names_it(stage: Stage, name: str) -> None:
    for value in values(name):
        case = Case(settings.read(environ(stage, name, value)), SignedIn())
        check = (
            Check("secret", vault.secrets) if name == ROUTES else Check("settings", health.settings)
        )
        found = [f for f in made(check, case) if re.search(rf"\b{name}\b", f.said)]
        assert {f.status for f in found} & {"warning", "failure"}, value
        assert name == ROUTES or SECRET not in " ".join(f.said + f.do for f in found)


@pytest.mark.parametrize("name", DECLARED)
def test_every_function_is_still_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAITS", raising=False)
    usual = set(index(load(ROOT)))
    for value in values(name):
        monkeypatch.setenv(name, value)
        found = index(load(ROOT))
        assert set(found) - {"waits"} == usual
        timers = [found["reconcile"], found["sweep"]]
        assert set(scheduled(timers, os.environ)) == {"reconcile", "sweep"}
        assert [t.binding["schedule"] for t in timers] == [EVERY_MINUTE, EVERY_HOUR]


DELIVER = """
import json, logging, os, sys
logging.basicConfig(level=logging.INFO)
import functions.bootstrap
functions.bootstrap.app().relay.deliver(json.loads(sys.argv[1]))
functions.bootstrap.app().reconciler.reconcile()
"""


def test_what_only_the_exporter_refuses_stops_nothing_either(stage: Stage) -> None:
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    key = "InstrumentationKey=00000000-0000-4000-8000-000000000000"
    text = f"{key};Authorization={SECRET}"  # which is right but for a kind that there is not
    given = {"RELAY_OTEL": "1", "APPLICATIONINSIGHTS_CONNECTION_STRING": text}
    assert settings.read(given).complaints == ()
    ran = subprocess.run(
        [sys.executable, "-c", DELIVER, json.dumps(completed("r1"))],
        env={**os.environ, **stage.environ, **given},
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert stage.only("r1").state is State.STARTED
    (line,) = [line for line in ran.stderr.splitlines() if "setting=ignored" in line]
    assert "APPLICATIONINSIGHTS_CONNECTION_STRING: telemetry could not be set up" in line
    assert SECRET not in ran.stderr
