"""Azure DevOps: whether each organization takes its credential, and whether that is a global PAT.

https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.adapters.devops.answers import verdict
from functions.adapters.devops.bad_requests import newest_version
from functions.adapters.devops.calls import HEADERS
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.adapters.http.transport import Answer, Transport
from functions.core.terms.pipelines import is_github
from functions.core.texts.bounds import bounded
from relay.doctor import refusals
from relay.doctor.findings import failure, ok, unreachable, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.routes.definition import Start
    from functions.core.terms.errors import RelayError
    from functions.core.terms.pipelines import Credential, Sender
    from relay.doctor.case import Case
    from relay.doctor.findings import Finding

PROFILE_VERSION = "7.1-preview.3"
GLOBAL_END = datetime(2026, 12, 1, tzinfo=UTC)
ANONYMOUS = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
YOURS = "your own sign-in"  # with DEVOPS_AUTH=entra
_OK, _FORBIDDEN = 200, 403
_NEW_PAT = "make a PAT for this organization alone, or use DEVOPS_AUTH=entra"


def senders(case: Case) -> list[Sender]:
    """Every organization of Azure DevOps with a secret that routes use for it, once."""
    starts = [route.start for route in case.routes.every if route.start]
    return sorted({sender(case, one) for one in starts if not is_github(one.organization)})


def sender(case: Case, start: Start) -> Sender:
    """Whom a route's start is sent to."""
    named = case.settings.policy.sender(start.organization, start.secret)
    return named._replace(secret=YOURS) if case.settings.devops_entra else named


def secret_of(case: Case, one: Sender) -> str:
    """The name of the secret that opens it, "" where an identity does."""
    return "" if case.settings.devops_entra else one.secret


def credential(case: Case, of: Sender) -> Credential:
    """As the operator reads it; raises Retryable."""
    return case.ports.credentials.read(of, case.deadline())


def ask(case: Case, url: str, version: str, credential: Credential, body: object = None) -> Answer:
    """GET, or POST what starts nothing; raises NotSentError, NoAnswerError."""
    headers = {**HEADERS, "Accept": "application/json"}
    return Transport().read(
        url,
        credential.authorization,
        case.deadline(),
        params={"api-version": version},
        headers=headers,
        body=body,
    )


def accepted(case: Case) -> Iterator[Finding]:
    """Whether each organization takes the credential that routes have for it."""
    for one in senders(case):
        url = f"{case.settings.devops_url}/{quote(one.organization, '')}/_apis/connectionData"
        try:
            answer = ask(case, url, _preview(case), credential(case, one))
        except (NotSentError, NoAnswerError) as error:
            yield unreachable(f"{one.organization}: Azure DevOps did not answer: {error}")
            continue
        yield _judged(case, one, answer)
    if case.settings.devops_entra:
        said = "the app's identity itself cannot be tried from here"
        yield warning(said, "see that the app's identity is a user of the organization")


def _preview(case: Case) -> str:
    """The version of what is a preview in every release; it is numbered beside the others."""
    return f"{case.settings.devops_version.partition('-')[0]}-preview.1"


def _judged(case: Case, one: Sender, answer: Answer) -> Finding:
    refusal: RelayError | None = verdict(answer, needs_id=False)
    user = answer.json.get("authenticatedUser") if isinstance(answer.json, dict) else None
    name = user.get("providerDisplayName") if isinstance(user, dict) else None
    if refusal is None and isinstance(user, dict) and user.get("id") != ANONYMOUS:
        return ok(f"{one.organization} takes {one.secret}, as {bounded(name, 100)}")
    if newest := newest_version(answer):
        said = f"{one.organization}: the server speaks REST {newest}"
        return failure(said, f"set DEVOPS_API_VERSION={newest}")
    how = refusals.advice(answer, one.organization, secret_of(case, one))
    if refusal is None:
        return failure(f"{one.organization} does not take {one.secret}", how)
    return failure(f"{one.organization}: {getattr(refusal, 'detail', refusal)}", how)


def bounded_to_one(case: Case) -> Iterator[Finding]:
    """Whether a PAT is for all organizations: those stop on 2026-12-01.

    Only a PAT for all organizations is let in where profiles are, and not each of those.
    """
    host = case.profiles.get(case.settings.devops_url)
    if case.settings.devops_entra or host is None:
        yield ok("no PAT of Azure DevOps Services is used")
        return
    for one in senders(case):
        yield _bounded_to_one(case, one, f"{host}/_apis/profile/profiles/me")


def _bounded_to_one(case: Case, one: Sender, url: str) -> Finding:
    if case.clock.now() >= GLOBAL_END:
        return ok(f"{one.secret}: PATs for all organizations are no longer taken by any")
    try:
        answer = ask(case, url, PROFILE_VERSION, credential(case, one))
    except (NotSentError, NoAnswerError) as error:
        return unreachable(f"{one.secret}: Azure DevOps did not answer: {error}")
    if answer.status == _OK and isinstance(answer.json, dict):
        return warning(f"{one.secret} is for all organizations: it stops on 2026-12-01", _NEW_PAT)
    if answer.status == _FORBIDDEN:
        said = f"{one.secret} is known beyond {one.organization}: it may be for all organizations"
        return warning(said, _NEW_PAT)
    said = f"{one.secret} does not look like one for all organizations, which stop on 2026-12-01"
    how = "cannot be told without its scope User profile: look at the token in Azure DevOps"
    return warning(said, how)
