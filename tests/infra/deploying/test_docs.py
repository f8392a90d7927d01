"""Whatever docs/deploy.md and docs/credentials.md name is there."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
import yaml

from functions.configuration import settings
from relay.__main__ import app
from tests.infra.deploying.checkout import SCRIPT
from tests.infra.predicted import everything, template
from tests.infra.sets import INFRA
from tests.running.shipping import ROOT

PAGES = {name: (ROOT / f"docs/{name}.md").read_text("utf-8") for name in ("deploy", "credentials")}
TEXT = "\n".join(PAGES.values())
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
SPANS = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
SPANS = [" ".join(span.split()) for span in SPANS]
COMMANDS = [re.sub(r"\s*\\\n\s*", " ", block) for block in BLOCKS] + SPANS
# What a reader fills in, and a variable of the shell
PLACEHOLDERS = {
    *("EARLIER_VERSION", "GROUP_ID", "PRINCIPAL_ID", "RESOURCE_GROUP", "RUN_ID"),
    *("WORKSPACE_GROUP", "WORKSPACE_ID"),
}
ELSEWHERE = {"RUN_RELAY_APP": "relay/deployment/deployed.py"}
# https://learn.microsoft.com/cli/azure/reference-index
AZ = {
    *("account set", "ad group show", "ad signed-in-user show", "deployment group show"),
    *("eventgrid system-topic delete", "eventgrid system-topic event-subscription delete"),
    *("eventgrid system-topic event-subscription list", "functionapp config appsettings set"),
    *("functionapp list-flexconsumption-locations", "group create", "group delete"),
    *("functionapp keys list", "functionapp keys set"),
    *("keyvault secret set", "lock create", "login", "monitor log-analytics workspace delete"),
    *("provider register", "rest", "role assignment delete", "role definition delete"),
}
# https://learn.microsoft.com/azure/developer/azure-developer-cli/reference
AZD = {"auth login", "deploy", "down", "env new", "env set", "provision", "up"}


def slug(heading: str) -> str:
    """As GitHub makes an anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT))))
def test_what_is_linked_is_there(link: str) -> None:
    if link.startswith("https://"):
        assert re.match(r"https://((azure|learn)\.microsoft|docs\.github)\.com/", link)
        return
    path, _, anchor = link.partition("#")
    file = (ROOT / "docs" / path).resolve()
    assert file.is_file()
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    assert not anchor or anchor in map(slug, headings)


def named_files() -> set[str]:
    tops = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    words = {word.strip(",;") for command in COMMANDS for word in command.split()}
    return {word for word in words if word.partition("/")[0] in tops}


@pytest.mark.parametrize("path", sorted(named_files()))
def test_every_file_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_there_are_files_to_look_for() -> None:
    assert named_files() >= {"infra/main.bicep", SCRIPT, "pipelines/deploy.yml", "azure.yaml"}


def parameters() -> set[str]:
    """Parameters of both templates, and the fields of their types."""
    both = [template("main"), template("events")]
    given = {name for one in both for name in one["parameters"]}
    types = [kind for one in both for kind in one.get("definitions", {}).values()]
    return given | {field for kind in types for field in kind["properties"]}


def test_every_parameter_is_there() -> None:
    words = {re.split(r"[=: ]", span)[0] for span in SPANS}
    camel = {word for word in words if re.fullmatch(r"[a-z]+[A-Z]\w*", word)}
    assert len(camel) > 10
    assert camel - parameters() == set()


class Recording(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = "") -> Any:
        self.asked.add(name)
        return default


def variables() -> set[str]:
    """Settings of the app, outputs, and what parameter files and the script read."""
    environ = Recording()
    settings.read(environ)
    outputs = set(everything("existing")["outputs"])
    files = "".join(path.read_text("utf-8") for path in INFRA.glob("*.bicepparam"))
    read = set(re.findall(r"readEnvironmentVariable\('(\w+)'", files))
    head = (ROOT / SCRIPT).read_text("utf-8").partition("\nset -eu")[0]
    return environ.asked | outputs | read | set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", head))


def test_every_variable_setting_and_output_is_there() -> None:
    for name, file in ELSEWHERE.items():
        assert f'"{name}"' in (ROOT / file).read_text("utf-8")
    named = set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", TEXT))
    assert len(named) > 20
    assert named - variables() - PLACEHOLDERS - set(ELSEWHERE) == set()


def test_every_command_of_the_operator_is_there_with_its_options() -> None:
    known: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    calls = [c for text in COMMANDS for c in re.findall(r"bin/relay ([^\n#)]+)", text)]
    assert len(calls) > 5
    for call in calls:
        name, *words = call.split()
        assert name in known, call
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, call


def test_every_step_of_the_script_is_there() -> None:
    script = (ROOT / SCRIPT).read_text("utf-8")
    calls = [c for text in COMMANDS for c in re.findall(rf"sh {SCRIPT}([a-z ]*)", text)]
    for step in {step for call in calls for step in call.split()}:
        assert f"\n#     {step} " in script


@pytest.mark.parametrize(("tool", "known"), [("az", AZ), ("azd", AZD)])
def test_commands_of_azure_are_those_of_its_reference(tool: str, known: set[str]) -> None:
    form = rf"(?:^|[\s(|])(?:{tool}) ((?:[a-z][a-z-]*[ ]?)+)"
    found = {call for text in COMMANDS for call in re.findall(form, text, re.MULTILINE)}
    assert len(found) >= len(known)
    unknown = {c for c in found if not any(f"{c.strip()} ".startswith(f"{k} ") for k in known)}
    assert unknown == set()


@pytest.mark.parametrize("file", ["docs/credentials.md", "infra/README.md"])
def test_the_pat_is_never_part_of_a_command_line_or_in_a_file(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert "--value" not in text
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    (stored,) = (block for block in blocks if "keyvault secret set" in block)
    assert "--file /dev/stdin" in stored
    assert "-o none" in stored
    assert "--expires" in stored


def test_it_tells_how_to_make_the_key_of_the_waits() -> None:
    name = settings.read({}).waits_key
    (made,) = (span for span in SPANS if "keyvault secret set" in span)
    assert f" -n {name} --file /dev/stdin " in made


def test_it_tells_which_connection_reads_the_pat_and_which_only_reads() -> None:
    preview, deploy = (ROOT / f"pipelines/{name}.yml" for name in ("preview", "deploy"))
    for file, parameter in ((preview, "serviceConnection"), (deploy, "previewConnection")):
        parameters = yaml.safe_load(file.read_text("utf-8"))["parameters"]
        (name,) = (p["default"] for p in parameters if p["name"] == parameter)
        assert name in SPANS


@pytest.mark.parametrize("name", PAGES)
def test_it_is_no_longer_than_people_read(name: str) -> None:
    assert 50 <= len(PAGES[name].splitlines()) <= 350


def test_the_apps_identity_is_offered_before_the_pat() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for text in (*PAGES.values(), readme.partition("## Deploying")[2]):
        assert 0 <= text.lower().find("identity") < text.index("PAT")
