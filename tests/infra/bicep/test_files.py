"""Every Bicep file is in the manner of the house, and a known compiler has nothing to say of it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from tests.infra import compiler
from tests.infra.judged import differences
from tests.infra.predicted import answers, everything, nested, template, templates
from tests.infra.sets import ALL_SET, INFRA, KEPT, READ, TEMPLATES, kept
from tests.running.shipping import ROOT

BICEP = sorted(INFRA.rglob("*.bicep"))
# main.bicep is the list of parameters and outputs, and the order of the modules; types.bicep has
# the shapes of parameters, checks.bicep what may be wrong with them. Nothing else is in them.
LONGER = {"main.bicep", "types.bicep", "checks.bicep"}
REQUIRED, OPTIONAL = "Required. ", "Optional. "
LIMITS = ("allowedValues", "minValue", "maxValue", "minLength", "maxLength")
# Many services under one name, each with versions of its own.
MANY_SERVICES = ("microsoft.insights", "microsoft.network")
# The newest stable versions that the compiler knows types of.
NO_NEWER = {
    "Authorization/roleAssignments",
    "Authorization/roleDefinitions",
    "Insights/actionGroups",
    "Insights/components",
    "Insights/diagnosticSettings",
    "Insights/workbooks",
    "Network/privateDnsZones",
    "Network/privateDnsZones/virtualNetworkLinks",
}
SECRETS = re.compile(r"list\w*\(|connectionstring|instrumentationkey|password", re.IGNORECASE)


@pytest.fixture(params=TEMPLATES)
def all_of_it(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return templates(template(request.param))


def test_the_compiler_its_linter_and_its_formatter_have_nothing_to_say() -> None:
    assert answers().complaints == []


def test_what_is_predicted_is_what_is_kept() -> None:
    assert list(differences(answers())) == []
    assert {path.name for path in KEPT.glob("*.snapshot.json")} == {
        f"{name}.snapshot.json" for name in kept()
    }


def test_it_is_the_compiler_that_pipelines_install() -> None:
    assert f"BICEP=v{compiler.TESTED}\n" in (INFRA / "hooks" / "deploy.sh").read_text("utf-8")
    text = (ROOT / "pipelines" / "deploy.yml").read_text("utf-8")
    steps = re.findall(r"deploy\.sh (\w+ )*(preview|resources|events)", text)
    assert len(steps) == 3
    assert [first for first, _ in steps if first != "compiler "] == []


def test_whoever_deploys_meets_warnings_and_no_errors() -> None:
    core = json.loads((INFRA / "bicepconfig.json").read_text("utf-8"))["analyzers"]["core"]
    assert core["enabled"] is True
    assert len(core["rules"]) > 30
    assert {name for name, rule in core["rules"].items() if rule != {"level": "warning"}} == set()


def test_nothing_is_fetched_to_compile() -> None:
    fetching = re.compile(r"'(br|ts)[:/]")
    assert [path.name for path in BICEP if fetching.search(path.read_text("utf-8"))] == []


def test_every_parameter_says_what_it_is_and_whether_it_must_be_given(
    all_of_it: list[dict[str, Any]],
) -> None:
    for one in all_of_it:
        for name, each in one.get("parameters", {}).items():
            words = each["metadata"]["description"]
            assert words.startswith(OPTIONAL if "defaultValue" in each else REQUIRED), name
            assert len(words) > len(REQUIRED) + 5


def test_every_field_of_a_type_says_what_it_is_and_whether_it_must_be_given(
    all_of_it: list[dict[str, Any]],
) -> None:
    for one in all_of_it:
        for kind in one.get("definitions", {}).values():
            for name, each in kind["properties"].items():
                words = each["metadata"]["description"]
                assert words.startswith(OPTIONAL if each.get("nullable") else REQUIRED), name


def test_every_output_and_file_says_what_it_is(all_of_it: list[dict[str, Any]]) -> None:
    for one in all_of_it:
        assert one["metadata"]["description"]
        for name, each in one.get("outputs", {}).items():
            assert each["metadata"]["description"], name


def test_a_parameter_that_is_handed_on_has_the_same_limits_below(
    all_of_it: list[dict[str, Any]],
) -> None:
    for one in all_of_it:
        for module in nested(one).values():
            below = module["properties"]["template"]["parameters"]
            for name, given in module["properties"]["parameters"].items():
                if isinstance(given, dict) and str(given.get("value")) == f"[parameters('{name}')]":
                    above = one["parameters"][name]
                    both = [limit for limit in LIMITS if limit in above and limit in below[name]]
                    assert [above[n] for n in both] == [below[name][n] for n in both], name


def test_no_module_waits_for_another_to_tell_it_anything_but_a_principal(
    all_of_it: list[dict[str, Any]],
) -> None:
    for one in all_of_it:
        for module in nested(one).values():
            given = module["properties"].get("parameters", {})
            asked = {name for name, value in given.items() if ".outputs." in json.dumps(value)}
            assert asked <= {"appPrincipalId", "topicPrincipalIds"}


def test_a_hash_is_made_of_lower_case_letters() -> None:
    hashed = [
        found
        for path in BICEP
        for found in re.findall(r"(?:guid|uniqueString)\(\s*([^,)]+)", path.read_text("utf-8"))
    ]
    assert len(hashed) > 30
    lowered = ("toLower(", "isRight ? groupId", "each.id", "topicId")
    assert [found for found in hashed if not found.startswith(lowered)] == []


def test_a_provider_has_one_version_everywhere() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    for name in kept():
        for each in everything(name)["predictedResources"]:
            provider, _, _ = each["type"].lower().partition("/")
            key = each["type"].lower() if provider in MANY_SERVICES else provider
            versions[key].add(each["apiVersion"])
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_a_version_is_younger_than_two_years_where_there_is_a_stable_one() -> None:
    found = {
        (each["type"], each["apiVersion"])
        for name in kept()
        for each in everything(name)["predictedResources"]
    }
    old = {kind for kind, version in found if version < "2024-11-29"}
    assert {kind.removeprefix("Microsoft.") for kind in old} == NO_NEWER
    vaults = {version for kind, version in found if kind == "Microsoft.KeyVault/vaults"}
    assert min(vaults) >= "2026-02-01"  # older ones are refused from 2027-02-27


def test_a_number_that_has_a_least_has_a_most(all_of_it: list[dict[str, Any]]) -> None:
    for one in all_of_it:
        kinds = [each["properties"] for each in one.get("definitions", {}).values()]
        for given in (one["parameters"], *kinds):
            ends = {n: {"minValue", "maxValue"} & each.keys() for n, each in given.items()}
            assert [name for name, both in ends.items() if len(both) == 1] == []


@pytest.mark.parametrize("path", BICEP, ids=lambda path: path.name)
def test_a_file_is_short_enough_to_be_read_at_once(path: Any) -> None:
    text = path.read_text("utf-8")
    assert path.name in LONGER or len(text.splitlines()) <= 110
    assert path.name not in LONGER or "\nresource " not in text
    assert [word for word in ("utcNow(", "newGuid(", "deployment().name") if word in text] == []


def test_every_module_is_used() -> None:
    text = "".join(path.read_text("utf-8") for path in BICEP)
    there = {path.name for path in INFRA.glob("modules/*.bicep")}
    assert {name for name in there if not re.search(rf"'(modules/)?{name}'", text)} == set()


def test_no_key_is_read_and_no_secret_is_a_parameter(all_of_it: list[dict[str, Any]]) -> None:
    for one in all_of_it:
        assert not re.search(r"\blist(Keys|AccountSas|Secrets)?\(", json.dumps(one["resources"]))
        assert [name for name in one["parameters"] if SECRETS.search(name) or name == "pat"] == []


def test_deployers_find_what_they_need_next() -> None:
    assert set(everything("existing")["outputs"]) >= {
        "AZURE_APP_INSIGHTS_ID",
        "AZURE_FUNCTION_CLIENT_ID",
        "AZURE_FUNCTION_ID",
        "AZURE_FUNCTION_NAME",
        "AZURE_KEY_VAULT_URL",
        "AZURE_RESOURCE_GROUP",
        "AZURE_STORAGE_NAME",
        "RELAY_DEAD_LETTERS_URL",
        "RELAY_LEDGER_TABLE",
        "RELAY_TOPIC_IDS",
    }


@pytest.mark.parametrize("file", ["dev.bicepparam", "prod.bicepparam"])
def test_a_parameter_file_reads_what_the_readme_tells_and_nothing_else(file: str) -> None:
    readme = (INFRA / "README.md").read_text("utf-8")
    table = readme.partition("## Variables of the parameter files\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.+?) \|", table, re.MULTILINE))))
    assert set(READ.findall((INFRA / file).read_text("utf-8"))) == told == set(ALL_SET)
