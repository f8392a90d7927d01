"""Promotions in a real MLflow registry, made with MLflow's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.cloud import WORKSPACE
from tests.flow.promoting.registries import ALIAS, STAGE, TAG, following, swept
from tests.flow.reading.test_mlflow import logged_by

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from local.real.mlflow import MLflow

CLIENT = """
import json
from mlflow import MlflowClient
client = MlflowClient()
NAME = "{name}"
{do}
print(json.dumps("done"))
"""
TWO = """
client.create_registered_model(NAME)
for _ in range(2):
    client.create_model_version(NAME, "s3://models/defects")
"""
PROMOTE = {
    ALIAS: "client.set_registered_model_alias(NAME, 'production', '{version}')",
    STAGE: "client.transition_model_version_stage(NAME, '{version}', 'Production', True)",
    TAG: "client.set_model_version_tag(NAME, '{version}', 'stage', 'production')",
}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(ALIAS, id="alias"),
        pytest.param(STAGE, id="stage", marks=pytest.mark.proof),
        pytest.param(TAG, id="tag", marks=pytest.mark.proof),
    ],
)
def test_what_a_real_registry_shows_is_found_and_started_once(
    cloud: Cloud, tmp_path: Path, mlflow_server: MLflow, form: str
) -> None:
    name = f"promoted by {form.strip('{}').split(':')[0]}"

    def done(do: str) -> None:
        logged_by(CLIENT.format(name=name, do=do), mlflow_server, tmp_path)

    stage = following(cloud, tmp_path, form[:-1] + f", model: '{name}'}}")
    cloud.arm.add_workspace(WORKSPACE, mlflow_server.url)
    stage.deploy()
    done(TWO + PROMOTE[form].format(version=1))
    assert (swept(stage), swept(stage)) == ([], [])
    done(PROMOTE[form].format(version=2))
    assert (swept(stage), swept(stage)) == ([f"{name}:2"], [f"{name}:2"])
    if form != TAG:
        done(PROMOTE[form].format(version=1))
        assert swept(stage) == [f"{name}:2", f"{name}:1"]
