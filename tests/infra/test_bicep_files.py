"""Every Bicep file is in the manner of the house, and the parameter files fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from tests.infra.bicep import INFRA, Declared, declared, everywhere, files, one, takes_default
from tests.shipping import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECKER = ROOT.parent / "shared" / "bicep" / "check.py"
# main.bicep is the list of parameters and outputs, and the order of the modules; types.bicep has
# the shapes of parameters. Nothing else is in them.
LONGER = {"main.bicep", "modules/types.bicep"}
REQUIRED, OPTIONAL = "Required. ", "Optional. "
# Insights is many services under one name, and each has versions of its own.
MANY_SERVICES = "microsoft.insights"
LIMITS = ("allowed", "minValue", "maxValue")
SECRETS = re.compile(r"list\w*\(|connectionstring|instrumentationkey|password", re.IGNORECASE)


def named(path: Path) -> str:
    return path.relative_to(INFRA).as_posix()


def described(each: Declared) -> str:
    return f"{each.file}: {each.name}"


def used() -> list[str]:
    """The types with versions of everything that is made or looked up."""
    return [each.target for each in everywhere("resource")]


def fields(kind: Declared) -> Iterator[tuple[str, str, bool]]:
    """The name and description of each field of a type, and whether it may be left out."""
    (body,) = (c for c in kind.node.named_children if c.type == "object")
    words = ""
    for child in body.children:
        if child.type == "decorators":
            words = (child.text or b"").decode()
        elif child.type == "object_property":
            text = (child.text or b"").decode()
            yield text.partition(":")[0], words.partition("('")[2], text.rstrip().endswith("?")
            words = ""


@pytest.mark.skipif(
    not CHECKER.is_file(), reason="there is no Bicep checker here: nothing to install"
)
def test_the_checker_finds_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, str(CHECKER), str(INFRA)],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.stdout.splitlines()[-1] == f"{len(files())} files, 0 findings, 0 warnings", (
        ran.stdout
    )


@pytest.mark.parametrize("path", files(), ids=named)
def test_every_parameter_says_what_it_is_and_whether_it_must_be_given(path: Path) -> None:
    wrong = [
        parameter.name
        for parameter in declared(path, "parameter")
        if not parameter.description.startswith(OPTIONAL if takes_default(parameter) else REQUIRED)
        or len(parameter.description) < len(REQUIRED) + 5
    ]
    assert wrong == []


@pytest.mark.parametrize("module", everywhere("module"), ids=described)
def test_a_parameter_that_is_handed_on_has_the_same_limits_below(module: Declared) -> None:
    above = {p.name: p for p in declared(INFRA / module.file, "parameter")}
    file = (INFRA / module.file).parent / module.target
    below = {p.name: p for p in declared(file, "parameter")} if file.is_file() else {}
    handed = [n for n, given in module.body["params"].items() if str(given) == n and n in below]
    both = [(n, limit) for n in handed if n in above for limit in LIMITS]
    said = {each: [p[each[0]].decorated(each[1]) for p in (above, below)] for each in both}
    assert {each: pair for each, pair in said.items() if all(pair) and len(set(pair)) > 1} == {}


def test_what_is_said_of_a_workspace_is_used_and_nothing_else() -> None:
    known = set(one("modules/types.bicep", "type", "workspaceType").body)
    text = (INFRA / "main.bicep").read_text("utf-8")
    assert set(re.findall(r"\bworkspace\.\??(\w+)", text)) - {"bicep"} == known


@pytest.mark.parametrize("path", files(), ids=named)
def test_every_output_and_file_says_what_it_is(path: Path) -> None:
    assert [each.name for each in declared(path, "output") if not each.description] == []
    assert "\nmetadata description = '" in f"\n{path.read_text('utf-8')}"


@pytest.mark.parametrize("kind", everywhere("type"), ids=described)
def test_every_field_of_a_type_says_what_it_is_and_whether_it_must_be_given(kind: Declared) -> None:
    said = [
        (name, words, OPTIONAL if left_out else REQUIRED) for name, words, left_out in fields(kind)
    ]
    assert said
    assert [name for name, words, beginning in said if not words.startswith(beginning)] == []


@pytest.mark.parametrize("path", [p for p in files() if named(p) not in LONGER], ids=named)
def test_a_file_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert 30 <= len(path.read_text("utf-8").splitlines()) <= 90


def test_what_is_longer_only_puts_modules_in_order() -> None:
    assert [r.name for file in LONGER for r in declared(INFRA / file, "resource")] == []


def test_every_module_is_used() -> None:
    there = {p.name for p in INFRA.glob("modules/*.bicep")}
    calls = {m.target.rpartition("/")[2] for m in everywhere("module")}
    imports = {"types.bicep"}
    assert calls & there == there - imports
    assert all("modules/types.bicep'" in (INFRA / f).read_text("utf-8") for f in ("main.bicep",))


def test_a_provider_has_one_version_in_all_files() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    for target in used():
        kind, _, version = target.lower().partition("@")
        provider = kind.partition("/")[0]
        versions[kind if provider == MANY_SERVICES else provider].add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_only_private_networking_needs_the_registry_and_each_module_is_pinned() -> None:
    modules = [m for m in everywhere("module") if ":" in m.target]
    assert {m.file for m in modules} == {"modules/network.bicep"}
    pinned = re.compile(r"br/public:avm/res/[a-z/-]+:\d+\.\d+\.\d+")
    assert [m.target for m in modules if not pinned.fullmatch(m.target)] == []


@pytest.mark.parametrize("path", files(), ids=named)
def test_a_second_deployment_is_the_first_one_again(path: Path) -> None:
    text = path.read_text("utf-8")
    changing = [word for word in ("utcNow(", "newGuid(", "deployment().name") if word in text]
    assert changing == []


def test_no_secret_goes_in_or_out() -> None:
    outputs = [each for each in everywhere("output") if SECRETS.search(each.text)]
    assert [described(each) for each in outputs] == []
    parameters = [p for p in everywhere("parameter") if "secure()" in p.decorators]
    assert [described(each) for each in parameters] == []
    words = [p for p in everywhere("parameter") if SECRETS.search(p.name) or p.name == "pat"]
    assert [described(each) for each in words] == []


def test_no_key_is_read_anywhere() -> None:
    listing = re.compile(r"\blist(Keys|AccountSas|Secrets)?\(|getSecret\(", re.IGNORECASE)
    assert [named(p) for p in files() if listing.search(p.read_text("utf-8"))] == []


def test_no_vault_secret_is_written() -> None:
    assert [target for target in used() if "/secrets@" in target] == []


def test_deployers_find_what_they_need_next() -> None:
    outputs = {each.name for each in declared(INFRA / "main.bicep", "output")}
    assert outputs >= {
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


def test_every_rule_of_the_linter_that_is_named_is_an_error() -> None:
    core = json.loads((INFRA / "bicepconfig.json").read_text("utf-8"))["analyzers"]["core"]
    assert core["enabled"] is True
    assert len(core["rules"]) > 30
    assert {name for name, rule in core["rules"].items() if rule != {"level": "error"}} == set()
