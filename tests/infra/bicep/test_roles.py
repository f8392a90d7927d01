"""Each role is one that a named call needs, and each call that needs a role has it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.infra.calls import (
    APP,
    CALLS,
    OPERATORS,
    OWN_ROLES,
    READERS,
    ROTATOR,
    RUN_READER,
    RUN_TAGGER,
    TOPIC,
    WORKSPACE,
    Call,
)
from tests.infra.predicted import SETS, answers, built_in, properties, resources
from tests.infra.sets import INFRA
from tests.running.shipping import ROOT

# Who is who in tests/infra/snapshots/roles.bicepparam
PEOPLE = {
    "abcdef22-2222-2222-2222-222222222221": (OPERATORS, "Group"),
    "abcdef22-2222-2222-2222-222222222222": (READERS, "Group"),
    "abcdef22-2222-2222-2222-222222222224": (ROTATOR, "User"),
}
MACHINES = {"ManagedIdentity/userAssignedIdentities": APP, "EventGrid/systemTopics": TOPIC}
SCOPE = re.compile(r"(/subscriptions/.+?)(?:/providers/Microsoft.Authorization|')")


def assignments(name: str) -> list[dict[str, Any]]:
    return resources(name, "Authorization/roleAssignments")


def definitions(name: str) -> dict[str, dict[str, Any]]:
    """The roles of our own, by what they are called before the comma."""
    made = [each["properties"] for each in resources(name, "Authorization/roleDefinitions")]
    return {each["roleName"].removeprefix("Run Relay ").partition(",")[0]: each for each in made}


def who(each: dict[str, Any]) -> tuple[str, str]:
    """The principal, and what it is said to be."""
    principal, kind = (each["properties"][name] for name in ("principalId", "principalType"))
    if principal in PEOPLE:
        return PEOPLE[principal][0], kind
    return next(who for part, who in MACHINES.items() if f"Microsoft.{part}/" in principal), kind


def role(name: str, each: dict[str, Any]) -> str:
    wanted = each["properties"]["roleDefinitionId"].rpartition("/")[2]
    own = {
        made["name"]: made["properties"]["roleName"]
        for made in resources(name, "Authorization/roleDefinitions")
    }
    known = {value: key for key, value in built_in().items()}
    return known.get(wanted) or own[wanted].removeprefix("Run Relay ").partition(",")[0]


def where(each: dict[str, Any]) -> str:
    """The id of what it is a role on."""
    found = SCOPE.search(each["id"])
    assert found
    return found[1]


def on(each: dict[str, Any]) -> str:
    """The type of what it is a role on."""
    _, provider, path = where(each).partition("/providers/Microsoft.")
    parts = path.split("/")
    return "/".join([parts[0], *parts[1::2]]) if provider else "Resources/resourceGroups"


def given(name: str) -> list[tuple[str, str, str]]:
    return sorted((who(each)[0], role(name, each), on(each)) for each in assignments(name))


def test_roles_are_assigned_for_calls_and_calls_have_their_roles() -> None:
    assert given("roles") == sorted((call.who, call.role, call.on) for call in CALLS.values())


def test_without_roles_of_our_own_for_runs_it_is_reader_on_the_workspace() -> None:
    found = [(one, where) for one, what, where in given("private") if what == "reader"]
    topic = (OPERATORS, "EventGrid/systemTopics")
    assert found == [(APP, WORKSPACE), topic, (OPERATORS, WORKSPACE)]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_call_is_made(call: Call) -> None:
    assert call.words in (ROOT / call.file).read_text("utf-8")


@pytest.mark.parametrize("name", SETS)
def test_an_assignment_is_named_after_scope_principal_and_role(name: str) -> None:
    names = [each["name"] for each in assignments(name)]
    assert len(set(names)) == len(names)
    for each in assignments(name):
        if each["name"].startswith("[guid("):
            scope = SCOPE.search(each["id"])
            assert scope
            principal = each["properties"]["principalId"].strip("[]")
            wanted = each["properties"]["roleDefinitionId"].rpartition("/")[2]
            assert each["name"] == f"[guid('{scope[1].lower()}', {principal}, '{wanted}')]"


def test_an_assignment_says_what_the_principal_is() -> None:
    kinds = {who(each) for each in assignments("roles")}
    machines = {(name, "ServicePrincipal") for name in MACHINES.values()}
    assert kinds == machines | set(PEOPLE.values())


def test_whoever_is_not_named_is_given_nothing() -> None:
    assert {one for one, _, _ in given("two-subscriptions")} == {APP, TOPIC}


def test_nobody_is_given_anything_where_somebody_else_assigns_roles() -> None:
    assert assignments("existing") == []
    assert definitions("existing") == {}


def test_operators_read_the_pat_only_where_that_is_said() -> None:
    reading = (OPERATORS, "keyVaultSecretsUser", "KeyVault/vaults")
    assert reading in given("private")
    assert reading not in [each for name in ("entra", "two-subscriptions") for each in given(name)]


def test_in_a_vault_of_others_roles_are_given_on_the_secrets_that_are_named() -> None:
    of_vaults = [each for each in assignments("prod") if "Microsoft.KeyVault" in each["id"]]
    given = {(role("prod", each), where(each).partition("/vaults/")[2]) for each in of_vaults}
    assert given == {
        ("keyVaultSecretsUser", "theirs/secrets/azure-devops-pat"),  # the app
        ("keyVaultSecretsUser", "theirs/secrets/github-token"),  # the app, which asks GitHub too
        ("keyVaultSecretsOfficer", "theirs/secrets/azure-devops-pat"),  # who rotates it
        ("keyVaultReader", "theirs"),  # operators, who see no value
    }


def test_in_a_vault_of_others_the_app_reads_the_pat_the_waits_key_and_what_is_named() -> None:
    predicted = json.loads(answers().snapshots["secrets"])["predictedResources"]
    ids = [where(each) for each in predicted if each["type"].endswith("/roleAssignments")]
    found = {each.partition("/vaults/")[2] for each in ids if "Microsoft.KeyVault" in each}
    secrets = {"azure-devops-pat", "our-key", "pat-of-fabrikam"}
    assert found == {f"theirs/secrets/{name}" for name in secrets}


def test_the_secret_for_github_has_a_vault_where_azure_devops_needs_none() -> None:
    made = json.loads(answers().snapshots["github"])["predictedResources"]
    assert [each for each in made if each["type"] == "Microsoft.KeyVault/vaults"]
    assert resources("entra", "KeyVault/vaults") == []
    there = json.loads(answers().snapshots["github elsewhere"])["predictedResources"]
    ids = [where(each) for each in there if each["type"].endswith("/roleAssignments")]
    found = {each.partition("/vaults/")[2] for each in ids if "Microsoft.KeyVault" in each}
    assert found == {"theirs/secrets/github-app-key"}


def test_so_have_the_addresses_of_channels() -> None:
    """Who had a PAT before keeps the vault in which they lie."""
    found = json.loads(answers().snapshots["channels"])["predictedResources"]
    assert [each for each in found if each["type"] == "Microsoft.KeyVault/vaults"]
    (settings,) = (each["properties"] for each in found if each["id"].endswith("/appsettings"))
    assert settings["KEY_VAULT_URL"]


def test_the_built_in_roles_are_all_used() -> None:
    used = {what for name in SETS if name != "prod" for _, what, _ in given(name)}
    assert set(built_in()) == used - set(OWN_ROLES)


@pytest.mark.parametrize("name", OWN_ROLES)
def test_a_role_of_our_own_allows_what_is_done_and_nothing_else(name: str) -> None:
    (permission,) = definitions("roles")[name]["permissions"]
    assert set(permission) == {"actions"}
    assert set(permission["actions"]) == set(OWN_ROLES[name])
    assert [each for each in permission["actions"] if "*" in each or each.endswith("/delete")] == []
    writing = [each for each in permission["actions"] if each.endswith("/write")]
    assert bool(writing) is (name == RUN_TAGGER)


def test_the_actions_of_our_own_roles_are_asked_for() -> None:
    for actions in OWN_ROLES.values():
        for action, where in actions.items():
            text = (ROOT / where).read_text("utf-8")
            assert "achineLearning" in action or action in text, action


def test_there_are_no_other_roles_of_our_own() -> None:
    assert set(definitions("roles")) == set(OWN_ROLES)
    assert set(definitions("private")) == set(OWN_ROLES) - {RUN_READER, RUN_TAGGER}


def test_the_app_comes_after_its_roles_and_its_way_to_storage() -> None:
    text = (INFRA / "main.bicep").read_text("utf-8")
    app = text.partition("module app ")[2].partition("\n}")[0]
    assert "dependsOn: [identity, network, storage, storageRoles]" in app
    assert properties("private", "Web/sites")["virtualNetworkSubnetId"].endswith("/subnets/app")


def test_the_readme_tells_every_role_to_whoever_assigns_them() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    rows = [line.split("|")[2] for line in readme.splitlines() if line.startswith("| ")]
    told = {row.partition(",")[0].replace(" ", "").lower() for row in rows}
    assert {name for name in built_in() if name.lower() not in told} == set()
