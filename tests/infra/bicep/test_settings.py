"""The Bicep sets every setting that the app reads, no other, and none that Flex refuses."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

import pytest

from functions.configuration import settings
from functions.configuration.declared import EVERY_HOUR, EVERY_MINUTE, Environment
from functions.core.terms.policy import SweepMode
from tests.infra.predicted import SETS, one, properties, resources, template
from tests.infra.predicted import settings as deployed
from tests.infra.sets import WORKSPACE

SUFFIX = "environment().suffixes.storage"
OF_THE_HOST = ("AzureWebJobsStorage__", "APPLICATIONINSIGHTS_", "AzureFunctionsJobHost__")
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
REFUSED_SETTINGS = {
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
}
REFUSED_PROPERTIES = {
    "alwaysOn",
    "appSettings",
    "functionAppScaleLimit",
    "linuxFxVersion",
    "minimumElasticInstanceCount",
    "preWarmedInstanceCount",
    "vnetRouteAllEnabled",
}
IDENTITY = re.compile(r"reference\('[^']+/userAssignedIdentities/id-[^']*', '[\d-]+'\)\.clientId")


class Recording(dict[str, str]):
    """An environment that notes what it was asked for."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)


def known(given: dict[str, str]) -> set[str]:
    """The settings that the app asks for."""
    environ = Recording(given)
    settings.read(environ)
    Environment(environ).reconcile_schedule()
    Environment(environ).sweep_schedule()
    Environment(environ).operations_entra()
    Environment(environ).reconcile_parts()
    return environ.asked


def keys(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(keys(v) for v in node.values()))
    return set().union(*(keys(v) for v in node)) if isinstance(node, list) else set()


def policy() -> dict[str, dict[str, Any]]:
    """What the parameter `policy` may say."""
    found: dict[str, dict[str, Any]] = template()["definitions"]["policyType"]["properties"]
    return found


@pytest.mark.parametrize("auth", ["pat", "entra"])
def test_every_setting_that_the_app_reads_is_set(auth: str) -> None:
    asked = {n for n in known({"DEVOPS_AUTH": auth}) if not n.startswith("AzureWebJobsStorage")}
    assert asked - set(deployed("existing")) == set()


@pytest.mark.parametrize("name", SETS)
def test_no_setting_is_set_that_nobody_reads(name: str) -> None:
    own = {each for each in deployed(name) if not each.startswith(OF_THE_HOST)}
    assert own - known({}) == set()


def test_storage_and_telemetry_are_reached_by_the_identity_that_has_the_roles() -> None:
    found = {n: IDENTITY.sub("IDENTITY", v) for n, v in deployed("existing").items()}
    of_the_host = {n: v for n, v in found.items() if n.startswith(OF_THE_HOST)}
    address = of_the_host.pop("APPLICATIONINSIGHTS_CONNECTION_STRING")
    assert address.endswith(").ConnectionString]")
    account = one("existing", "Storage/storageAccounts")["name"]
    for part in ("blob", "queue", "table"):
        address = of_the_host.pop(f"AzureWebJobsStorage__{part}ServiceUri")
        # of whatever cloud it is deployed to
        assert address == f"[format('https://{{0}}.{part}.{{1}}', '{account}', {SUFFIX})]"
    assert of_the_host == {
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": (
            "[format('ClientId={0};Authorization=AAD', IDENTITY)]"
        ),
        "AzureWebJobsStorage__clientId": "[IDENTITY]",
        "AzureWebJobsStorage__credential": "managedidentity",
    }
    assert found["AZURE_CLIENT_ID"] == "[IDENTITY]"
    assert "Event" not in found["OUTCOME_TOPIC_ENDPOINT"]


def test_what_is_left_out_keeps_the_defaults_of_the_app() -> None:
    given = {n: v for n, v in deployed("existing").items() if not v.startswith("[")}
    own = {
        *("DEVOPS_AUTH", "DEVOPS_PAT_SECRET", "LEDGER_TABLE"),
        *("RUN_RELAY_APP", "SWEEP_WORKSPACES"),
    }
    left = {n: v for n, v in given.items() if n not in own and not n.startswith(OF_THE_HOST)}
    assert settings.read(left) == settings.read({})
    assert Environment(left).reconcile_schedule() == EVERY_MINUTE
    assert Environment(left).sweep_schedule() == EVERY_HOUR
    assert deployed("existing")["PAUSED"] == "0"


def test_the_app_is_told_which_one_it_is() -> None:
    told = deployed("prod")["RUN_RELAY_APP"]
    assert told.endswith(f"/sites/{one('prod', 'Web/sites')['name']}")
    assert settings.read({"RUN_RELAY_APP": told}).app == told


