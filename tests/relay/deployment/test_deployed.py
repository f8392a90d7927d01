"""`bin/relay … --app RESOURCE_ID`, as an operator types it on a machine with `az`."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING

import pytest
import trustme

from functions.configuration import settings
from local.arm.web import Site
from local.cloud import SUBSCRIPTION, WORKSPACE
from local.serving.faults import Fault
from relay.deployment import deployed
from tests.conftest import PAT
from tests.running import forked
from tests.saying.refusals import WRONG, says
from tests.stage import azurite as azurite_service
from tests.stage.azcli import AzureCli
from tests.stage.azure import Stage, completed
from tests.stage.azurite import ACCOUNT, connection_string

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from local.cloud import Cloud

    Ran = subprocess.CompletedProcess[str]
    Relay = Callable[..., Ran]

APP = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-relay/providers/Microsoft.Web/sites/relay-app"
)
ON_SERVER = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE")
LIST = "*/config/appsettings/list"
FAILED = "register/r1/Completed"
REPLAYED = "register/r1/Completed@ml-prod: replayed; the reconciler takes it up\n"


@pytest.fixture
def stage(cloud: Cloud, tmp_path: Path) -> Stage:
    """An app in which a continuation failed."""
    return fail(Stage(cloud, tmp_path))


@pytest.fixture
def tabled(cloud: Cloud, tmp_path: Path, azurite: int) -> Stage:
    """The same over Table storage."""
    storage, table = connection_string(azurite), f"t{uuid.uuid4().hex}"
    given = {"LEDGER_URL": "", "AzureWebJobsStorage": storage, "LEDGER_TABLE": table}
    return fail(Stage(cloud, tmp_path, **given))


def fail(stage: Stage) -> Stage:
    stage.aml.add_run("r1", experiment="defect-detection")
    refused = says(400, WRONG)
    stage.devops.server.faults.add(refused)
    stage.deliver(completed("r1"))
    return stage


def deploy(stage: Stage, **given: str) -> None:
    """Let Resource Manager know the app, with its settings as they are on its server."""
    own = {n: v for n, v in stage.environ.items() if n not in ON_SERVER}
    settings = {**own, "ROUTES_FILE": "/home/site/wwwroot/routes.yaml", **given}
    stage.cloud.arm.sites.add(Site(APP, settings))


@pytest.fixture
def az(cloud: Cloud, tmp_path: Path) -> AzureCli:
    return AzureCli(tmp_path / "az", cloud.identity)


@pytest.fixture
def relay(cloud: Cloud, az: AzureCli) -> Relay:
    """Runs the command line with nothing of the app in the environment."""

    def run(*arguments: str, **environ: str) -> Ran:
        mine = {**os.environ, **az.environ(), "REQUESTS_CA_BUNDLE": cloud.bundle}
        for name in ("KEY_VAULT_URL", "DEVOPS_URL"):
            mine.pop(name, None)
        mine |= {"RESOURCE_MANAGER_URL": cloud.arm.url, "COLUMNS": "300", **environ}
        return forked.ran("relay", *arguments, environ=mine)

    return run


def refusal(status: int, code: str) -> Fault:
    body = json.dumps({"error": {"code": code, "message": "The client does not have it."}})
    return Fault(method="POST", path=LIST, status=status, body=body)


def test_a_deployed_app_is_replayed_on_its_own_ledger(tabled: Stage, relay: Relay) -> None:
    stage = tabled
    deploy(stage)
    ran = relay("replay", FAILED, "--as", "ada", "--app", APP)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, REPLAYED, "")
    assert stage.only("r1").history[-1].detail == "by ada"
    stage.reconcile()
    assert stage.started() == [(42, "r1")]


def test_the_app_can_be_named_once_for_all_commands(stage: Stage, relay: Relay) -> None:
    deploy(stage)
    ran = relay("replay", "--failed", RUN_RELAY_APP=f"{APP.upper()}/")
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, REPLAYED.strip())


def test_coverage_judges_by_the_route_file_here_and_asks_as_who_is_signed_in(
    stage: Stage, relay: Relay, az: AzureCli
) -> None:
    deploy(stage, SWEEP_WORKSPACES=WORKSPACE)
    ran = relay("coverage", "--json", "--app", APP, "--routes", str(stage.routes_file))
    assert (ran.returncode, ran.stderr) == (0, "")
    (run,) = json.loads(ran.stdout)["runs"]
    assert (run["run"], run["became"]) == ("r1", "failed")
    assert az.asked_for() == ["https://management.azure.com"]  # once, for every call


def test_without_a_route_file_that_of_the_checkout_is_used(stage: Stage, relay: Relay) -> None:
    deploy(stage, SWEEP_WORKSPACES=WORKSPACE)
    ran = relay("coverage", "--json", "--app", APP)
    assert ran.stderr == ""
    assert [run["run"] for run in json.loads(ran.stdout)["runs"]] == ["r1"]


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """A storage account that takes Entra's tokens only, over TLS: the settings that name it."""
    authority = trustme.CA()
    files = {name: tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")}
    made = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(files["ca.pem"]))
    made.cert_chain_pems[0].write_to_path(str(files["cert.pem"]))
    made.private_key_pem.write_to_path(str(files["key.pem"]))
    options = ["--oauth", "basic", "--cert", str(files["cert.pem"]), "--key", str(files["key.pem"])]
    with azurite_service.running(tmp_path, *options) as port:
        yield {
            "LEDGER_URL": "",
            "AzureWebJobsStorage__tableServiceUri": f"https://127.0.0.1:{port}/{ACCOUNT}",
            "AzureWebJobsStorage__clientId": "22222222-0000-0000-0000-000000000000",
            "REQUESTS_CA_BUNDLE": str(files["ca.pem"]),
        }


