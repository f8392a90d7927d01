"""Each role is one that a named call needs, and each call that needs a role has it."""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.bicep import INFRA, Declared, everywhere, one
from tests.infra.calls import (
    APP,
    CALLS,
    GROUPS,
    OPERATOR,
    OPERATORS,
    OWN_ROLES,
    READERS,
    ROTATOR,
    RUN_READER,
    RUN_TAGGER,
    TOPIC,
    Call,
)
from tests.shipping import ROOT

ASSIGNMENT = "Microsoft.Authorization/roleAssignments@"
DEFINITION = "Microsoft.Authorization/roleDefinitions@"
BUILT_IN = re.compile(r"roles\.(\w+)")
OWN = {
    "modules/workspace-roles.bicep": RUN_READER,
    "modules/run-tagger.bicep": RUN_TAGGER,
    "modules/operator-role.bicep": OPERATOR,
}


def assignments() -> list[Declared]:
    return [each for each in everywhere("resource") if each.target.startswith(ASSIGNMENT)]


def definitions() -> list[Declared]:
    return [each for each in everywhere("resource") if each.target.startswith(DEFINITION)]


def label(each: Declared) -> str:
    return f"{each.file}: {each.name}"


def built_in() -> dict[str, str]:
    found: dict[str, str] = json.loads((INFRA / "modules" / "roles.json").read_text("utf-8"))
    return found


def role(each: Declared) -> str:
    found = BUILT_IN.search(str(each.body["properties"]["roleDefinitionId"]))
    return found[1] if found else OWN[each.file]


def given(each: Declared) -> tuple[str, str, str]:
    body = each.body
    return str(body["properties"]["principalId"]), role(each), str(body.get("scope", ""))


def test_roles_are_assigned_for_calls_and_calls_have_their_roles() -> None:
    needed = sorted((call.who, call.role, call.on) for call in CALLS.values())
    assert sorted(map(given, assignments())) == needed


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_call_is_made(call: Call) -> None:
    assert call.words in (ROOT / call.file).read_text("utf-8")


@pytest.mark.parametrize("each", assignments(), ids=label)
def test_an_assignment_has_the_same_name_each_time(each: Declared) -> None:
    who, _, on = given(each)
    scope = f"{on}.id" if on else "resourceGroup().id"
    named = re.fullmatch(r"guid\((.+), (\w+), (roles\.\w+|roleName)\)", str(each.body["name"]))
    assert named
    assert (named[1], named[2]) == (scope, who)
    definition = each.body["properties"]["roleDefinitionId"]
    provider = "'Microsoft.Authorization/roleDefinitions'"
    assert definition == f"subscriptionResourceId({provider}, {named[3]})"


@pytest.mark.parametrize("each", assignments(), ids=label)
def test_an_assignment_says_what_the_principal_is(each: Declared) -> None:
    who, kind = given(each)[0], each.body["properties"]["principalType"]
    machines, groups = {APP, TOPIC}, {OPERATORS, READERS, GROUPS}
    assert kind == (
        "ServicePrincipal" if who in machines else "Group" if who in groups else "rotatorType"
    )


@pytest.mark.parametrize("each", assignments(), ids=label)
def test_whoever_is_not_named_is_given_nothing(each: Declared) -> None:
    who = given(each)[0]
    if who in {OPERATORS, READERS, ROTATOR} and each.file != "modules/operator-role.bicep":
        assert f"if (!empty({who})" in each.text


def test_nobody_is_given_anything_where_somebody_else_assigns_roles() -> None:
    files = {each.file for each in assignments()}
    calls = [m for m in everywhere("module") if m.target.rpartition("/")[2] in names(files)]
    assert {m.target.rpartition("/")[2] for m in calls} == names(files)
    held = [m for m in calls if "assignRoles" not in m.text]
    assert [label(m) for m in held] == []


def names(files: set[str]) -> set[str]:
    return {file.rpartition("/")[2] for file in files}


def test_operators_read_the_pat_only_where_that_is_said() -> None:
    made = one("modules/vault-roles.bicep", "resource", "operatorsSecrets")
    assert "&& operatorsReadPat)" in made.text
    assert one("main.bicep", "parameter", "operatorsReadPat").given is False


def test_the_built_in_roles_are_all_used() -> None:
    texts = [each.text.replace("roles.json", "") for each in everywhere("resource", "variable")]
    assert set(built_in()) == {name for text in texts for name in BUILT_IN.findall(text)}


@pytest.mark.parametrize("file", OWN_ROLES)
def test_a_role_of_our_own_allows_what_is_done_and_nothing_else(file: str) -> None:
    (made,) = (each for each in definitions() if each.file == file)
    (permission,) = made.body["properties"]["permissions"]
    assert set(permission) == {"actions"}
    actions = {str(action).strip("'") for action in permission["actions"]}
    assert actions == set(OWN_ROLES[file])
    assert [action for action in actions if "*" in action or action.endswith("/delete")] == []
    writing = {action for action in actions if action.endswith("/write")}
    assert bool(writing) is (file == "modules/run-tagger.bicep")


def test_the_actions_of_our_own_roles_are_asked_for() -> None:
    for file, actions in OWN_ROLES.items():
        for action, where in actions.items():
            text = (ROOT / where).read_text("utf-8")
            assert "achineLearning" in action or "${" in action or action in text, (file, action)


def test_there_are_no_other_roles_of_our_own() -> None:
    assert {each.file for each in definitions()} == set(OWN_ROLES)


def test_the_readme_tells_every_role_to_whoever_assigns_them() -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    rows = [line.split("|")[2] for line in readme.splitlines() if line.startswith("| ")]
    told = {row.partition(",")[0].replace(" ", "").lower() for row in rows}
    assert {name for name in built_in() if name.lower() not in told} == set()
