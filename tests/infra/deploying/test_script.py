"""infra/hooks/deploy.sh, run for real against an `az` that plays Azure."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.infra.deploying.checkout import (
    APP,
    CREATE,
    OUTPUTS,
    SHOW,
    SUBSCRIBED,
    TOPICS,
    UPLOAD,
    WHAT_IF,
    Azure,
    checkout,
    run,
)
from tests.infra.predicted import everything, settings
from tests.project.test_deployed_files import DEPLOYED
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = [f"{CREATE} run-relay", f"{UPLOAD} {APP}", f"{CREATE} run-relay-events"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_everything_is_deployed_in_order(folder: Path, azure: Azure, shell: str) -> None:
    ran = run(folder, azure.environ(), shell=shell)
    assert (ran.returncode, azure.acts()) == (0, WHOLE), ran.stderr
    assert azure.state["subscriptions"] == {
        function: {
            "functionAppId": OUTPUTS["AZURE_FUNCTION_ID"],
            "storageId": OUTPUTS["AZURE_STORAGE_ID"],
            "topicIds": azure.state["subscriptions"][function]["topicIds"],
        }
        for function in SUBSCRIBED
    }
    assert yaml.safe_load(azure.state["subscriptions"]["on_run_completed"]["topicIds"]) == TOPICS


def test_the_same_command_again_leaves_all_as_it_is(folder: Path, azure: Azure) -> None:
    assert run(folder, azure.environ()).returncode == 0
    before = azure.state
    assert run(folder, azure.environ()).returncode == 0
    assert azure.acts() == WHOLE * 2
    for known in ("deployments", "subscriptions", "package"):
        assert azure.state[known] == before[known]
    assert [name for name in azure.commands() if "delete" in name] == []


def test_outputs_are_found_however_resource_manager_spells_them(
    folder: Path, deployed: Azure
) -> None:
    other = {"AZURE": "azurE", "RELAY": "relaY"}
    spelt = {other[name[:5]] + name[5:]: value for name, value in OUTPUTS.items()}
    deployed.write({**deployed.state, "outputs": spelt})
    assert run(folder, deployed.environ(), "events").returncode == 0
    assert run(folder, deployed.environ(), "app").stdout == OUTPUTS["AZURE_FUNCTION_ID"] + "\n"


def test_what_azd_knows_is_not_asked_for(folder: Path, deployed: Azure) -> None:
    topics = '["' + '","'.join(TOPICS) + '"]'
    known = deployed.environ(**{**OUTPUTS, "RELAY_TOPIC_IDS": topics})
    assert run(folder, known, "events").returncode == 0
    assert SHOW not in deployed.commands()
    assert deployed.state["subscriptions"]["on_run_completed"]["topicIds"] == topics


def test_before_the_resources_nothing_else_is_deployed(folder: Path, azure: Azure) -> None:
    for step in ("code", "events", "app"):
        ran = run(folder, azure.environ(), step)
        assert (ran.returncode, azure.acts()) == (4, [])
        assert "Deploy the resources first" in ran.stderr


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_an_output_that_is_missing_is_named_and_nothing_is_deployed_without_it(
    folder: Path, deployed: Azure, shell: str
) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "AZURE_STORAGE_ID"}
    deployed.write({**deployed.state, "outputs": outputs})
    ran = run(folder, deployed.environ(), "events", shell=shell)
    assert (ran.returncode, deployed.acts()) == (4, [])
    assert "no output AZURE_STORAGE_ID" in ran.stderr


def test_every_call_names_the_subscription_that_is_asked_for(folder: Path, azure: Azure) -> None:
    assert run(folder, azure.environ(AZURE_SUBSCRIPTION_ID="my-own")).returncode == 0
    for call in azure.state["calls"]:
        assert call[call.index("--subscription") + 1] == "my-own"


def test_parameters_of_the_subscriptions_are_handed_on(folder: Path, deployed: Azure) -> None:
    more = "eventSchema=CloudEventSchemaV1_0 maxDeliveryAttempts=10"
    assert run(folder, deployed.environ(RELAY_EVENTS_PARAMETERS=more), "events").returncode == 0
    given = deployed.state["subscriptions"]["on_run_completed"]
    assert given["eventSchema"] == "CloudEventSchemaV1_0"
    assert given["maxDeliveryAttempts"] == "10"


def test_the_package_holds_the_app_as_it_is_committed(tmp_path: Path, deployed: Azure) -> None:
    own = checkout(tmp_path)
    (own / "routes.yaml").write_text("version: 1\nroutes: []\n", "utf-8")
    (own / "functions/new.py").write_text("", "utf-8")
    ran = run(own, deployed.environ(), "code")
    assert ran.returncode == 0, ran.stderr
    assert "not committed, so not deployed" in ran.stderr
    assert "routes.yaml" in ran.stderr
    tops = {path.partition("/")[0] for path in deployed.state["package"]}
    assert tops == DEPLOYED
    assert "functions/new.py" not in deployed.state["package"]
    with zipfile.ZipFile(own / ".cache/run-relay.zip") as package:
        assert package.read("routes.yaml") == (ROOT / "routes.yaml").read_bytes()


def naming(azure: Azure, routes: str) -> Azure:
    """The deployment says that this is the route file."""
    azure.write({**azure.state, "outputs": {**OUTPUTS, "RELAY_ROUTES_FILE": routes}})
    return azure


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("routes", ["config/prod.yaml", "./routes-prod.yaml", "xroutes.yaml"])
def test_no_code_is_uploaded_without_the_route_file_that_the_deployment_names(
    tmp_path: Path, deployed: Azure, routes: str, shell: str
) -> None:
    own = checkout(tmp_path)
    (own / "config").mkdir()
    for name in (routes, "config/prod.yaml"):
        shutil.copy(own / "routes.yaml", own / name)
    ran = run(own, naming(deployed, routes).environ(), "code", shell=shell)
    assert (ran.returncode, deployed.acts()) == (2, [])
    assert f"names the route file {routes.removeprefix('./')}, which the package" in ran.stderr


@pytest.mark.parametrize(
    "routes", ["", "routes.yaml", "./routes.yaml", "/home/site/wwwroot/routes.yaml", "/mnt/r.yaml"]
)
def test_code_is_uploaded_where_the_route_file_is_packed_or_mounted(
    folder: Path, deployed: Azure, routes: str
) -> None:
    ran = run(folder, naming(deployed, routes).environ(), "code")
    assert (ran.returncode, deployed.acts()) == (0, [f"{UPLOAD} {APP}"]), ran.stderr


def test_the_deployment_names_the_route_file_that_the_app_is_set_to() -> None:
    for name, file in (("entra", "routes-live.yaml"), ("existing", "")):
        assert settings(name)["ROUTES_FILE"] == file
        assert everything(name)["outputs"]["RELAY_ROUTES_FILE"] == file


def test_a_preview_changes_nothing_and_tells_of_subscriptions_once_there_are_resources(
    folder: Path, azure: Azure
) -> None:
    first = run(folder, azure.environ(RELAY_PARAMETERS="infra/dev.bicepparam"), "preview")
    assert first.stdout == "+ what would change by infra/dev.bicepparam\n"
    azure.write({**azure.state, "deployments": {"run-relay": []}})
    again = run(folder, azure.environ(), "preview")
    assert again.stdout.splitlines() == [
        "+ what would change by infra/prod.bicepparam",
        f"+ what would change by functionAppId={OUTPUTS['AZURE_FUNCTION_ID']}",
    ]
    assert (first.returncode, again.returncode, azure.acts()) == (0, 0, [])


def test_a_preview_that_is_refused_is_no_preview(folder: Path, azure: Azure) -> None:
    azure.refuse(WHAT_IF, "(AuthorizationFailed) no")
    ran = run(folder, azure.environ(), "preview")
    assert (ran.returncode, ran.stdout) == (4, "")


@pytest.mark.parametrize("steps", [["subscriptions"], ["resources", "event"], ["--help"]])
def test_an_unknown_step_keeps_all_steps_from_being_done(
    folder: Path, azure: Azure, steps: list[str]
) -> None:
    ran = run(folder, azure.environ(), *steps)
    assert (ran.returncode, azure.commands()) == (2, [])
    assert "Steps: compiler preview resources code routes events app unpaused" in ran.stderr


def test_no_group_and_no_azure_cli_are_told(folder: Path, azure: Azure, tmp_path: Path) -> None:
    nameless = run(folder, azure.environ(AZURE_RESOURCE_GROUP=""))
    assert (nameless.returncode, azure.commands()) == (2, [])
    assert "AZURE_RESOURCE_GROUP" in nameless.stderr
    for name in ("sh", "dirname"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    bare = run(folder, {**azure.environ(), "PATH": str(tmp_path)})
    assert (bare.returncode, "There is no Azure CLI" in bare.stderr) == (2, True)
