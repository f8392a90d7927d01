"""Templates run Run Relay beside code that a pull request brings: none of that code is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.patterns.pipelines import Pipeline
from tests.relay.waiting.waiter import PATIENCE

PREVIEW, VALIDATE = Pipeline("preview.yml"), Pipeline("validate.yml")
INSTALL = "Install Run Relay"
IMPORTED = ("relay", "venv", "pip", "json", "pathlib")
# As the Azure CLI installs an extension: azure-cli-core, azure/cli/core/extension/operations.py
_AZ = f'#!/bin/sh\n[ "$*" = "${{*#extension add }}" ] || exec "{sys.executable}" -m pip --version\n'
BOTH = pytest.mark.parametrize("template", [PREVIEW, VALIDATE], ids=lambda t: t.file)


def module(folder: Path, name: str, text: str) -> None:
    """A package that prints a text when it is imported, or run."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("", "utf-8")
    (folder / name / "__main__.py").write_text(text, "utf-8")
    if name != "relay":
        (folder / name / "__init__.py").write_text(text, "utf-8")


class Installed(NamedTuple):
    """A folder in which a template's step has installed Run Relay, and what that said."""

    folder: Path
    said: str


Install = Callable[[Pipeline], Installed]


def workspace(folder: Path) -> Path:
    """The checkout of Run Relay, as the resource names it, beside one of a hostile pull request."""
    trusted = "import sys\nprint('resource:', *sys.argv[1:])\n"
    module(folder / "relay", "relay", trusted)
    (folder / "relay/requirements-cli.txt").write_text("", "utf-8")
    for name in IMPORTED:
        module(folder / "code", name, "print('the code of the pull request')\n")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Installs as a template does, beside a pull request; each template does so once."""

    @cache
    def once(template: Pipeline) -> Installed:
        folder = workspace(tmp_path_factory.mktemp("workspace"))
        code, out = run(template, INSTALL, folder, None, **_python(template))
        assert code == 0, out
        return Installed(folder, out)

    return once


def run(
    template: Pipeline, step: str, folder: Path, first: Path | None = None, **given: Any
) -> tuple[int, str]:
    """Exit code and output of a step that runs in the checkout of the pull request."""
    code = folder / "code"
    path = f"{first or ''}:{Path(sys.executable).parent}:{os.environ['PATH']}".lstrip(":")
    variables = {"Pipeline.Workspace": str(folder), "jobName": "pr-7"}
    values = template.values(**given)
    process = template.script(step).run(code, values, variables, {"PATH": path})
    out, _ = process.communicate(timeout=4 * PATIENCE)
    return process.returncode, out


@pytest.fixture(autouse=True)
def _no_path_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """No agent has one, and whoever runs these tests may."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.fixture
def az(tmp_path: Path) -> Path:
    """A folder with an `az` that installs extensions as the Azure CLI does, and no more."""
    (tmp_path / "az").mkdir()
    (tmp_path / "az/az").write_text(_AZ, "utf-8")
    (tmp_path / "az/az").chmod(0o755)
    return tmp_path / "az"


def _python(template: Pipeline) -> dict[str, str]:
    return {"python": sys.executable} if template is VALIDATE else {}


@BOTH
def test_the_install_runs_nothing_of_the_pull_request(
    installed: Install, template: Pipeline
) -> None:
    assert "pull request" not in installed(template).said


def test_the_install_makes_run_relay_importable_from_anywhere(
    installed: Install, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [installed(VALIDATE).folder / "code/temp/relay/bin/python", "-P", "-m", "relay"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ran.stdout == "resource:\n"


def test_the_preview_with_the_pat_is_run_relays_own(installed: Install) -> None:
    folder = installed(PREVIEW).folder
    code, out = run(PREVIEW, "Preview what the routes start", folder, runs=["r1", "r2"])
    asked = "preview --check --routes routes.yaml --event recorded --run r1 --run r2"
    assert (code, out) == (0, f"resource: {asked}\n")


def test_the_wait_is_run_relays_own(installed: Install, az: Path) -> None:
    given = {"workspace": "/w", "jobFile": "job.yml", "require": ["metrics.accuracy >= 0.5"]}
    code, out = run(VALIDATE, "Submit and wait", installed(VALIDATE).folder, az, **given)
    assert (code, "\nresource: wait --submit job.yml " in out) == (0, True), out
    assert out.endswith(" --require=metrics.accuracy >= 0.5\n")


@pytest.mark.parametrize("file", ["validate", "train", "train-and-wait"])
def test_the_azure_cli_installs_its_extension_with_no_pip_of_the_pull_request(
    tmp_path: Path, az: Path, file: str
) -> None:
    folder = workspace(tmp_path)
    template = Pipeline(f"{file}.yml")
    step = "Submit and wait" if template.file == VALIDATE.file else "Submit"
    _, out = run(template, step, folder, az, workspace="/w", jobFile="job.yml")
    assert (out.startswith("pip "), "pull request" in out) == (True, False), out


@BOTH
def test_run_relay_comes_from_the_resource_and_not_from_the_pull_request(
    template: Pipeline,
) -> None:
    steps = list(template.steps())
    checkouts = {step["checkout"]: step["path"] for step in steps if "checkout" in step}
    assert checkouts == {"self": "code", "${{ parameters.relay }}": "relay"}
    (relay,) = (p["default"] for p in template.read["parameters"] if p["name"] == "relay")
    assert relay == "run-relay"
    (install,) = (step for step in steps if step.get("displayName") == INSTALL)
    assert install["env"]["RELAY"] == "$(Pipeline.Workspace)/relay"


def test_the_connection_that_reads_the_pat_is_not_that_of_every_pull_request() -> None:
    reads = PREVIEW.values()["serviceConnection"]
    assert Pipeline("deploy.yml").values()["previewConnection"] != reads
    head, example = PREVIEW.text.split("\n#   resources:", 1)
    assert "READS THE PAT" in head
    lines = re.findall(r"^#   (.*)", "#   resources:" + example, re.MULTILINE)
    shown = yaml.safe_load("\n".join(lines))
    (used,) = shown["steps"]
    assert used["parameters"]["serviceConnection"] == reads
    (repository,) = shown["resources"]["repositories"]
    assert used["template"].partition("@")[2] == repository["repository"] == "run-relay"
    assert repository["ref"] == "refs/heads/main"
