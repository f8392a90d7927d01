"""What is sent to Azure DevOps is what its published definition allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema

from tests.stage.azure import completed
from tests.stage.published import PIPELINES_API, needs

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@needs(PIPELINES_API)
def test_the_request_is_valid_against_run_pipeline_parameters(stage: Stage) -> None:
    definitions = json.loads(PIPELINES_API.read_text("utf-8"))
    schema = {"$ref": "#/definitions/RunPipelineParameters", **definitions}
    stage.devops.add_pipeline(
        "contoso",
        "mlops",
        42,
        "next",
        parameters={"run_id": None, "big": None},
        settable_variables=["V"],
        stages=["Build", "Deploy"],
    )
    stage.routes("""
version: 1
routes:
  - name: next
    start:
      organization: contoso
      project: mlops
      pipeline: 42
      branch: refs/heads/main
      parameters: {run_id: "{{ run.id }}", big: [1, {two: true}]}
      variables: {V: 3}
      skip_stages: [Deploy]
""")
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    (sent,) = stage.devops.server.received("POST", "/runs")
    body = json.loads(sent.body)
    jsonschema.validate(body, schema)
    assert set(body) <= set(definitions["definitions"]["RunPipelineParameters"]["properties"])
    assert all(isinstance(text, str) for text in body["templateParameters"].values())
