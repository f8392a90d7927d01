"""Whose a build or a run is, by what its answer says of itself. Pure functions.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.terms.pipelines import PipelineRequest

# A request over REST queues a build whose reason is `manual`; these come about in other ways.
_TRIGGERS = frozenset(
    {
        "individualci",
        "batchedci",
        "schedule",
        "scheduleforced",
        "pullrequest",
        "buildcompletion",
        "resourcetrigger",
        "checkinshelveset",
        "validateshelveset",
    }
)


def is_of_another(request: PipelineRequest, pipeline: object) -> bool:
    """Whether the pipeline or definition that an answer names is another than the request's."""
    number = pipeline.get("id") if isinstance(pipeline, dict) else None
    return type(number) is int and number != request.pipeline


def not_a_run(request: PipelineRequest, answer: Mapping[str, Any]) -> str:
    """Why an answer with an id is no run of the request's pipeline; "" where it is one.

    A run names its pipeline. What somebody on the way answers may have an id, too.
    """
    if is_of_another(request, answer.get("pipeline")):
        return "Azure DevOps answered with a run of another pipeline"
    pipeline = answer.get("pipeline")
    number = pipeline.get("id") if isinstance(pipeline, dict) else None
    return "" if type(number) is int else "the answer has an id, and names no pipeline"


def is_queued_at_another_time(build: Mapping[str, Any], queued: tuple[datetime, datetime]) -> bool:
    """Whether a build says that it was queued outside of the times that were asked for."""
    at = parse_time(build.get("queueTime"))
    return at is not None and not queued[0] <= at <= queued[1]


def is_of_a_trigger(build: Mapping[str, Any]) -> bool:
    """Whether a push, a schedule or the like queued it, and so nobody who asked."""
    return str(build.get("reason", "")).lower() in _TRIGGERS


def taken_branch(request: PipelineRequest, run: Mapping[str, Any]) -> str:
    """What is amiss with the branch of a run, "" where it is the one that was asked for."""
    asked, taken = _branch(json.loads(request.body)), _branch(run)
    if not asked or not taken or asked == taken:
        return ""
    return f"it runs from {taken}, although {asked} was asked for"


def _branch(found: Mapping[str, Any]) -> str:
    """The branch of the pipeline's own repository, in a request or in a run."""
    for name in ("resources", "repositories", "self"):
        below = found.get(name)
        found = below if isinstance(below, dict) else {}
    branch = found.get("refName")
    return branch if isinstance(branch, str) else ""
