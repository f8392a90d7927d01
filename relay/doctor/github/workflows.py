"""Every workflow that a route starts, compared with what the route sends: GitHub has no preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.facts import placeholders
from functions.core.terms.errors import Permanent, Retryable
from functions.core.terms.pipelines import is_github
from relay.doctor.azure.pipelines import sample_request
from relay.doctor.findings import failure, ok, warning
from relay.doctor.github.credentials import refused
from relay.github import comparing
from relay.github.looking import Seen, Workflows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.definition import Route, Start
    from functions.core.terms.pipelines import PipelineRequest
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

MEND = "mend the route or the workflow: the one that runs is that of the route's `ref`"
ENABLE = "see that owner, name and file are right, and that the workflow is enabled"
NAME = "let `run-name` show it: a start whose answer is lost is looked for by the run's name"
READ = "give the credential Contents: read, or compare them yourself"
CORRELATE = "name an input as `correlation`, which the workflow's `run-name` shows"


def compared(case: Case) -> Iterator[Finding]:
    """Whether each one is there and active, takes the route's inputs, and shows the mark."""
    workflows = Workflows(case.settings.github_url, case.clock)
    for route in case.routes.every:
        if route.start and is_github(route.start.organization):
            yield _asked(case, workflows, route, route.start)


def _asked(case: Case, workflows: Workflows, route: Route, start: Start) -> Finding:
    named, request = f"{route.name}, workflow {start.where}", _sample(case, route, start)
    try:
        credential = case.ports.credentials.read(request.sender, case.deadline())
        seen = workflows.look(request, credential)
    except Permanent as error:
        return failure(f"{named}: {error.detail}", ENABLE)
    except Retryable as error:
        return refused(error, request.sender)
    return _judged(named, start, request, seen)


def _sample(case: Case, route: Route, start: Start) -> PipelineRequest:
    return sample_request(route, start, case.settings.policy)


def _judged(named: str, start: Start, request: PipelineRequest, seen: Seen) -> Finding:
    if seen.declared is None:
        said = "is active; its file could not be looked at, nor its inputs and `run-name`"
        return warning(f"{named} {said}", READ)
    samples = [n for n, value in start.parameters.items() if placeholders.named_in(value)]
    if wrong := comparing.refused(request, seen.declared, samples):
        return failure(f"{named}: {'; '.join(wrong)}", MEND)
    if why := comparing.unfindable(request, seen.declared):
        if start.correlation:
            return failure(f"{named}: {why}", NAME)
        return warning(f"{named}: {why}: one whose answer is lost is held", CORRELATE)
    said = "is active, takes the route's inputs and shows its mark; GitHub has no preview"
    return ok(f"{named} ({seen.name}) {said}")
