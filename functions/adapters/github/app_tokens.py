"""A GitHub App's tokens: its key signs who it is, and an owner's installation answers with a token.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.adapters.github.answers import is_own, pause, told
from functions.adapters.github.calls import HEADERS
from functions.adapters.http.losses import NoAnswerError, NotSentError
from functions.core.terms.errors import Retryable
from functions.core.terms.pipelines import GITHUB, Credential
from functions.core.terms.reasons import Reason
from functions.core.texts.bounds import bounded
from functions.core.texts.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.adapters.http.transport import Answer, Transport
    from functions.core.terms.deadline import Clock, Deadline
    from functions.core.terms.pipelines import Sender

BEFORE = timedelta(seconds=60)  # "to protect against clock drift"
SIGNED_FOR = timedelta(minutes=9)  # of ten at most, since the two clocks differ
RENEWED = timedelta(minutes=5)  # before its end, which is an hour after it was made
INSTALLATIONS, PAGE, MOST_PAGES = "/app/installations", 100, 10
NO_TOKEN = "no token of the GitHub App for"
RIGHTS = {"permissions": {"actions": "write"}}  # no token can do more than start, and look
READING = {"permissions": {"actions": "read", "contents": "read"}}  # to look at files, not to start


class KeyRefused(Retryable):
    """GitHub does not take the key, or it is none: the vault may have another by now."""


class _Made(NamedTuple):
    """A token, and when it was made, by the app's own clock: GitHub's is another."""

    token: Credential
    at: float


class AppTokens:
    """Tokens of one App with these `rights`, kept by owner and key for as long as they are good."""

    def __init__(
        self, transport: Transport, url: str, app: str, clock: Clock, rights: object = None
    ) -> None:
        self._url, self._transport = url.rstrip("/"), transport
        self._app, self._clock, self._rights = app, clock, rights or RIGHTS
        self._kept: dict[tuple[Sender, str], _Made] = {}
        self._lock = threading.Lock()

    def of(
        self, sender: Sender, key: Credential, deadline: Deadline, *, fresh: bool = False
    ) -> Credential:
        """A token for the owner, by this version of the key. Raises Retryable (secret_unreadable).

        KeyRefused where another version may do.
        It is made by one thread at a time, and `fresh` has another one made.
        """
        asked_at = self._clock.monotonic()
        if not fresh and (known := self._good(sender, key)):
            return known
        if not self._lock.acquire(timeout=deadline.left):
            raise _none(sender, "GitHub has not answered others in time")
        try:
            kept = self._kept.get((sender, key.version))
            made_since = kept is not None and kept.at >= asked_at
            if (made_since or not fresh) and (known := self._good(sender, key)):
                return known
            made = self._made(sender, key, deadline)
            self._kept[sender, key.version] = _Made(made, self._clock.monotonic())
            return made
        finally:
            self._lock.release()

    def _good(self, sender: Sender, key: Credential) -> Credential | None:
        known = self._kept.get((sender, key.version))
        if known is None or known.token.has_expired(self._clock.now() + RENEWED):
            return None
        return known.token

    def _made(self, sender: Sender, key: Credential, deadline: Deadline) -> Credential:
        signed = self._signed(sender, key)
        number, slug = self._installation(sender, signed, deadline)
        path = f"{INSTALLATIONS}/{number}/access_tokens"
        made = self._asked(sender, path, signed, deadline, body=self._rights)
        made = made if isinstance(made, dict) else {}
        token, ends = made.get("token"), parse_time(made.get("expires_at"))
        if not isinstance(token, str) or not token.isascii() or not token or ends is None:
            raise _none(sender, "GitHub's answer holds no token")
        return Credential(
            authorization=f"Bearer {token}",
            version=key.version,
            expires_at=ends,
            renews=True,
            login=f"{slug}[bot]" if slug else "",
        )

    def _installation(self, sender: Sender, signed: str, deadline: Deadline) -> tuple[int, str]:
        """The id of the App's installation at the owner, a person or an organization; its name."""
        owner = sender.organization.removeprefix(GITHUB).casefold()
        for page in range(1, MOST_PAGES + 1):
            params = {"per_page": f"{PAGE}", "page": f"{page}"}
            found = self._asked(sender, INSTALLATIONS, signed, deadline, params)
            listed = (
                [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
            )
            for one in listed:
                account, number = one.get("account"), one.get("id")
                login = account.get("login") if isinstance(account, dict) else None
                if str(login).casefold() == owner and type(number) is int and number > 0:
                    return number, str(one.get("app_slug") or "")
            if len(listed) < PAGE:
                raise _none(sender, "the App is not installed there")
        most = MOST_PAGES * PAGE
        raise _none(sender, f"it is not among the first {most} places where the App is installed")

    def _signed(self, sender: Sender, key: Credential) -> str:
        """Who the App is, signed with its key."""
        import jwt  # noqa: PLC0415 - only an App needs it

        if not self._app:
            raise _none(sender, "the secret is an App's key, and GITHUB_APP_ID does not say whose")
        now = self._clock.now()
        claims = {"iat": now - BEFORE, "exp": now + SIGNED_FOR, "iss": self._app}
        try:
            return f"Bearer {jwt.encode(claims, key.authorization, algorithm='RS256')}"
        except Exception as error:  # noqa: BLE001 - whatever a library raises for a key that is none
            why = f"its key cannot be used: {type(error).__name__}"
            raise _none(sender, why, kind=KeyRefused) from None

    def _asked(
        self,
        sender: Sender,
        path: str,
        signed: str,
        deadline: Deadline,
        params: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Any:  # noqa: ANN401 - JSON
        url = f"{self._url}{path}"
        try:
            answer = self._transport.read(
                url, signed, deadline, params=params, headers=HEADERS, body=body
            )
        except (NotSentError, NoAnswerError) as error:
            raise _none(sender, f"no answer from GitHub: {error}") from None
        if answer.status not in {200, 201} or not is_own(answer):
            kind = KeyRefused if answer.status == 401 else Retryable
            raise _none(sender, _refusal(answer), pause(answer), kind)
        return answer.json


def _refusal(answer: Answer) -> str:
    said = told(answer)
    wrong = answer.status in {401, 404}
    return f"{said}: is it the key of the App that GITHUB_APP_ID names?" if wrong else said


def _none(
    sender: Sender, why: str, after: float | None = None, kind: type[Retryable] = Retryable
) -> Retryable:
    owner = sender.organization.removeprefix(GITHUB)
    what = f"secret {sender.secret}: {NO_TOKEN} {owner}: {why}"
    return kind(Reason.SECRET_UNREADABLE, bounded(what), after)
