"""Whether the services would take the requests of a preview, and what that makes of it all."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from functions.core.routes.deciding import End, PutOff
from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import InDoubt, Permanent, Retryable
from functions.core.terms.pipelines import is_github
from functions.core.terms.reasons import Reason
from relay.forecasts.forecast import Unread
from relay.forecasts.previewing import Previews
from relay.github.looking import Workflows
from relay.printing import plain

if TYPE_CHECKING:
    from functions.configuration.settings import Settings
    from functions.core.ports.services import Ports
    from functions.core.terms.pipelines import Credential, PipelineRequest, Sender
    from relay.forecasts.forecast import Prospect

SECRET_SECONDS = 30.0
# What a route's author must mend: no later run changes it.
MISTAKES = frozenset(
    {
        *(Reason.FACTS_MISSING, Reason.GATE_ERROR, Reason.AMBIGUOUS),
        *(Reason.EXPANDS, Reason.TOO_LARGE),
    }
)


class Acceptance(StrEnum):
    """What a service says of a request, or what is known to be wrong with it, or why not."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    MISTAKEN = "mistaken"  # no request can be made of this run
    NOTHING = "nothing to check"


class Checked(NamedTuple):
    """A verdict and the words for it."""

    verdict: Acceptance
    said: str = ""


class Checks:
    """Asks for previews, and compares where there are none; nothing is asked twice."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._credentials, self._clock = ports.credentials, ports.clock
        self._previews = Previews(settings.devops_url, settings.devops_version, ports.clock)
        self._workflows = Workflows(settings.github_url, ports.clock)
        self._read: dict[Sender, Credential] = {}
        self._said: dict[PipelineRequest, Checked] = {}

    def of(self, prospect: Prospect) -> Checked:
        """Whether the request that the route makes of this run would be taken."""
        found, request = prospect.found, prospect.request
        if isinstance(found, End | PutOff) and found.reason in MISTAKES:
            return Checked(Acceptance.MISTAKEN, plain(found.detail, 500))
        if isinstance(found, Unread):
            return Checked(Acceptance.UNKNOWN, plain(found.detail, 500))
        if request is None:
            return Checked(Acceptance.NOTHING)
        if request not in self._said:
            self._said[request] = self._asked(request)
        return self._said[request]

    def _asked(self, request: PipelineRequest) -> Checked:
        try:
            said = self._compared(request)
        except Permanent as error:
            return Checked(Acceptance.REFUSED, plain(error.detail, 1000))
        except (Retryable, InDoubt) as error:
            return Checked(Acceptance.UNKNOWN, plain(error.detail, 1000))
        return Checked(Acceptance.ACCEPTED, said)

    def _compared(self, request: PipelineRequest) -> str:
        """What is known of one that would run; raises what says that it would not."""
        credential = self._credential(request.sender)
        if is_github(request.organization):
            return plain(self._workflows.ask(request, credential), 1000)
        return f"pipeline {plain(self._previews.ask(request, credential))} would run with this"

    def _credential(self, sender: Sender) -> Credential:
        if sender not in self._read:
            deadline = Deadline(self._clock, SECRET_SECONDS)
            self._read[sender] = self._credentials.read(sender, deadline)
        return self._read[sender]
