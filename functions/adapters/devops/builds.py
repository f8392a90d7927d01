"""Whose a build or a run is, and how it ended, by what its answer says of itself. Pure functions.

https://learn.microsoft.com/rest/api/azure/devops/build/builds/list?view=azure-devops-rest-7.1
https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline?view=azure-devops-rest-7.1
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.terms.pipelines import PipelineEnd
from functions.core.terms.words import Ending
from functions.core.texts.bounds import listed
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.core.terms.pipelines import PipelineRequest

RESULTS = frozenset(Ending) - {Ending.LOST}
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


def is_of(build: dict[str, Any], pipeline: int | str) -> bool:
    """Whether a build is one of this pipeline, as far as it says."""
    definition = build.get("definition")
    number = definition.get("id") if isinstance(definition, dict) else None
    return type(number) is not int or number == pipeline


def end_of(build: dict[str, Any]) -> PipelineEnd | None:
    """How a build ended, and None as long as it does not say so in words that are known."""
    result, at = build.get("result"), parse_time(build.get("finishTime"))
    if build.get("status") != "completed" or at is None:
        return None
    if not isinstance(result, str) or result not in RESULTS:
        return None
    said = []
    if result == Ending.CANCELED and not build.get("startTime"):
        said.append("canceled while it was queued")
    if build.get("deleted") is True:
        said.append("deleted since")
    return PipelineEnd(how=Ending(result), at=at, detail="; ".join(said))


def is_queued_at_another_time(build: Mapping[str, Any], queued: tuple[datetime, datetime]) -> bool:
    """Whether a build says that it was queued outside of the times that were asked for."""
    at = parse_time(build.get("queueTime"))
    return at is not None and not queued[0] <= at <= queued[1]


def is_of_a_trigger(build: Mapping[str, Any]) -> bool:
    """Whether a push, a schedule or the like queued it, and so nobody who asked."""
    return str(build.get("reason", "")).lower() in _TRIGGERS


def otherwise(request: PipelineRequest, run: Mapping[str, Any]) -> str:
    """What is amiss with a run, "" where it says nothing else than what was asked for.

    It is told and no more: it could be another's, and to ask again could start it twice.
    """
    body = json.loads(request.body)
    notes, asked, taken = [], _branch(body), _branch(run)
    if asked and taken and asked != taken:
        notes.append(f"it runs from {taken}, although {asked} was asked for")
    if not _shows(body.get("templateParameters", {}), run.get("templateParameters")):
        from functions.adapters.devops.matching import differing  # noqa: PLC0415 - hardly ever

        if names := differing(body, run):
            notes.append(f"it may be another's: it has other values of {listed(names)}")
    return "; ".join(notes)


def _shows(asked: Mapping[str, str], shown: object) -> bool:
    """Whether what is shown of these parameters is letter for letter what was asked for."""
    found = {str(n).lower(): v for n, v in shown.items()} if isinstance(shown, dict) else {}
    return all(found.get(name.lower(), value) == value for name, value in asked.items())


def _branch(found: Mapping[str, Any]) -> str:
    """The branch of the pipeline's own repository, in a request or in a run."""
    for name in ("resources", "repositories", "self"):
        below = found.get(name)
        found = below if isinstance(below, dict) else {}
    branch = found.get("refName")
    return branch if isinstance(branch, str) else ""
