"""An app with a route on promotions, and what it started for which version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.cloud import WORKSPACE
from tests.flow.rounds.sweeps import settled, sweep

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

ALIAS = "{alias: production}"
TAG = "{tag: {stage: production}}"
STAGE = "{stage: Production}"


def following(cloud: Cloud, tmp_path: Path, promoted: str = ALIAS, **environ: str) -> Stage:
    """An app that has a route on promotions, and sweeps a workspace that it has not looked at."""
    stage = settled(cloud, tmp_path, SWEEP_WORKSPACES=WORKSPACE, **environ)
    follow(stage, promoted)
    return stage


def follow(stage: Stage, promoted: str, *lines: str) -> None:
    """Deploy a route on promotions."""
    asked = dict.fromkeys(["name", "version"])
    stage.devops.add_pipeline("contoso", "mlops", 42, "next", parameters=asked)
    more = "".join(f"  {line}\n" for line in lines)
    stage.routes(
        f"version: 1\nroutes:\n- name: deploy\n  event: ModelPromoted\n  promoted: {promoted}\n"
        f"{more}  start: {{organization: contoso, project: mlops, pipeline: 42, parameters: "
        "{name: '{{ model.name }}', version: '{{ model.version }}'}}"
    )


def registered(stage: Stage, *versions: int, name: str = "defects") -> None:
    """Have these versions of a model."""
    for version in versions:
        stage.aml.add_model_version(name, version)


def swept(stage: Stage) -> list[str]:
    """Sweep an hour later: which versions of which models were started so far, in order."""
    sweep(stage, hours=1)
    return promoted(stage)


def promoted(stage: Stage) -> list[str]:
    """As `defects:4`."""
    told = (run.template_parameters for run in stage.devops.runs)
    return [f"{one['name']}:{one['version']}" for one in told]
