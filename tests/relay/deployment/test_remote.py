"""The same commands on a deployed app whose ledger is in Table storage, with `--app`."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING

import pytest

from local.arm.web import Site
from local.cloud import SUBSCRIPTION, WORKSPACE
from tests.running import forked
from tests.stage.azcli import AzureCli
from tests.stage.azure import Stage, completed
from tests.stage.azurite import connection_string

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud

    Relay = Callable[..., subprocess.CompletedProcess[str]]

APP = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-relay/providers/Microsoft.Web/sites/relay-app"
)
ON_SERVER = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE")


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path, azurite: int) -> Stage:
    """A deployed app that started one pipeline."""
    stage = Stage(
        cloud,
        tmp_path,
        LEDGER_URL="",
        AzureWebJobsStorage=connection_string(azurite),
        LEDGER_TABLE=f"t{uuid.uuid4().hex}",
        SWEEP_WORKSPACES=WORKSPACE,
    )
    for run in ("r1", "r2"):
        stage.aml.add_run(run, experiment="defect-detection")
    stage.deliver(completed("r1"))
    settings = {n: v for n, v in stage.environ.items() if n not in ON_SERVER}
    cloud.arm.sites.add(Site(APP, {**settings, "ROUTES_FILE": "/home/site/wwwroot/routes.yaml"}))
    return stage


@pytest.fixture
def relay(stage: Stage, tmp_path: Path) -> Relay:
    """Types a command on a machine that has nothing of the app, and `az` signed in."""
    cloud, az = stage.cloud, AzureCli(tmp_path / "az", stage.cloud.identity)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        mine = {n: v for n, v in os.environ.items() if n not in stage.environ}
        mine |= {**az.environ(), "REQUESTS_CA_BUNDLE": cloud.bundle}
        mine |= {"RESOURCE_MANAGER_URL": cloud.arm.url, "RUN_RELAY_APP": APP}
        return forked.ran("relay", *words, environ=mine)

    return run


def test_an_operator_asks_a_deployed_app_as_who_is_signed_in(stage: Stage, relay: Relay) -> None:
    routes = ("--routes", str(stage.routes_file))
    why = relay("why", "r1", *routes)
    assert (why.returncode, why.stderr) == (0, "")
    assert "register (Completed): started" in why.stdout
    unheard = relay("why", "r2", "--json", *routes)
    assert json.loads(unheard.stdout)["routes"][0]["found"] == "go"
    listed = relay("list", "--json")
    assert [c["key"] for c in json.loads(listed.stdout)["continuations"]] == [
        f"register/r1/Completed@{WORKSPACE.lower()}"
    ]
    shown = relay("show", "register/r1/Completed@ml-prod")
    assert (shown.returncode, "pipeline run 1001" in shown.stdout) == (0, True)


def test_a_preview_is_checked_with_the_settings_of_a_deployed_app(
    stage: Stage, relay: Relay
) -> None:
    ran = relay("preview", "--run", "r2", "--check", "--routes", str(stage.routes_file))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "accepted: pipeline register-model would run with this" in ran.stdout
    assert len(stage.devops.runs) == 1


def test_an_operator_does_a_round_for_a_deployed_app(stage: Stage, relay: Relay) -> None:
    stage.deploy(PAUSED="1")
    stage.deliver(completed("r2"))
    ran = relay("reconcile", "--routes", str(stage.routes_file))
    told = [line for line in ran.stderr.splitlines() if not line.endswith(" so far")]
    assert (ran.returncode, told) == (0, [])
    assert "continuation=started route=register run=r2 " in ran.stdout
    assert stage.started() == [(42, "r1"), (42, "r2")]


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("DEVOPS_URL", "https://devops.example"),
        ("GITHUB_URL", "https://github.example/api/v3"),
        ("GITHUB_URL", "https://api.github.com.example"),
        ("OUTCOME_TOPIC_ENDPOINT", "https://topic.example/api/events"),
    ],
)
def test_a_round_from_outside_sends_nothing_in_an_operators_name_but_to_its_services(
    stage: Stage, relay: Relay, name: str, elsewhere: str
) -> None:
    stage.deploy(PAUSED="1")
    stage.deliver(completed("r2"))
    settings = {n: v for n, v in stage.environ.items() if n not in ON_SERVER}
    stage.cloud.arm.sites.add(Site(APP, {**settings, name: elsewhere}))
    ran = relay("reconcile", "--routes", str(stage.routes_file))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{name} of the app: nothing is sent to" in ran.stderr
    assert stage.started() == [(42, "r1")]
