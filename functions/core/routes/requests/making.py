"""The request that a route's start makes of the facts. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.facts import placeholders
from functions.core.facts.expanding import expanded
from functions.core.facts.unusable import Unusable
from functions.core.terms.errors import Permanent
from functions.core.terms.pipelines import PipelineRequest, is_github
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.facts.building import Facts
    from functions.core.routes.definition import Route, Start
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import Key

LONGEST_INPUTS = 65_535  # characters of all that a workflow is given


def request(route: Route, start: Start, key: Key, known: Facts, policy: Policy) -> PipelineRequest:
    """The exact request; raises MissingFact, Unusable, and Permanent (too_large).

    Template parameters are text, objects among them JSON text.
    https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs/run-pipeline
    """
    github = is_github(start.organization)
    parameters = {n: _rendered(n, v, known, github=github) for n, v in start.parameters.items()}
    if start.correlation:
        parameters[start.correlation] = key.hash
    bodied = _dispatch if github else _pipeline
    body = bodied(start, parameters, known)
    return PipelineRequest(
        organization=start.organization,
        project=start.project,
        pipeline=start.pipeline,
        pipeline_version=start.pipeline_version,
        secret=policy.sender(start.organization, start.secret).secret,
        body=json.dumps({k: v for k, v in body.items() if v}, ensure_ascii=False),
        distinct=route.distinct,
        mark=key.hash if start.correlation and github else "",
    )


def _pipeline(start: Start, parameters: Mapping[str, str], known: Facts) -> dict[str, object]:
    variables = {
        name: {"value": _rendered(name, v.value, known), "isSecret": v.secret}
        for name, v in start.variables.items()
    }
    branch = {"repositories": {"self": {"refName": start.branch}}} if start.branch else None
    return {
        "resources": branch,
        "templateParameters": parameters,
        "variables": variables,
        "stagesToSkip": list(start.skip_stages),
    }


def _dispatch(start: Start, inputs: Mapping[str, str], _: Facts) -> dict[str, object]:
    """The event that starts a workflow; raises Permanent (too_large).

    https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
    """
    if len(json.dumps(inputs)) > LONGEST_INPUTS:
        said = f"the inputs have more than {LONGEST_INPUTS} characters"
        raise Permanent(Reason.TOO_LARGE, said)
    return {"ref": start.branch, "inputs": inputs}


def _rendered(name: str, value: object, known: Facts, *, github: bool = False) -> str:
    text = placeholders.render(value, known)
    if len(text) >= placeholders.LONGEST_TEXT:
        raise Permanent(Reason.TOO_LARGE, f"{name} has more than {len(text)} characters")
    if wrong := expanded(text, github=github):
        raise Unusable(Reason.EXPANDS, f"{name} {wrong}")
    return text


def summary(wanted: PipelineRequest) -> str:
    """The request in words, for a record of what would have been started."""
    return bounded(f"pipeline {wanted.where} {json.dumps(wanted.shown, ensure_ascii=False)}")
