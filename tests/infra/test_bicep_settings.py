"""The Bicep sets every setting that the app reads, no other, and none that Flex refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from functions import settings
from functions.core.policy import SweepMode
from functions.declared import EVERY_HOUR, EVERY_MINUTE, Environment
from tests.infra.bicep import INFRA, Code, declared, everywhere, files, one

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
POLICY = re.compile(r"policy\.\?(\w+)")


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
    return environ.asked


def in_bicep() -> dict[str, Any]:
    """The settings that the Bicep sets, literally or by an expression."""
    found: dict[str, Any] = one("modules/settings.bicep", "variable", "settings").given
    return found


def literally() -> dict[str, str]:
    return {name: v for name, v in in_bicep().items() if not isinstance(v, Code)}


def keys(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(keys(v) for v in node.values()))
    return set().union(*(keys(v) for v in node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("auth", ["pat", "entra"])
def test_every_setting_that_the_app_reads_is_set(auth: str) -> None:
    asked = {n for n in known({"DEVOPS_AUTH": auth}) if not n.startswith("AzureWebJobsStorage")}
    assert asked - set(in_bicep()) == set()


def test_no_setting_is_set_that_nobody_reads() -> None:
    own = {name for name in in_bicep() if not name.startswith(OF_THE_HOST)}
    assert own - known({}) == set()


def test_storage_and_telemetry_are_reached_by_identity() -> None:
    found = {name: v for name, v in in_bicep().items() if name.startswith(OF_THE_HOST)}
    assert found == {
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "'ClientId=${clientId};Authorization=AAD'",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "insights.properties.ConnectionString",
        "AzureWebJobsStorage__accountName": "storageName",
        "AzureWebJobsStorage__clientId": "clientId",
        "AzureWebJobsStorage__credential": "managedidentity",
    }


def test_what_is_left_out_keeps_the_defaults_of_the_app() -> None:
    left_out = {name: "" for name, v in in_bicep().items() if POLICY.search(str(v))}
    odd = {name for name in left_out if not str(in_bicep()[name]).endswith(("?? ''", "?? '')"))}
    assert odd == {name for name in odd if str(in_bicep()[name]).endswith("?? false) ? '1' : '0'")}
    assert settings.read(left_out | literally()) == settings.read({})
    assert Environment(left_out).reconcile_schedule() == EVERY_MINUTE
    assert Environment(left_out).sweep_schedule() == EVERY_HOUR


def test_nothing_is_paused_unless_that_is_said() -> None:
    assert in_bicep()["PAUSED"] == "(policy.?paused ?? false) ? '1' : '0'"


def test_app_and_host_export_telemetry_together() -> None:
    when = "(policy.?openTelemetry ?? false) ?"
    assert in_bicep()["RELAY_OTEL"] == f"{when} '1' : '0'"
    host = one("modules/settings.bicep", "variable", "telemetry").given
    assert host == f"{when} {{ AzureFunctionsJobHost__telemetryMode: 'OpenTelemetry' }} : {{}}"


def test_every_part_of_the_policy_reaches_the_app() -> None:
    policy = set(one("modules/types.bicep", "type", "policyType").body)
    assert set(POLICY.findall(" ".join(map(str, in_bicep().values())))) == policy


def limits() -> list[tuple[str, str]]:
    """Each setting that is a number, with the least and the most that the policy lets through."""
    text = one("modules/types.bicep", "type", "policyType").text
    bounds = dict(re.findall(r"@maxValue\((\d+)\)\s+(\w+): int", text))
    numbers = re.findall(r"@minValue\((\d+)\)(?:\s+@maxValue\((\d+)\))?\s+(\w+): int", text)
    assert bounds
    names = {POLICY.search(str(v))[1]: n for n, v in in_bicep().items() if POLICY.search(str(v))}  # type: ignore[index]
    return [(names[field], end) for low, high, field in numbers for end in (low, high) if end]


@pytest.mark.parametrize(("name", "number"), limits())
def test_a_number_that_the_policy_lets_through_is_taken_by_the_app(name: str, number: str) -> None:
    assert settings.read({name: number}).complaints == ()


def test_the_policy_names_what_the_sweep_can_do() -> None:
    text = one("modules/types.bicep", "type", "policyType").text
    (words,) = re.findall(r"sweep: \((.+)\)\?", text)
    assert set(re.findall(r"'(\w+)'", words)) == {str(mode) for mode in SweepMode}


def test_the_ways_to_sign_in_are_those_of_the_app() -> None:
    words = one("main.bicep", "parameter", "devopsAuth").decorated("allowed")
    for word in re.findall(r"'(\w+)'", words):
        assert settings.read({"DEVOPS_AUTH": word}).complaints == ()
    assert in_bicep()["DEVOPS_AUTH"] == "signIn.devops"


def test_a_header_is_believed_only_where_app_service_writes_it() -> None:
    (mode,) = declared(INFRA / "modules" / "sign-in.bicep", "output")
    assert mode.given == "isOn ? 'entra' : 'key'"
    auth = one("modules/sign-in.bicep", "resource", "auth").body["properties"]
    assert auth["platform"] == {"enabled": True}  # else anybody could send the principal
    assert in_bicep()["OPERATIONS_AUTH"] == "signIn.people"
    given = one("main.bicep", "module", "settings").body["params"]["signIn"]
    assert given == {"devops": "devopsAuth", "people": "signIn.outputs.mode"}
    assert Environment({"OPERATIONS_AUTH": "entra"}).operations_entra()
    assert not Environment({"OPERATIONS_AUTH": "key"}).operations_entra()


def test_event_grid_need_not_sign_in() -> None:
    auth = one("modules/sign-in.bicep", "resource", "auth").body["properties"]
    assert auth["globalValidation"]["requireAuthentication"] is False


def test_the_app_signs_in_with_the_identity_that_has_the_roles() -> None:
    assert in_bicep()["AZURE_CLIENT_ID"] == "clientId"


def test_the_sweep_looks_at_the_workspaces_before_they_ever_sent_an_event() -> None:
    assert in_bicep()["SWEEP_WORKSPACES"] == "join(workspaceIds, ',')"
    provider = "providers/Microsoft.MachineLearningServices/workspaces"
    ids = [f"/subscriptions/s/resourceGroups/g/{provider}/{name}" for name in ("a", "b")]
    found = settings.read({"SWEEP_WORKSPACES": ",".join(ids)}).sweep.workspaces
    assert [workspace.id for workspace in found] == ids


def test_settings_of_your_own_cannot_replace_ours() -> None:
    written = one("modules/settings.bicep", "resource", "all").body["properties"]
    assert written == "union(more, settings, telemetry)"  # the last one holds


def test_nothing_is_set_that_flex_consumption_refuses() -> None:
    assert REFUSED_SETTINGS & set(in_bicep()) == set()
    texts = [path.read_text("utf-8") for path in files()]
    assert [word for word in REFUSED_SETTINGS if any(word in text for text in texts)] == []
    sites = [r for r in everywhere("resource") if r.target.startswith("Microsoft.Web/sites@")]
    made = [site for site in sites if not site.is_existing]
    assert len(made) == 1
    assert REFUSED_PROPERTIES & keys(made[0].body) == set()