def test_a_ledger_without_keys_is_reached_as_who_is_signed_in(
    stage: Stage, relay: Relay, az: AzureCli, secured: Mapping[str, str]
) -> None:
    deploy(stage, **secured)
    trusted = secured["REQUESTS_CA_BUNDLE"]
    ran = relay("replay", FAILED, "--app", APP, REQUESTS_CA_BUNDLE=trusted)
    assert (ran.returncode, ran.stderr.count("\n")) == (3, 1)
    assert ran.stderr.startswith(f"{FAILED} is not in the ledger: look for it with bin/relay why")
    assert az.asked_for() == ["https://management.azure.com", "https://storage.azure.com"]


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (refusal(403, "AuthorizationFailed"), 4, "Microsoft.Web/sites/config/list/action"),
        (refusal(401, "ExpiredAuthenticationToken"), 4, "run az login"),
        (refusal(404, "ResourceGroupNotFound"), 3, "there is no function app"),
        (refusal(429, "TooManyRequests"), 4, "Azure answered 429 TooManyRequests"),
        (Fault(method="POST", path=LIST, drop="before", times=9), 4, "no answer from http"),
        (Fault(method="POST", path=LIST, status=200, body="<html>"), 4, "Azure answered 200"),
    ],
)
def test_what_azure_refuses_ends_with_a_line(
    stage: Stage, relay: Relay, fault: Fault, code: int, said: str
) -> None:
    deploy(stage)
    stage.cloud.arm.server.faults.add(fault)
    ran = relay("replay", "--failed", "--app", APP)
    assert ran.returncode == code, ran.stderr
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_an_app_that_is_not_there_is_said_so(relay: Relay) -> None:
    ran = relay("replay", "--failed", "--app", APP)
    assert ran.returncode == 3
    assert ran.stderr.startswith(f"there is no function app {APP}: ")


def test_whoever_is_not_signed_in_is_told_to_run_az_login(
    stage: Stage, relay: Relay, az: AzureCli
) -> None:
    deploy(stage)
    az.sign_out()
    ran = relay("replay", "--failed", "--app", APP)
    assert ran.returncode == 4
    assert ran.stderr.startswith("not signed in to Azure: run az login (")
    assert ran.stderr.count("\n") == 1


