"""Every route's pipeline of Azure DevOps, asked for a preview: nothing is started.

Facts are stood for by sample values, which a pipeline may refuse for being no values of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from functions.adapters.devops.bad_requests import version_in
from functions.core.facts import placeholders
from functions.core.routes.requests import making
from functions.core.terms.errors import InDoubt, Permanent, Retryable
from functions.core.terms.pipelines import is_github
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Ending, Outcome
from relay.doctor import refusals
from relay.doctor.azure import devops
from relay.doctor.findings import failure, ok, unreachable, warning
from relay.forecasts.previewing import Previews

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.definition import Route, Start
    from functions.core.terms.pipelines import PipelineRequest
    from functions.core.terms.policy import Policy
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
    "pipeline.run": 1,
    "pipeline.end": str(Ending.SUCCEEDED),
    "model.flavors": ["python_function"],
    "join.runs": [SAMPLE],
    "join.failed": [],
    "join.missing": 0,
}
REFUSED = "Azure DevOps answered 400: "
_VALUE = re.compile(
    r"The '(?P<name>[^']+)' parameter value '[^']*' is not [^']*?(?= ?The '|$)\s*", re.IGNORECASE
)


class _OtherVersionError(Exception):
    """The server answers no question of the REST version that is asked for."""


def accepted(case: Case) -> Iterator[Finding]:
    """Whether each route's pipeline is there and takes the route's parameters."""
    previews = Previews(case.settings.devops_url, case.settings.devops_version, case.clock)
    for route in case.routes.every:
        if route.start is None:
            told = "only tells people" if route.after else "starts no pipeline"
            yield ok(f"{route.name} {told}")
        elif not is_github(route.start.organization):
            try:
                yield _asked(case, previews, route, route.start)
            except _OtherVersionError as other:
                yield warning(f"not asked: {other}", "see what is said of Azure DevOps")
                return


def _asked(case: Case, previews: Previews, route: Route, start: Start) -> Finding:
    sender = devops.sender(case, start)
    secret = devops.credential(case, sender)
    named = f"{route.name}, pipeline {start.where}"
    try:
        name = previews.ask(sample_request(route, start, case.settings.policy), secret)
    except Permanent as refused:
        if _only_samples(start, refused.detail):
            how = "see that the facts which the route names can be such values"
            return warning(f"{named} did not take a sample value: {refused.detail}", how)
        how = "mend the route, or the pipeline and what the token's owner may see"
        return failure(f"{named}: {refused.detail}", how)
    except Retryable as error:
        how = refusals.advice_for(error.reason, start.organization, devops.secret_of(case, sender))
        return _unasked(named, error, how)
    except InDoubt as error:
        return unreachable(f"{named}: {error.detail}")
    return ok(f"{named} ({name}) takes the route's parameters")


def _unasked(named: str, error: Retryable, how: str) -> Finding:
    if error.reason is Reason.NOT_SENT:
        return unreachable(f"{named}: {error.detail}")
    if newest := version_in(error.detail):
        raise _OtherVersionError(f"the server speaks REST {newest}")
    return failure(f"{named}: {error.detail}", how)


def sample_request(route: Route, start: Start, policy: Policy) -> PipelineRequest:
    """The request of the route for a run that never was; only for a preview."""
    values = [start.parameters, [v.value for v in start.variables.values()]]
    facts = _facts(sorted(placeholders.named_in(values)))
    outcome = min(route.outcomes, default=Outcome.COMPLETED)
    return making.request(route, start, Key(SAMPLE, SAMPLE, outcome, route.name), facts, policy)


def _facts(names: list[str]) -> dict[str, Any]:
    """A fact for each name, as text that such a fact could be."""
    facts: dict[str, Any] = {}
    for name in names:
        *above, last = placeholders.path_of(name)
        at = facts
        for part in above:
            at = at.setdefault(part, {})
        at[last] = SAMPLES.get(name, SAMPLES.get(".".join(above), SAMPLE))
    return facts


def _only_samples(start: Start, said: str) -> bool:
    """Whether all that is wrong are values that stand for facts."""
    told = said.removeprefix(REFUSED)
    found = list(_VALUE.finditer(told))
    every = "".join(one[0] for one in found) == told
    names = [one["name"] for one in found]
    return (
        every and bool(names) and all(placeholders.named_in(start.parameters.get(n)) for n in names)
    )
