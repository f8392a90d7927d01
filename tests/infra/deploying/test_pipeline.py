"""The steps of pipelines/deploy.yml, run for real as an agent runs them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.compiler import TESTED
from tests.infra.deploying.checkout import (
    APP,
    CREATE,
    OUTPUTS,
    UPLOAD,
    WHAT_IF,
    Azure,
    checkout,
    inline,
    steps,
)

if TYPE_CHECKING:
    from pathlib import Path


def play(stage: str, folder: Path, environ: dict[str, str]) -> list[int]:
    """Run the scripts of a stage as an agent does, up to the first that fails."""
    codes = []
    for script in filter(None, map(inline, steps(stage))):
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", script],  # noqa: S607
            cwd=folder,
            env=environ,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        codes.append(ran.returncode)
        if ran.returncode:
            break
    return codes


@pytest.fixture
def agent(tmp_path: Path, azure: Azure) -> tuple[Azure, Path, dict[str, Any]]:
    """An agent with a checkout, and a python that only tells what it was asked for."""
    python = tmp_path / "azure/python"
    python.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n', "utf-8")
    python.chmod(0o755)
    environ = azure.environ(AGENT_TEMPDIRECTORY=str(tmp_path))
    return azure, checkout(tmp_path), environ


def test_the_pipeline_deploys_and_then_looks_whether_it_works(
    agent: tuple[Azure, Path, dict[str, Any]], tmp_path: Path
) -> None:
    azure, folder, environ = agent
    assert play("Deploy", folder, environ) == [0] * 6
    wanted = [f"{CREATE} run-relay", f"{UPLOAD} {APP}", f"{CREATE} run-relay-events"]
    assert azure.acts() == wanted
    assert azure.commands().count("bicep install") == 2  # each step begins with nothing
    assert azure.state["compiler"] == f"v{TESTED}"
    asked = (tmp_path / "asked").read_text("utf-8").splitlines()
    assert asked[1:] == ["-m relay check", f"-m relay doctor --app {OUTPUTS['AZURE_FUNCTION_ID']}"]


def test_the_pipeline_ends_where_a_step_fails(
    agent: tuple[Azure, Path, dict[str, Any]], tmp_path: Path
) -> None:
    azure, folder, environ = agent
    azure.refuse(UPLOAD, "(BadRequest) the build failed")
    assert play("Deploy", folder, environ) == [0, 0, 0, 4]
    assert "doctor" not in (tmp_path / "asked").read_text("utf-8")


def test_the_pipeline_comments_with_what_would_change(
    agent: tuple[Azure, Path, dict[str, Any]], tmp_path: Path
) -> None:
    azure, folder, environ = agent
    assert play("Preview", folder, environ) == [0] * 4
    assert azure.acts() == []
    assert "what would change" in (tmp_path / "what-if.txt").read_text("utf-8")
    last = (tmp_path / "asked").read_text("utf-8").splitlines()[-1]
    assert last == f"pipelines/comment.py {tmp_path}/what-if.txt"


def test_a_preview_that_is_refused_fails_the_step(
    agent: tuple[Azure, Path, dict[str, Any]],
) -> None:
    azure, folder, environ = agent
    azure.refuse(WHAT_IF, "(AuthorizationFailed) no")
    assert play("Preview", folder, environ)[-1] != 0
