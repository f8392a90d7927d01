"""Every route's pipeline, asked for a preview: nothing is started.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/preview/preview
https://learn.microsoft.com/rest/api/azure/devops/pipelines/pipelines/get
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from functions.adapters.devops.answers import verdict
from functions.adapters.devops.pipelines import API_VERSION
from functions.adapters.transport import NoAnswerError, NotSentError
from functions.core import placeholders, routing
from functions.core.errors import Permanent
from functions.core.values import Key, Outcome
from relay.doctor import devops
from relay.doctor.findings import failure, ok, unreachable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.adapters.transport import Answer
    from functions.core.errors import RelayError
    from functions.core.routes import Route, Start
    from functions.core.values import Credential
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

SAMPLE = "doctor"
SAMPLES: dict[str, object] = {
    "run.metrics": 0.5,
    "run.status": str(Outcome.COMPLETED),
    "run.start_time": "2026-01-01T00:00:00Z",
    "run.end_time": "2026-01-01T01:00:00Z",
    "event.time": "2026-01-01T01:00:00Z",
    "model.version": "1",
    "model.flavors": ["python_function"],
}
_NO_PIPELINE = 404
_VALUE = re.compile(r"The '(?P<name>[^']+)' parameter value '[^']*' is not [^']*", re.IGNORECASE)


def accepted(case: Case) -> Iterator[Finding]:
    """Whether each route's pipeline is there and takes the route's parameters."""
    for route in case.routes.routes:
        if route.start is None:
            yield ok(f"{route.name} starts no pipeline")
            continue
        try:
            yield _route(case, route, route.start)
        except (NotSentError, NoAnswerError) as error:
            yield unreachable(f"{route.name}: Azure DevOps did not answer: {error}")


def _route(case: Case, route: Route, start: Start) -> Finding:
    secret = devops.credential(case, devops.sender(case, start))
    place = f"{quote(start.organization, '')}/{quote(start.project, '')}"
    pipeline = f"{case.settings.devops_url}/{place}/_apis/pipelines/{start.pipeline}"
    named = f"{route.name}: pipeline {start.organization}/{start.project}/{start.pipeline}"
    there = devops.ask(case, pipeline, API_VERSION, secret)
    if there.status == _NO_PIPELINE:
        how = "mend the route, or give the token's owner the right to see the pipeline"
        return failure(f"{named} is not there", how)
    unseen = verdict(there)
    if unseen is not None:
        return _refused(named, unseen)
    answer = _previewed(case, route, start, pipeline, secret)
    refusal = verdict(answer, needs_id=False)
    if isinstance(refusal, Permanent) and _only_samples(start, answer):
        how = "see that the facts which the route names can be such values"
        return warning(f"{named} did not take a sample value: {refusal.detail}", how)
    if refusal is not None:
        return _refused(named, refusal)
    return ok(f"{named} ({there.json.get('name')}) takes the route's parameters")


def _previewed(
    case: Case, route: Route, start: Start, pipeline: str, credential: Credential
) -> Answer:
    """What the service would run; nothing is queued."""
    version = f"?pipelineVersion={start.pipeline_version}" if start.pipeline_version else ""
    url, asked = f"{pipeline}/preview{version}", sample_request(route, start)
    return devops.ask(case, url, API_VERSION, credential, asked)


def sample_request(route: Route, start: Start) -> dict[str, object]:
    """The request of the route for a run that never was; only a preview."""
    values = [start.parameters, [v.value for v in start.variables.values()]]
    facts = _facts(sorted(placeholders.named_in(values)))
    outcome = min(route.outcomes, default=Outcome.COMPLETED)
    asked = routing.request(route, start, Key(SAMPLE, SAMPLE, outcome, route.name), facts, SAMPLE)
    return {**json.loads(asked.body), "previewRun": True}


def _facts(names: list[str]) -> dict[str, Any]:
    """A fact for each name, as text that such a fact could be."""
    facts: dict[str, Any] = {}
    for name in names:
        *above, last = placeholders.path_of(name)
        at = facts
        for part in above:
            at = at.setdefault(part, {})
        at[last] = SAMPLES.get(name) or SAMPLES.get(".".join(above)) or SAMPLE
    return facts


def _only_samples(start: Start, answer: Answer) -> bool:
    """Whether all that is wrong are values that stand for facts."""
    message = answer.json.get("message") if isinstance(answer.json, dict) else None
    found = [_VALUE.fullmatch(line.strip()) for line in str(message or "").splitlines()]
    return bool(found) and all(
        one and placeholders.named_in(start.parameters.get(one["name"])) for one in found
    )


def _refused(named: str, refusal: RelayError) -> Finding:
    wrong = isinstance(refusal, Permanent)
    rights = "see what the token may do, and its organization"
    how = "mend the route's parameters, or the pipeline's" if wrong else rights
    return failure(f"{named}: {getattr(refusal, 'detail', refusal)}", how)
