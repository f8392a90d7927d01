"""A promotion's pipeline run ends: what goes on by that knows the version, one model at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.terms.reasons import Reason
from tests.flow.promoting.registries import following, registered, swept

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloud import Cloud
    from tests.stage.azure import Stage

DEPLOY, ANNOUNCE = 42, 51
SENT = (
    '{name: "{{ model.name }}", version: "{{ model.version }}", id: "{{ event.id }}", '
    'after: "{{ pipeline.run }}"}'
)
ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: deploy
    event: ModelPromoted
    promoted: {{alias: production}}
    concurrency: {{group: "{{{{ model.name }}}}", queue: latest}}
    start:
      pipeline: {DEPLOY}
      parameters: {SENT.replace(', after: "{{ pipeline.run }}"', "")}
    then:
      succeeded:
        concurrency: {{group: announce}}
        start: {{pipeline: {ANNOUNCE}, parameters: {SENT}}}
"""


def rounds(stage: Stage, count: int = 8) -> None:
    for _ in range(count):
        stage.reconcile(minutes=5)


def asked(stage: Stage, pipeline: int) -> list[str]:
    told = (run.template_parameters for run in stage.devops.runs if run.pipeline_id == pipeline)
    return [f"{one['name']}:{one['version']}" for one in told]


def finish(stage: Stage) -> None:
    """All that go on succeed."""
    for run in stage.devops.runs:
        if run.result is None:
            stage.devops.finish(run.id, "succeeded")
    rounds(stage)


def test_each_model_has_its_turn_and_what_goes_on_knows_its_version(
    cloud: Cloud, tmp_path: Path
) -> None:
    stage = following(cloud, tmp_path)
    for pipeline, name in ((DEPLOY, "deploy"), (ANNOUNCE, "announce")):
        parameters = dict.fromkeys(("name", "version", "id", "after"), "-")
        stage.devops.add_pipeline("contoso", "mlops", pipeline, name, parameters=parameters)
    stage.routes(ROUTES)
    for model in ("defects", "fraud"):
        registered(stage, 1, 2, 3, name=model)
    assert swept(stage) == []
    for version in (1, 2, 3):
        stage.aml.set_alias("defects", "production", version)
        stage.aml.set_alias("fraud", "production", 1)
        swept(stage)
    assert sorted(asked(stage, DEPLOY)) == ["defects:1", "fraud:1"]
    rounds(stage)
    finish(stage)
    assert sorted(asked(stage, DEPLOY)) == ["defects:1", "defects:3", "fraud:1"]
    skipped = [c.reason for c in stage.ledger.recent(stage.clock.now().replace(year=2020), 99)]
    assert skipped.count(Reason.SUPERSEDED) == 1
    for _ in range(4):
        finish(stage)
    assert sorted(asked(stage, ANNOUNCE)) == ["defects:1", "defects:3", "fraud:1"]
    after = {run.id for run in stage.devops.runs if run.pipeline_id == DEPLOY}
    told = [r.template_parameters for r in stage.devops.runs if r.pipeline_id == ANNOUNCE]
    assert {int(one["after"]) for one in told} == after
    swept(stage)
    assert len(stage.devops.runs) == 6
