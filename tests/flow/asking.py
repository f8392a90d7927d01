"""A route of any shape in front of pipeline 42, and what came of a run: asked, or parked."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from functions.core.ledger import places, records
from functions.core.terms.words import State
from tests.stage.azure import completed

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from functions.core.terms.reasons import Reason
    from local.serving.web import Server
    from tests.stage.azure import Stage

EXPERIMENT = "defect-detection"


def route(stage: Stage, *lines: str, **parameters: str) -> None:
    """Deploy a route with these lines and parameters, and a pipeline that takes them."""
    asked = json.dumps({"run_id": "{{ run.id }}", **parameters})
    stage.devops.add_pipeline(
        "contoso", "mlops", 42, "next", parameters=dict.fromkeys(["run_id", *parameters])
    )
    stage.routes(
        "version: 1\nroutes:\n- name: next\n  "
        + "\n  ".join(lines)
        + "\n  start: {organization: contoso, project: mlops, pipeline: 42, parameters: "
        + asked
        + "}"
    )


def asked(stage: Stage) -> dict[str, str]:
    """The parameters of the only pipeline run, but for the run id."""
    (run,) = stage.devops.runs
    return {name: text for name, text in run.template_parameters.items() if name != "run_id"}


def calls(stage: Stage) -> list[str]:
    """The MLflow calls that reached AML; those that were begun together in any order."""
    return [r.path.rpartition("/api/2.0/mlflow/")[2] for r in stage.aml.server.requests]


def parked(stage: Stage, run: str = "r1") -> Reason:
    """Deliver the run, and tell why it is parked."""
    stage.aml.add_run(run, experiment=EXPERIMENT)
    stage.deliver(completed(run))
    row = stage.only(run)
    assert row.state is State.OPEN
    return row.reason


def starts_once_cured(stage: Stage, server: Server) -> bool:
    """Whether the pipeline starts when the service answers as it should."""
    server.faults.clear()
    stage.reconcile(hours=1)
    return stage.started() == [(42, "r1")]


def thousand_since(stage: Stage, c: Continuation) -> None:
    """Have the lists show a thousand other starts that were claimed after it."""
    rows = stage.ledger._rows()  # type: ignore[attr-defined]  # noqa: SLF001 - all at once
    for n in range(1000):
        key = replace(c.key, run=f"n{n}")
        at, run = c.created_at + timedelta(seconds=n + 1), 90_000 + n
        one = replace(c, key=key, created_at=at, state=State.STARTED, pipeline_run=run)
        rows.put(places.ended(one), records.continuation_row(one))
