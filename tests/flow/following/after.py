"""A route that something goes on after, and what went on by the end of its pipeline run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flow.following.ends import started
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from functions.core.kept.continuation import Continuation
    from local.devops.pipelines.runs import Result
    from tests.stage.azure import Stage

DEPLOY, ROLL_BACK, ANNOUNCE = 51, 52, 53
PARAMETERS = ("run_id", "after", "end", "page", "of", "experiment")
SENT = """{run_id: "{{ run.id }}", after: "{{ pipeline.run }}", end: "{{ pipeline.end }}",
                       page: "{{ pipeline.url }}", of: "{{ pipeline.route }}",
                       experiment: "{{ run.experiment }}"}"""
THEN = f"""
    then:
      succeeded:
        start:
          pipeline: {DEPLOY}
          parameters: {SENT}
        then:
          failed:
            start:
              pipeline: {ROLL_BACK}
              parameters: {SENT}
      failed:
        start: {{pipeline: {ANNOUNCE}, parameters: {{run_id: "{{{{ run.id }}}}"}}}}
"""
PIPELINE = '      parameters: {run_id: "{{ run.id }}"}\n'
CHAIN = ROUTES.replace(PIPELINE, PIPELINE + THEN.removeprefix("\n"), 1)


def set_up(stage: Stage, routes: str = CHAIN) -> Stage:
    """An app with these routes, and the pipelines that they start."""
    for pipeline, name in ((DEPLOY, "deploy"), (ROLL_BACK, "roll-back"), (ANNOUNCE, "announce")):
        stage.devops.add_pipeline(
            "contoso", "mlops", pipeline, name, parameters=dict.fromkeys(PARAMETERS, "-")
        )
    stage.routes(routes)
    stage.deploy()
    return stage


def finish(stage: Stage, build: int, result: Result) -> None:
    """Let this pipeline run end, and the rounds go by that see it and go on."""
    stage.devops.finish(build, result)
    for _ in range(6):
        stage.reconcile(minutes=1)


def ended(stage: Stage, result: Result, run: str = "r1") -> int:
    """Start one, and let its pipeline run end so; its number."""
    build = started(stage, run)[-1]
    finish(stage, build, result)
    return build


def asked(stage: Stage, run: str = "r1") -> list[int]:
    """The pipelines that were started for a run, in order."""
    return [pipeline for pipeline, of in stage.started() if of == run]


def sequel(stage: Stage, name: str, run: str = "r1") -> Continuation:
    """The continuation of that name."""
    return stage.of_run(run)[name]
