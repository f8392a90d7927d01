"""Whether GitHub takes each credential, shows it the repositories, and how long it lasts.

https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.adapters.github.app_tokens import NO_TOKEN
from functions.adapters.github.calls import name_of
from functions.core.ports.services import Level
from functions.core.rounds import expiry
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import Project, is_github
from functions.core.terms.reasons import Reason
from functions.core.texts.phrases import counted
from relay.doctor.findings import Finding, Status, failure, ok, unreachable, warning
from relay.github.looking import Workflows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.adapters.http.transport import Answer
    from functions.core.terms.pipelines import Sender
    from relay.doctor.case import Case

ENDS = "GitHub-Authentication-Token-Expiration"  # which GitHub adds for tokens that have an end
NEW_TOKEN = "make a new token for these repositories, and store it as a new version of {secret}"
_INSTALL = (
    "install the App for that owner and its repositories, with Actions: read and write, "
    "and see that it is not suspended"
)
_GRANT = "name it as it is called, and let the token, or the App's installation, have it"
_LATER = "try again later"
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)( ?(UTC|Z|[+-]00:?00))?")


def accepted(case: Case) -> Iterator[Finding]:
    """Each repository, with the credential that routes have for it."""
    workflows = Workflows(case.settings.github_url, case.clock)
    for sender, repositories in _used(case).items():
        yield from _asked(case, workflows, sender, repositories)


def _used(case: Case) -> dict[Sender, list[Project]]:
    found: dict[Sender, dict[Project, None]] = defaultdict(dict)
    for start in (route.start for route in case.routes.every if route.start):
        if is_github(start.organization):
            sender = case.settings.policy.sender(start.organization, start.secret)
            found[sender][Project(start.organization, start.project)] = None
    return {sender: list(found[sender]) for sender in sorted(found)}


def _asked(
    case: Case, workflows: Workflows, sender: Sender, repositories: list[Project]
) -> Iterator[Finding]:
    last = None
    try:
        credential = case.ports.credentials.read(sender, case.deadline())
        for one in repositories:
            answer = workflows.repository(one, credential)
            last = answer or last
            if answer:
                yield ok(f"{name_of(one)} is seen with {sender.secret}")
            else:
                said = f"{name_of(one)}: there is none, or {sender.secret} may not see it"
                yield failure(said, _GRANT)
    except Retryable as error:
        yield refused(error, sender)
        return
    if last and (told := _end(case, sender, last)):
        yield told


def refused(error: Retryable, sender: Sender) -> Finding:
    """What it means that a credential is none, or not taken, or that GitHub does not answer."""
    if error.reason is Reason.SECRET_UNREADABLE and NO_TOKEN not in error.detail:
        return warning(f"not checked: {error.detail}", "see what is said of the secret")
    if error.reason is Reason.LOOK_FAILED:
        return unreachable(f"{sender.organization}: {error.detail}")
    how = {
        Reason.CREDENTIAL_REFUSED: NEW_TOKEN.format(secret=sender.secret),
        Reason.SECRET_UNREADABLE: _INSTALL,
        Reason.REFUSED: _GRANT,
    }
    return failure(f"{sender.organization}: {error.detail}", how.get(error.reason, _LATER))


def _end(case: Case, sender: Sender, answer: Answer) -> Finding | None:
    """When the token ends, as GitHub itself says; None where it says nothing of it."""
    found = _TIME.fullmatch(answer.headers.get(ENDS, "").strip())
    if found is None:
        return None
    ends = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    level, line = expiry.said(sender.secret, ends, case.clock.now())
    left = counted(int(str(line["days"])), "day")
    said = f"GitHub lets {sender.secret} end in {left}, on {ends:%Y-%m-%d}"
    statuses = {Level.INFO: Status.OK, Level.WARNING: Status.WARNING}
    how = "" if level is Level.INFO else NEW_TOKEN.format(secret=sender.secret)
    return Finding(statuses.get(level, Status.FAILURE), said, how)
