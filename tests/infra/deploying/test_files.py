"""azure.yaml, pipelines/deploy.yml and the scripts in them say what their tools understand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from tests.infra.deploying.checkout import OUTPUTS, inline, steps
from tests.infra.predicted import everything, one
from tests.infra.sets import INFRA
from tests.running.shipping import ROOT
from tests.stage import published

if TYPE_CHECKING:
    from collections.abc import Iterator

AZD = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
PIPELINE = yaml.safe_load((ROOT / "pipelines/deploy.yml").read_text("utf-8"))
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
# https://learn.microsoft.com/azure/developer/azure-developer-cli/azd-extensibility
HOOKS = {f"{when}{what}" for when in ("pre", "post") for what in ("provision", "deploy", "up")}
STEPS = {"compiler", "preview", "resources", "code", "routes", "events", "app", "unpaused"}
CALL = re.compile(r"\bsh (infra/hooks/[\w.]+) (\w+)")


def inline_scripts() -> Iterator[tuple[str, str]]:
    """The name and text of each script that stands in one of the files."""
    for stage in PIPELINE["stages"]:
        for step in steps(stage["stage"]):
            if script := inline(step):
                yield f"{stage['stage']}: {step['displayName']}", script
    for name, hook in AZD["hooks"].items():
        yield name, hook["run"]


SCRIPTS = list(inline_scripts())
NAMES = [name for name, _ in SCRIPTS]


def test_azd_finds_the_parameter_file_and_the_code() -> None:
    # azd takes MODULE.bicepparam of the path, before MODULE.bicep
    assert AZD["infra"]["provider"] == "bicep"
    files = INFRA.glob("*.bicepparam")
    assert ROOT / AZD["infra"]["path"] / f"{AZD['infra']['module']}.bicepparam" in files
    (service,) = AZD["services"].values()
    assert (service["language"], service["host"]) == ("py", "function")
    assert (ROOT / service["project"] / "host.json").is_file()


def test_azd_finds_the_function_app_by_its_tag() -> None:
    (name,) = AZD["services"]
    assert one("existing", "Web/sites")["tags"]["azd-service-name"] == name


def test_azd_is_told_which_of_several_apps_of_that_tag_it_deploys() -> None:
    (service,) = AZD["services"].values()
    name = service["resourceName"].removeprefix("${").removesuffix("}")
    told = everything("prod")["outputs"][name]
    assert told == one("prod", "Web/sites")["name"]


def test_what_azd_runs_is_there() -> None:
    assert set(AZD["hooks"]) <= HOOKS
    for hook in AZD["hooks"].values():
        assert hook["shell"] == "sh"
        assert not hook.get("continueOnError")
    assert AZD["hooks"]["postdeploy"]["run"] == "sh infra/hooks/deploy.sh events"


def test_what_azd_hands_to_the_hook_are_outputs() -> None:
    for name in OUTPUTS:
        assert name in everything("existing")["outputs"]


def as_texts(text: str) -> object:
    """Every scalar is a text to Azure Pipelines, and so to its schema."""
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506 - this loader makes texts only


@published.needs(published.PIPELINES)
def test_the_pipeline_is_valid() -> None:
    validator = jsonschema.Draft7Validator(json.loads(published.PIPELINES.read_text("utf-8")))
    text = (ROOT / "pipelines/deploy.yml").read_text("utf-8")
    validator.validate(as_texts(text))
    for wrong in (("lockBehavior: sequential", "lockBehavior: no"), ("scriptType", "nosuch")):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(as_texts(text.replace(*wrong)))


def test_the_parameter_files_of_the_pipeline_are_there() -> None:
    (files,) = (p["values"] for p in PIPELINE["parameters"] if p["name"] == "parameterFile")
    assert {ROOT / file for file in files} == set(INFRA.glob("*.bicepparam"))


def test_a_pull_request_is_previewed_and_never_deployed() -> None:
    conditions = {stage["stage"]: stage["condition"] for stage in PIPELINE["stages"]}
    assert conditions["Preview"] == "eq(variables['Build.Reason'], 'PullRequest')"
    assert conditions["Deploy"] == "ne(variables['Build.Reason'], 'PullRequest')"
    preview = [step for step in steps("Preview") if "AzureCLI" in step.get("task", "")]
    used = {step["inputs"]["azureSubscription"] for step in preview}
    assert used == {"${{ parameters.previewConnection }}"}
    (script,) = map(inline, preview)
    assert "deploy.sh compiler preview |" in script


def test_no_secret_is_in_the_pipeline_but_the_token_of_the_comment() -> None:
    given = [step["env"] for s in PIPELINE["stages"] for step in steps(s["stage"]) if "env" in step]
    assert given == [{"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}]


@pytest.mark.parametrize(("name", "script"), SCRIPTS, ids=NAMES)
def test_an_inline_script_calls_what_is_there(name: str, script: str) -> None:
    assert name
    for file, step in CALL.findall(script):
        assert (ROOT / file).is_file()
        assert step in STEPS
    for file in re.findall(r"\bpython ([\w/]+\.py)", script):
        assert (ROOT / file).is_file()
    # a $(macro) of Azure Pipelines is no shell: what is needed comes from the environment
    assert re.search(r"\$\([A-Z]\w*\.", script) is None


def checked(script: Path, shell: str, rules: str = "all") -> str:
    ran = subprocess.run(
        [SHELLCHECK, "-x", f"--shell={shell}", f"--enable={rules}", f"--exclude={ALLOWED}", script],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return ran.stdout + ran.stderr


# Style alone: braces around every variable, quotes around our own exit codes; and what is meant:
# a function in a condition does not end by itself (its own `|| return` does), nor does a pipe.
# Azure Pipelines and azd set more variables than a script does (SC2154).
ALLOWED = "SC2154,SC2250,SC2248,SC2310,SC2311,SC2312"


@pytest.mark.parametrize("script", sorted((INFRA / "hooks").iterdir()), ids=lambda p: p.name)
def test_shellcheck_finds_nothing_in_a_script(script: Path) -> None:
    assert checked(script, "sh") == ""
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
    assert os.access(script, os.X_OK)


def test_shellcheck_finds_nothing_in_the_script_of_ci() -> None:
    assert checked(ROOT / ".ci/run", "bash", "default") == ""


@pytest.mark.parametrize(("name", "script"), SCRIPTS, ids=NAMES)
def test_shellcheck_finds_nothing_in_an_inline_script(
    name: str, script: str, tmp_path: Path
) -> None:
    file = tmp_path / "script"
    file.write_text(script, "utf-8")
    assert checked(file, "bash") == "", name


def test_shellcheck_would_find_something(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text("cat $1\n", "utf-8")
    assert "SC2086" in checked(file, "sh")
