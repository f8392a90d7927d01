"""`pipelines/preview.yml` and `what-if.yml`: what Azure Pipelines would read and run of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.patterns.pipelines import Pipeline
from tests.running.shipping import ROOT
from tests.stage import published
from tests.stage.azure import completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.relay.conftest import Desk

SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@pytest.fixture
def template() -> Any:
    return read("preview.yml")


@pytest.fixture(params=["preview.yml", "what-if.yml"])
def file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / "pipelines" / file).read_text("utf-8"))


def scripts(template: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Each inline script, and the environment that its step gives it."""
    for step in template["steps"]:
        script = step.get("bash") or step.get("inputs", {}).get("inlineScript")
        if script:
            yield script, step["env"]


@published.needs(published.PIPELINES)
def test_it_is_a_steps_template_by_the_published_schema(file: str) -> None:
    template = Pipeline(file).expanded()
    schema = json.loads(published.PIPELINES.read_text("utf-8"))
    of_steps = {"definitions": schema["definitions"], "$ref": "#/definitions/stepsTemplate"}
    assert list(Draft7Validator(of_steps).iter_errors(template)) == []
    template["steps"][-1]["tusk"] = "AzureCLI@2"
    assert list(Draft7Validator(of_steps).iter_errors(template)) != []


def test_every_parameter_has_a_type_a_default_and_a_name_for_people(file: str) -> None:
    template = read(file)
    for parameter in template["parameters"]:
        assert {"name", "displayName", "type", "default"} <= parameter.keys(), parameter
    text = (ROOT / "pipelines" / file).read_text("utf-8")
    assert [p for p in template["parameters"] if f"parameters.{p['name']}" not in text] == []


def test_no_parameter_is_put_into_a_script(file: str) -> None:
    assert [script for script, _ in scripts(read(file)) if "${{" in script] == []


@pytest.mark.skipif(
    not SHELLCHECK.is_file(), reason="no shellcheck: pip install -r requirements-dev.txt"
)
def test_shellcheck_finds_nothing_in_its_scripts(file: str) -> None:
    for script, _ in scripts(read(file)):
        ran = subprocess.run(
            [SHELLCHECK, "--shell=bash", "-"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.stdout == ""


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The folder of an agent where the step before has installed Run Relay."""
    python = tmp_path / "relay/bin/python"
    python.parent.mkdir(parents=True)
    text = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"\n'
    python.write_text(text, "utf-8")
    python.chmod(0o755)
    return tmp_path


def step(desk: Desk, template: Any, agent: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the step that previews, with these parameters and the others' defaults."""
    (script, environ) = list(scripts(template))[-1]
    defaults = {p["name"]: p["default"] for p in template["parameters"]}
    values = {**defaults, "routes": str(desk.stage.routes_file), **given}
    said = {
        "${{ join(';', parameters.runs) }}": ";".join(values.pop("runs", [])),
        **{f"${{{{ parameters.{name} }}}}": value for name, value in values.items()},
    }
    env = {**os.environ, **desk.stage.environ, **{n: said[v] for n, v in environ.items()}}
    env |= {"AGENT_TEMPDIRECTORY": str(agent)}
    env.pop("ROUTES_FILE")
    return subprocess.run(
        ["/usr/bin/env", "bash", "-c", script],
        env=env,
        cwd=agent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_it_passes_while_every_request_would_be_taken(
    desk: Desk, template: Any, agent: Path
) -> None:
    for run in ("r1", "r2", "r3"):
        desk.end(run)
    (agent / "recorded").mkdir()
    (agent / "recorded/r1.json").write_text(json.dumps(completed("r1")), "utf-8")
    runs: Any = ["r2", "r3"]
    ran = step(desk, template, agent, runs=runs)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1].startswith("3 runs: 3 accepted, 0 refused")
    assert desk.stage.devops.runs == []


def test_a_wrong_parameter_name_fails_it_in_the_words_of_the_service(
    desk: Desk, template: Any, agent: Path
) -> None:
    desk.end("r1")
    text = desk.stage.routes_file.read_text("utf-8")
    desk.stage.routes(text.replace("{run_id:", "{run_idd:"))
    runs: Any = ["r1"]
    ran = step(desk, template, agent, events="", runs=runs)
    assert ran.returncode == 1
    assert "refused: Azure DevOps answered 400: Unexpected parameter 'run_idd'" in ran.stdout


def test_a_gate_that_stops_what_started_fails_the_what_if(desk: Desk, agent: Path) -> None:
    desk.end("r1", metrics={"accuracy": 0.9})
    desk.stage.deliver(completed("r1"))
    template = read("what-if.yml")
    ran = step(desk, template, agent)
    assert (ran.returncode, ran.stderr) == (0, "")
    text = desk.stage.routes_file.read_text("utf-8")
    changed = agent / "changed.yaml"
    changed.write_text(
        text.replace("    start:", "    when: run.metrics.accuracy >= 0.95\n    start:", 1)
    )
    ran = step(desk, template, agent, routes=str(changed))
    assert ran.returncode == 1
    assert ran.stdout.startswith("would not start: 1\n")
