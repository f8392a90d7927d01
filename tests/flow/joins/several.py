"""Trainings that belong together by a tag, and what one start for all of them came to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome
from local.cloud import WORKSPACE
from tests.stage.azure import changed, completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage

COMPARE, ANNOUNCE = 61, 62
A, B, C = "train-a", "train-b", "train-c"
PARAMETERS = ("run_id", "runs", "failed", "missing", "after")
SENT = """{run_id: "{{ join.by }}", runs: "{{ join.runs }}", failed: "{{ join.failed }}",
                   missing: "{{ join.missing }}"}"""
JOIN = "{by: run.tags.batch, all_of: [train-a, train-b, train-c], within: 12h}"
ROUTES = f"""
version: 1
defaults: {{organization: contoso, project: mlops}}
routes:
  - name: compare
    match: {{experiment: "train-*"}}
    join: {JOIN}
    start:
      pipeline: {COMPARE}
      parameters: {SENT}
"""


def joining(**said: object) -> str:
    """The routes, with a join that says this otherwise."""
    given = ", ".join(f"{key}: {json.dumps(value)}" for key, value in said.items())
    first = {"all_of": "[train-a, train-b, train-c], "}
    told = JOIN.removesuffix("}")
    for key in said:
        told = told.replace(f"{key}: {first.get(key, '')}", "")
    return ROUTES.replace(JOIN, f"{told}, {given}}}")


def set_up(stage: Stage, routes: str = ROUTES) -> Stage:
    """An app with these routes, and the pipelines that they start."""
    for pipeline, name in ((COMPARE, "compare"), (ANNOUNCE, "announce")):
        stage.devops.add_pipeline(
            "contoso", "mlops", pipeline, name, parameters=dict.fromkeys(PARAMETERS, "-")
        )
    stage.routes(routes)
    stage.deploy()
    return stage


def event(
    run: str, experiment: str, status: str = "Completed", batch: str | None = "b7"
) -> dict[str, Any]:
    """What tells of a training's end."""
    tags = {} if batch is None else {"batch": batch}
    data = {"experimentName": experiment, "runTags": tags}
    ended = completed if status == "Completed" else (lambda r, **d: changed(r, status, **d))
    return ended(run, **data)


def trained(
    stage: Stage, run: str, experiment: str, status: str = "Completed", batch: str | None = "b7"
) -> None:
    """A training ends, and its event comes."""
    add(stage, run, experiment, status, batch)
    stage.deliver(event(run, experiment, status, batch))


def add(
    stage: Stage, run: str, experiment: str, status: str = "Completed", batch: str | None = "b7"
) -> None:
    """A training ends, and nobody tells."""
    tags = {} if batch is None else {"batch": batch}
    stage.aml.add_run(run, status=status, experiment=experiment, tags=tags)


def key(batch: str = "b7", route: str = "compare") -> Key:
    """What the joint continuation is known by."""
    return Key(WORKSPACE.lower(), batch, Outcome.JOINED, route)


def joint(stage: Stage, batch: str = "b7", route: str = "compare") -> Continuation:
    """The joint continuation."""
    entry = stage.ledger.read(key(batch, route))
    assert entry is not None
    return entry.continuation


def stands(stage: Stage, *runs: str) -> list[str]:
    """State and reason of these members."""
    found = (stage.only(run) for run in runs)
    return [f"{c.state}: {c.reason}" for c in found]


def sent(stage: Stage) -> list[dict[str, Any]]:
    """What was sent to the pipeline that is started for all of them."""
    runs = (run for run in stage.devops.runs if run.pipeline_id == COMPARE)
    return [{n: run.template_parameters[n] for n in PARAMETERS[:4]} for run in runs]


def told(
    batch: str = "b7", runs: tuple[str, ...] = (), failed: tuple[str, ...] = (), missing: int = 0
) -> dict[str, Any]:
    """What is to be sent of such a join."""
    as_text = (json.dumps(list(ids), separators=(",", ":")) for ids in (runs, failed))
    return dict(zip(PARAMETERS, (batch, *as_text, str(missing)), strict=False))