def test_every_part_of_the_policy_reaches_the_app() -> None:
    others = {
        "WAITS": deployed("roles")["WAITS"],
        "GITHUB_SECRET": deployed("prod")["GITHUB_SECRET"],
    }
    changed = deployed("entra") | others
    found = settings.read({n: v for n, v in changed.items() if not v.startswith("[")})
    assert found.complaints == ()
    told = {
        "CLAIM_LEASE_SECONDS": "61",
        "CREDENTIAL_PAUSE_SECONDS": "62",
        "DELIVERY_DEADLINE_SECONDS": "20",
        "DEVOPS_API_VERSION": "7.0",
        "DEVOPS_AUTH": "entra",
        "DEVOPS_URL": "https://devops.example.com/tfs",
        "GITHUB_APP_ID": "Iv23liAbC4dEfGh",
        "GITHUB_SECRET": "github-token",
        "GITHUB_URL": "https://github.example.com/api/v3",
        "IN_DOUBT_GRACE_SECONDS": "63",
        "LEDGER_RETENTION_DAYS": "30",
        "NOTIFY_HOSTS": "hooks.contoso.com,*.example.com",
        "PAUSED": "1",
        "RECONCILE_PARTS": "8",
        "RECONCILE_SCHEDULE": "0 */2 * * * *",
        "RELAY_OTEL": "1",
        "RESOURCE_MANAGER_URL": "https://management.example.com",
        "RETRY_FIRST_SECONDS": "64",
        "ROUTES_FILE": "routes-live.yaml",
        "SWEEP": "report",
        "SWEEP_HOURS": "12",
        "SWEEP_SCHEDULE": "0 0 */2 * * *",
        "WAITS": "1",
        "WAITS_ORGANIZATIONS": "Default,https://dev.azure.com/contoso",
    }
    assert {name: changed[name] for name in told} == told
    assert deployed("roles")["TAG_RUNS"] == "1"
    assert len(policy()) == len(told) - 1 + 1  # less DEVOPS_AUTH, a parameter; and tagRuns


def test_app_and_host_export_telemetry_together() -> None:
    mode = "AzureFunctionsJobHost__telemetryMode"
    assert deployed("entra")[mode] == "OpenTelemetry"
    assert mode not in deployed("existing")


def test_a_setting_of_your_own_is_kept() -> None:
    assert deployed("entra")["AzureFunctionsJobHost__logging__logLevel__default"] == "Warning"


def test_a_number_that_the_policy_lets_through_is_taken_by_the_app() -> None:
    names = {"retentionDays": "LEDGER_RETENTION_DAYS"}
    numbers = {name: each for name, each in policy().items() if each["type"] == "int"}
    assert len(numbers) == 8
    for name, each in numbers.items():
        setting = names.get(name) or re.sub(r"([A-Z])", r"_\1", name).upper()
        for end in ("minValue", "maxValue"):
            given = {setting: str(each.get(end, each["minValue"]))}
            assert settings.read(given).complaints == (), name
            assert setting in deployed("existing")


def test_the_policy_names_what_the_sweep_can_do() -> None:
    assert set(policy()["sweep"]["allowedValues"]) == {str(mode) for mode in SweepMode}


def test_the_ways_to_sign_in_are_those_of_the_app() -> None:
    for word in template()["parameters"]["devopsAuth"]["allowedValues"]:
        assert settings.read({"DEVOPS_AUTH": word}).complaints == ()


@pytest.mark.parametrize("name", SETS)
def test_a_header_is_believed_only_where_app_service_writes_it(name: str) -> None:
    auth = next(r for r in resources(name, "Web/sites/config") if "authsettings" in r["id"])
    assert auth["properties"]["platform"] == {"enabled": True}  # else anybody could send it
    signs_in = bool(auth["properties"]["identityProviders"])
    assert signs_in is (name in {"prod", "entra"})
    assert Environment(deployed(name)).operations_entra() is signs_in
    asked = auth["properties"]["globalValidation"]
    assert asked["requireAuthentication"] is signs_in
    # who cannot sign in has a key of its own, and passes
    for path in ("/runtime/webhooks/EventGrid", "/api/waits", "/admin/functions/reconcile"):
        free = asked.get("excludedPaths", ["*"])
        assert any(fnmatch(path, pattern) for pattern in free)
    page = [fnmatch("/api/operations", pattern) for pattern in asked.get("excludedPaths", [])]
    assert not any(page)


def test_the_sweep_looks_at_the_workspaces_before_they_ever_sent_an_event() -> None:
    told = settings.read({"SWEEP_WORKSPACES": deployed("prod")["SWEEP_WORKSPACES"]}).sweep
    assert [workspace.id for workspace in told.workspaces] == [WORKSPACE, f"{WORKSPACE}-2"]


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_set_that_flex_consumption_refuses(name: str) -> None:
    assert REFUSED_SETTINGS & set(deployed(name)) == set()
    assert REFUSED_PROPERTIES & keys(properties(name, "Web/sites")) == set()


def test_settings_of_your_own_replace_what_is_empty_and_nothing_else() -> None:
    found = deployed("entra")
    assert found["WAITS_KEY_SECRET"] == "our-key"
    assert (found["SWEEP_HOURS"], found["DEVOPS_PAT_SECRET"]) == ("12", "azure-devops-pat")
