"""What must hold of each resource, whoever deploys it with whatever parameters."""

from __future__ import annotations

import pytest

from tests.infra.predicted import SETS, everything, one, properties, resources

each_set = pytest.mark.parametrize("name", SETS)
STORAGE = "Storage/storageAccounts"
LONGEST = {
    "EventGrid/systemTopics": 50,
    "EventGrid/topics": 50,
    "KeyVault/vaults": 24,
    STORAGE: 24,
    "Web/sites": 60,
}


@each_set
def test_the_app_answers_over_tls_only(name: str) -> None:
    app = properties(name, "Web/sites")
    assert app["httpsOnly"] is True
    # Flex Consumption refuses others: ftpsState, linuxFxVersion, alwaysOn, use32BitWorkerProcess, …
    assert app["siteConfig"] == {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2"}


@each_set
def test_nobody_deploys_with_a_user_name_and_a_password(name: str) -> None:
    found = resources(name, "Web/sites/basicPublishingCredentialsPolicies")
    ways = {each["name"].rpartition("/")[2]: each["properties"] for each in found}
    assert ways == {"ftp": {"allow": False}, "scm": {"allow": False}}


@each_set
def test_the_app_is_a_python_app_on_flex_consumption_that_azd_finds(name: str) -> None:
    assert one(name, "Web/serverfarms")["sku"] == {"tier": "FlexConsumption", "name": "FC1"}
    app = one(name, "Web/sites")
    assert app["tags"]["azd-service-name"] == "relay"
    assert app["properties"]["functionAppConfig"]["runtime"] == {
        "name": "python",
        "version": "3.13",
    }


@each_set
def test_the_package_is_fetched_with_the_apps_identity(name: str) -> None:
    app, identity = one(name, "Web/sites"), one(name, "ManagedIdentity/userAssignedIdentities")
    assert app["identity"]["type"] == "UserAssigned"
    assert list(app["identity"]["userAssignedIdentities"]) == [identity["id"]]
    package = app["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert package["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": identity["id"],
    }
    containers = resources(name, f"{STORAGE}/blobServices/containers")
    assert any(each["name"].endswith("/deployments") for each in containers)
    assert one(name, STORAGE)["name"] in package["value"]


@each_set
def test_storage_has_no_keys_and_nothing_public(name: str) -> None:
    storage = properties(name, STORAGE)
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    assert storage["allowCrossTenantReplication"] is False
    assert storage["defaultToOAuthAuthentication"] is True
    assert storage["supportsHttpsTrafficOnly"] is True
    assert storage["minimumTlsVersion"] == "TLS1_2"


@each_set
def test_a_closed_storage_account_still_takes_dead_letters(name: str) -> None:
    action = "Deny" if resources(name, "Network/privateEndpoints") else "Allow"
    rules = {"bypass": "AzureServices", "defaultAction": action}
    assert properties(name, STORAGE)["networkAcls"] == rules


@each_set
def test_a_vault_is_governed_by_roles_and_forgets_nothing_at_once(name: str) -> None:
    vaults = [each["properties"] for each in resources(name, "KeyVault/vaults")]
    assert len(vaults) == (name not in {"entra", "existing", "prod"})
    for vault in vaults:
        assert vault["enableRbacAuthorization"] is True
        assert vault["enableSoftDelete"] is True
        assert vault["enablePurgeProtection"] is True


@each_set
def test_telemetry_is_taken_from_identities_only(name: str) -> None:
    assert properties(name, "Insights/components")["DisableLocalAuth"] is True
    for topic in resources(name, "EventGrid/topics"):
        assert topic["properties"]["disableLocalAuth"] is True


@each_set
def test_the_ledger_is_made_by_its_name_and_nothing_else_is_said_of_it(name: str) -> None:
    table = one(name, f"{STORAGE}/tableServices/tables")
    assert table["name"].endswith("/continuations")
    assert "properties" not in table


@each_set
def test_dead_letters_go_in_the_end_and_nothing_else_does(name: str) -> None:
    (rule,) = properties(name, f"{STORAGE}/managementPolicies")["policy"]["rules"]
    assert rule["definition"]["filters"]["prefixMatch"] == ["dead-letters/"]
    days = rule["definition"]["actions"]["baseBlob"]["delete"]
    assert days == {"daysAfterModificationGreaterThan": 400}


def test_private_endpoints_reach_all_that_the_app_needs_and_are_found_by_name() -> None:
    parts = ["blob", "queue", "table", "vault"]
    endpoints = resources("private", "Network/privateEndpoints")
    connections = [each["properties"]["privateLinkServiceConnections"][0] for each in endpoints]
    assert [each["properties"]["groupIds"] for each in connections] == [[part] for part in parts]
    zones = resources("private", "Network/privateDnsZones")
    links = resources("private", "Network/privateDnsZones/virtualNetworkLinks")
    records = resources("private", "Network/privateEndpoints/privateDnsZoneGroups")
    assert len(zones) == len(links) == len(records) == 4
    for endpoint, zone, link, record in zip(endpoints, zones, links, records, strict=True):
        (config,) = record["properties"]["privateDnsZoneConfigs"]
        assert zone["name"].strip("[]") in config["properties"]["privateDnsZoneId"]
        assert record["name"] == f"{endpoint['name']}/default"
        network = endpoint["properties"]["subnet"]["id"].partition("/subnets/")[0]
        assert link["properties"] == {
            "registrationEnabled": False,
            "virtualNetwork": {"id": network},
        }


def test_zones_that_are_there_are_taken_and_not_made() -> None:
    assert resources("prod", "Network/privateDnsZones") == []
    records = resources("prod", "Network/privateEndpoints/privateDnsZoneGroups")
    assert len(records) == 3  # the vault is somebody else's, and has an endpoint of its own
    for record in records:
        assert "/resourceGroups/dns/providers/" in str(record["properties"])


@each_set
def test_names_are_never_longer_than_the_services_take(name: str) -> None:
    spare = 16 - len("relay")  # namePrefix may be that much longer
    for kind, most in LONGEST.items():
        for each in resources(name, kind):
            cut = kind in {"KeyVault/vaults", STORAGE, "EventGrid/systemTopics"}
            assert len(each["name"]) + (0 if cut else spare) <= most


@each_set
def test_a_deployment_tells_and_writes_no_secret(name: str) -> None:
    told = str(everything(name)["outputs"])
    assert "list" not in told
    assert "onnectionString" not in told
    assert "InstrumentationKey" not in told
    assert resources(name, "KeyVault/vaults/secrets") == []


@each_set
def test_nothing_is_made_twice(name: str) -> None:
    ids = [each["id"].lower() for each in everything(name)["predictedResources"]]
    assert sorted(set(ids)) == sorted(ids)
