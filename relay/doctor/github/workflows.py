"""Every workflow that a route starts, compared with what the route sends: GitHub has no preview."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from functions.adapters.github.app_tokens import READING
from functions.adapters.github.credentials import GitHubCredentials
from functions.adapters.http.authorizing import to_github
from functions.adapters.vault import VaultCredentials
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
    from functions.core.terms.pipelines import Credential, PipelineRequest, Sender
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

MEND = "mend the route or the workflow: the one that runs is that of the route's `ref`"
ENABLE = "see that owner, name and file are right, and that the workflow is enabled"
NAME = "let `run-name` show it: a start whose answer is lost is looked for by the run's name"
READ = "give the credential Contents: read, or compare them yourself"
CORRELATE = "name an input as `correlation`, which the workflow's `run-name` shows"


def compared(case: Case) -> Iterator[Finding]:
    """Whether each one is there and active, takes the route's inputs, and shows the mark."""
    starts = [(one, one.start) for one in case.routes.every if one.start]
    theirs = [(one, start) for one, start in starts if is_github(start.organization)]
    if theirs:
        asking = _Asking(case)
        yield from (asking.about(route, start) for route, start in theirs)


class _Asking:
    """Asks with what may read files, where an App gives that: what starts may not."""

    def __init__(self, case: Case) -> None:
        settings = case.settings
        self._case = case
        self._workflows = Workflows(settings.github_url, case.clock)
        self._reading: GitHubCredentials | None = None
        if settings.key_vault_url and settings.github_app:
            vault = VaultCredentials(case.vault, case.clock, made=to_github)
            app = (settings.github_url, settings.github_app, case.clock)
            self._reading = GitHubCredentials(vault, *app, READING)

    def about(self, route: Route, start: Start) -> Finding:
        named = f"{route.name}, workflow {start.where}"
        request = sample_request(route, start, self._case.settings.policy)
        try:
            seen = self._workflows.look(request, self._credential(request.sender))
        except Permanent as error:
            return failure(f"{named}: {error.detail}", ENABLE)
        except Retryable as error:
            return refused(error, request.sender)
        return _judged(named, start, request, seen)

    def _credential(self, sender: Sender) -> Credential:
        with suppress(Retryable):  # an App that may not read files
            if self._reading:
                return self._reading.read(sender, self._case.deadline())
        return self._case.ports.credentials.read(sender, self._case.deadline())


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
