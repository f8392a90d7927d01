"""What must hold of each resource, whoever deploys it with whatever parameters."""

from __future__ import annotations

from typing import Any

from tests.infra.bicep import Code, everywhere, one


def properties(file: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = one(file, "resource", name).body["properties"]
    return found


def test_the_app_answers_over_tls_only() -> None:
    app = properties("modules/app.bicep", "app")
    assert app["httpsOnly"] is True
    # Flex Consumption refuses others: ftpsState, linuxFxVersion, alwaysOn, use32BitWorkerProcess, …
    assert app["siteConfig"] == {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2"}


def test_nobody_deploys_with_a_user_name_and_a_password() -> None:
    for name in ("ftp", "scm"):
        policy = one("modules/app.bicep", "resource", name)
        assert policy.target.startswith("Microsoft.Web/sites/basicPublishingCredentialsPolicies@")
        assert policy.body == {"name": name, "properties": {"allow": False}}


def test_the_app_is_a_python_app_on_flex_consumption() -> None:
    plan = one("modules/app.bicep", "resource", "plan").body
    assert plan["sku"] == {"tier": "FlexConsumption", "name": "FC1"}
    runtime = properties("modules/app.bicep", "app")["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": "pythonVersion"}


def test_the_package_is_fetched_with_the_apps_identity() -> None:
    config = properties("modules/app.bicep", "app")["functionAppConfig"]
    signing_in = config["deployment"]["storage"]["authentication"]
    assert signing_in["type"] == "UserAssignedIdentity"
    assert one("modules/app.bicep", "resource", "app").body["identity"]["type"] == "UserAssigned"


def test_azd_finds_the_app_by_its_tag() -> None:
    tags = one("modules/app.bicep", "resource", "app").body["tags"]
    assert tags == "union(tags, { 'azd-service-name': 'relay' })"


def test_storage_has_no_keys_and_nothing_public() -> None:
    storage = properties("modules/storage.bicep", "account")
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    assert storage["defaultToOAuthAuthentication"] is True
    assert storage["supportsHttpsTrafficOnly"] is True
    assert storage["minimumTlsVersion"] == "TLS1_2"


def test_a_closed_storage_account_still_takes_dead_letters() -> None:
    rules = properties("modules/storage.bicep", "account")["networkAcls"]
    assert rules == {"bypass": "AzureServices", "defaultAction": "isPrivate ? 'Deny' : 'Allow'"}


def test_the_vault_is_governed_by_roles_and_forgets_nothing_at_once() -> None:
    vault = properties("modules/vault.bicep", "vault")
    assert vault["enableRbacAuthorization"] is True
    assert vault["enableSoftDelete"] is True
    assert vault["enablePurgeProtection"] is True


def test_telemetry_is_taken_from_identities_only() -> None:
    assert properties("modules/telemetry.bicep", "insights")["DisableLocalAuth"] is True


def test_the_ledger_is_made_by_its_name_and_nothing_else_is_said_of_it() -> None:
    assert one("modules/storage.bicep", "resource", "ledger").body == {"name": "ledgerTable"}
    given = one("main.bicep", "module", "settings").body["params"]["ledgerTable"]
    made = one("main.bicep", "module", "storage").body["params"]["ledgerTable"]
    assert given == made == Code("ledgerTable")


def test_dead_letters_go_in_the_end_and_nothing_else_does() -> None:
    (rule,) = properties("modules/dead-letters.bicep", "lifecycle")["policy"]["rules"]
    assert rule["definition"]["filters"]["prefixMatch"] == ["'${container}/'"]
    assert len([r for r in everywhere("resource") if "managementPolicies" in r.target]) == 1


def test_private_endpoints_reach_all_that_the_app_needs_of_storage_and_the_vault() -> None:
    network = one("modules/network.bicep", "variable", "storageTargets").text
    assert "['blob', 'queue', 'table']" in network
    assert "part: 'vault'" in one("modules/network.bicep", "variable", "vaultTargets").text
    called = one("main.bicep", "module", "network")
    assert "if (isPrivate)" in called.text
    assert one("main.bicep", "variable", "isPrivate").given == "!empty(endpointSubnetId)"


def test_the_app_comes_after_its_roles_and_its_way_to_storage() -> None:
    assert one("main.bicep", "module", "app").body["dependsOn"] == ["network", "storageRoles"]


def test_registry_modules_send_no_telemetry() -> None:
    modules = [m for m in everywhere("module") if m.target.startswith("br/")]
    assert len(modules) == 2
    assert [m.body["params"]["enableTelemetry"] for m in modules] == [False, False]


def test_names_are_never_longer_than_the_services_take() -> None:
    assert one("main.bicep", "parameter", "namePrefix").decorated("maxLength") == "16"
    prefix, unique = 16, 13
    assert len("func-") + prefix + 1 + unique <= 60
    shortened = "take(replace(namePrefix, '-', ''), 9)"
    assert f"'st${{{shortened}}}${{unique}}'" in one("main.bicep", "variable", "storageName").text
    assert len("kv") + 9 + unique <= 24
    assert (
        "take(replace(namePrefix, '-', ''), 9)" in one("main.bicep", "variable", "vaultName").text
    )
    assert len("evgt-") + 31 + 1 + unique <= 50