def test_a_machine_without_the_azure_cli_is_told_so(relay: Relay, tmp_path: Path) -> None:
    ran = relay("replay", "--failed", "--app", APP, PATH=str(tmp_path))
    assert ran.returncode == 4
    assert "Azure CLI not found" in ran.stderr


@pytest.mark.parametrize(
    "app",
    [
        "relay-app",
        f"{APP}/config/appsettings",
        f"{APP}?x=1",
        APP.replace("Microsoft.Web/sites", "Microsoft.Web/serverfarms"),
        APP.replace("rg-relay", "../../x"),
    ],
)
def test_what_is_no_resource_id_of_an_app_is_refused_before_any_call(
    cloud: Cloud, relay: Relay, az: AzureCli, app: str
) -> None:
    ran = relay("replay", "--failed", "--app", app)
    assert ran.returncode == 2
    assert "no resource id of the form" in ran.stderr
    assert (az.asked_for(), cloud.arm.server.requests) == ([], [])


def test_a_setting_that_only_the_app_can_resolve_is_named_without_its_value(
    stage: Stage, relay: Relay
) -> None:
    deploy(
        stage,
        LEDGER_URL="",
        AzureWebJobsStorage="@Microsoft.KeyVault(SecretUri=https://v/secrets/storage)",
    )
    ran = relay("replay", "--failed", "--app", APP)
    assert ran.returncode == 2
    assert ran.stderr.startswith("AzureWebJobsStorage of the app is a reference that only the app")
    assert "SecretUri" not in ran.stderr


def test_a_reference_that_no_command_reads_is_in_nobodys_way(stage: Stage, relay: Relay) -> None:
    deploy(stage, OTHER="@Microsoft.KeyVault(VaultName=v;SecretName=s)")
    assert relay("replay", "--failed", "--app", APP).returncode == 0


@pytest.mark.parametrize("url", ["https://api.github.com", "https://api.contoso.ghe.com"])
def test_the_services_own_hosts_are_sent_to_in_an_operators_name(url: str) -> None:
    deployed.insist_for_effects(settings.read({"GITHUB_URL": url}))


@pytest.mark.parametrize(
    "given",
    [
        {"LEDGER_URL": "", "AzureWebJobsStorage__tableServiceUri": "https://evil.example"},
        {"DEVOPS_AUTH": "entra", "DEVOPS_URL": "https://dev.azure.com.evil.example"},
    ],
)
def test_an_apps_settings_send_no_token_of_the_operators_elsewhere(
    stage: Stage, relay: Relay, az: AzureCli, given: dict[str, str]
) -> None:
    deploy(stage, **given)
    ran = relay("replay", "--failed", "--app", APP)
    assert ran.returncode == 2
    assert "of the app: no token is sent to " in ran.stderr
    assert az.asked_for() == ["https://management.azure.com"]


def test_resource_manager_is_where_the_operator_says_not_the_app(
    stage: Stage, relay: Relay
) -> None:
    deploy(stage, RESOURCE_MANAGER_URL="http://127.0.0.1:1", SWEEP_WORKSPACES=WORKSPACE)
    ran = relay("coverage", "--app", APP, "--routes", str(stage.routes_file))
    assert (ran.returncode, ran.stderr) == (0, "")


def test_no_secret_of_the_app_is_shown(stage: Stage, relay: Relay) -> None:
    storage = "AccountKey=c2VjcmV0;not=usable"
    deploy(stage, SWEEP_HOURS="soon", LEDGER_URL="", AzureWebJobsStorage=storage)
    ran = relay("replay", "--failed", "--app", APP)
    assert ran.returncode == 2
    assert "SWEEP_HOURS" in ran.stderr
    assert "c2VjcmV0" not in ran.stdout + ran.stderr
    assert PAT not in ran.stdout + ran.stderr
