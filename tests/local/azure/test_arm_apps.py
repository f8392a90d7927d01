"""Function apps, their vaults, roles and topics, as Resource Manager shows them locally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.identity import ManagedIdentityCredential

from local.arm.alerts import ActionGroup, Rule
from local.arm.front import ARM
from local.arm.roles import READER, SECRETS_USER
from local.arm.vaults import VaultResource
from local.arm.web import Site
from local.eventgrid.topic import Topic
from local.identity import MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.identity import Identity

GROUP = "/subscriptions/0a1b/resourceGroups/relay/providers"
APP = f"{GROUP}/Microsoft.Web/sites/relay-app"
VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/relay"
TOPIC = f"{GROUP}/Microsoft.EventGrid/systemTopics/ml"
WHO, OTHER = "33333333-0000-4000-8000-000000000001", "33333333-0000-4000-8000-000000000002"


@pytest.fixture
def arm(identity: Identity) -> Iterator[ARM]:
    with ARM(identity.accepts) as running:
        site = Site(
            APP, {"PAUSED": "1"}, principals={OTHER: WHO}, keys={"eventgrid_extension": "k"}
        )
        running.sites.add(site)
        yield running


def call(arm: ARM, method: str, path: str, version: str, **query: str) -> Any:
    token = ManagedIdentityCredential().get_token(f"{MANAGEMENT}/.default").token
    return requests.request(
        method,
        f"{arm.url}{path}",
        params={"api-version": version, **query},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )


def web(arm: ARM, method: str, below: str = "", app: str = APP) -> Any:
    return call(arm, method, f"{app}{below}", "2025-03-01")


def test_an_app_shows_where_it_is_and_who_it_is_but_no_settings(arm: ARM) -> None:
    found = web(arm, "GET", app=APP.upper()).json()
    assert found["properties"]["defaultHostName"] == "relay-app.azurewebsites.net"
    (assigned,) = found["identity"]["userAssignedIdentities"].values()
    assert (assigned["clientId"], assigned["principalId"]) == (OTHER, WHO)
    assert "PAUSED" not in str(found)


def test_settings_and_keys_are_listed_by_post_only(arm: ARM) -> None:
    assert web(arm, "POST", "/config/appsettings/list").json()["properties"] == {"PAUSED": "1"}
    keys = web(arm, "POST", "/host/default/listKeys").json()["systemKeys"]
    assert keys == {"eventgrid_extension": "k"}
    assert web(arm, "GET", "/config/appsettings/list").status_code == 405
    assert web(arm, "POST").status_code == 405


def test_an_app_that_is_not_there_is_not_found(arm: ARM) -> None:
    refused = web(arm, "POST", "/config/appsettings/list", app=APP + "2")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_each_provider_has_its_own_api_versions(arm: ARM) -> None:
    assert call(arm, "GET", APP, "2022-04-01").status_code == 400


def test_a_vault_is_listed_by_its_type_and_shows_who_decides(arm: ARM) -> None:
    arm.vaults.add(VaultResource(VAULT, "https://relay.vault.azure.net"))
    of = {"$filter": "resourceType eq 'Microsoft.KeyVault/vaults'"}
    (listed,) = call(arm, "GET", "/subscriptions/0A1B/resources", "2021-04-01", **of).json()[
        "value"
    ]
    assert call(arm, "GET", "/subscriptions/2/resources", "2021-04-01", **of).json()["value"] == []
    found = call(arm, "GET", listed["id"], "2023-07-01").json()["properties"]
    assert (found["vaultUri"], found["enableRbacAuthorization"]) == (
        "https://relay.vault.azure.net/",
        True,
    )


def test_roles_are_listed_at_above_and_below_a_scope_for_one_principal(arm: ARM) -> None:
    scopes = ("/subscriptions/0a1b", VAULT, f"{VAULT}/secrets/pat", f"{VAULT}2")
    for scope in scopes:
        arm.roles.assign(WHO, SECRETS_USER, scope)
    arm.roles.assign(OTHER, READER, VAULT)
    path = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments"
    mine = {"$filter": f"assignedTo('{WHO}')"}
    found = call(arm, "GET", path, "2022-04-01", **mine).json()["value"]
    assert [one["properties"]["scope"] for one in found] == list(scopes[:3])
    definition = found[0]["properties"]["roleDefinitionId"]
    assert call(arm, "GET", definition, "2022-04-01").status_code == 403
    at = f"{VAULT}/providers/Microsoft.Authorization/roleDefinitions"
    role = call(arm, "GET", f"{at}/{definition.rpartition('/')[2]}", "2022-04-01").json()
    assert role["properties"]["roleName"] == "Key Vault Secrets User"
    arm.roles.revoke(WHO)
    assert call(arm, "GET", path, "2022-04-01", **mine).json()["value"] == []


def test_a_filter_that_is_not_served_is_no_unfiltered_list(arm: ARM) -> None:
    path = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments"
    assert call(arm, "GET", path, "2022-04-01").status_code == 501


def test_a_topics_subscriptions_are_those_of_the_local_topic(arm: ARM) -> None:
    with Topic(key="k") as topic:
        arm.topics.add(TOPIC, topic)
        found = call(arm, "GET", TOPIC, "2025-02-15").json()
        below = call(arm, "GET", f"{TOPIC.lower()}/eventSubscriptions", "2025-02-15").json()
    assert found["properties"]["source"] == topic.resource
    assert below["value"] == []
    gone = call(arm, "GET", f"{TOPIC}2/eventSubscriptions", "2025-02-15")
    assert gone.status_code == 404


def test_the_alert_rules_of_a_group_and_whom_each_calls_are_shown(arm: ARM) -> None:
    insights = f"{GROUP}/microsoft.insights"
    operators = f"{insights}/actionGroups/operators"
    arm.rules.add(Rule(f"{insights}/scheduledQueryRules/one", "Run Relay: one", [operators]))
    arm.groups.add(ActionGroup(operators, ["a@b.example", "c@d.example"], ["c@d.example"]))
    rules = f"{GROUP.replace('relay', 'RELAY')}/Microsoft.Insights/scheduledQueryRules"
    (rule,) = call(arm, "GET", rules, "2023-12-01").json()["value"]
    assert rule["properties"]["actions"] == {"actionGroups": [operators]}
    found = call(arm, "GET", operators.upper(), "2023-01-01").json()["properties"]
    assert [one["status"] for one in found["emailReceivers"]] == ["Enabled", "Disabled"]
    assert found["webhookReceivers"] == []
    elsewhere = rules.replace("RELAY", "other")
    assert call(arm, "GET", elsewhere, "2023-12-01").json() == {"value": []}
    gone = call(arm, "GET", f"{operators}-gone", "2023-01-01")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "ResourceNotFound")
