"""One token that is held, and the one fetch of the next: who waits for what, and for how long.

fetched         half its life is over            30 s are left    its end
│── handed out ─┼── handed out, and renewed by ──┼── waited for ──┤
                    one thread beside the calls,
                    with a pause after a failure
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from functions.adapters.entra_tokens.answers import IdentityUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessTokenInfo

    from functions.core.terms.deadline import Clock

    Found = AccessTokenInfo | str  # a token, or why there is none
    Fetch = Callable[[str], Found]  # asks with these claims, and raises nothing
    Run = Callable[[Callable[[], None]], None]
    Tell = Callable[[str], None]

GOOD_FOR = 30.0  # seconds that a token must last, so that it does not end on its way
PAUSES = (30.0, 60.0, 120.0, 300.0)  # seconds after failures in a row, while a token is good
SHARED_FOR = 5.0  # seconds after a failure in which it is everybody's, while no token is good
NEW_FOR = 60.0  # seconds in which a refused token is not renewed: the platform would give it again
PATIENCE = 9.0  # seconds that a call waits; the endpoint has 3 to connect and 5 to answer
GIVEN_UP = 20.0  # seconds after which a fetch that does not end keeps nobody from asking again
LATE = "the identity endpoint has not answered in time"

_patience: ContextVar[float] = ContextVar("patience", default=PATIENCE)


class waiting:  # noqa: N801 - it is used as a function is
    """Calls in here wait for a token so many seconds at most; those of the SDK's clients, too."""

    def __init__(self, seconds: float) -> None:
        self._seconds = min(PATIENCE, seconds)

    def __enter__(self) -> None:
        self._before = _patience.set(self._seconds)

    def __exit__(self, *_: object) -> None:
        _patience.reset(self._before)


def beside(work: Callable[[], None]) -> None:
    """Do it in a thread that keeps no process from ending; in the call where none can begin."""
    try:
        threading.Thread(target=work, name="token", daemon=True).start()
    except RuntimeError:
        work()


class _Answer:
    """What a fetch will have found, for all who wait for it."""

    def __init__(self, began: float) -> None:
        self.began = began
        self._came = threading.Event()
        self._found: Found = LATE

    def came(self, found: Found) -> None:
        self._found = found
        self._came.set()

    def wait(self) -> Found:
        self._came.wait(_patience.get())
        return self._found


class Held:
    """Hands out one token. `tell` hears why it could not be renewed while it is good."""

    def __init__(self, fetch: Fetch, clock: Clock, tell: Tell, run: Run) -> None:
        self._fetch, self._clock, self._tell, self._run = fetch, clock, tell, run
        self._lock = threading.RLock()  # `run` may do its work in the call
        self._token: AccessTokenInfo | None = None
        self._got_at = self._renew_at = self._paused_until = 0.0
        self._failed, self._failure, self._failed_at = 0, "", 0.0
        self._under_way: dict[str, _Answer] = {}

    def get(self, claims: str) -> AccessTokenInfo:
        """A good token, or with claims a new one, which takes its place.

        Raises IdentityUnavailable.
        """
        found = self._at_once(claims)
        if isinstance(found, _Answer):
            found = found.wait()
        if isinstance(found, str):
            raise IdentityUnavailable(found)
        return found

    def refused(self, token: str) -> None:
        """A service refused it: it is renewed beside the calls, unless it is new."""
        with self._lock:
            if self._token and self._token.token == token and self._is_old():
                self._renew_at = 0.0
                self._renew_if_due()

    def renew(self) -> None:
        """Wait for a newer one, unless it is new; it may not come."""
        with self._lock:
            if not self._is_old() or self._is_paused():
                return
            answer = self._begin("")
        answer.wait()

    def _at_once(self, claims: str) -> Found | _Answer:
        with self._lock:
            if claims:
                return self._begin(claims)
            if self._token and self._is_good(self._token):
                self._renew_if_due()
                return self._token
            since = self._clock.monotonic() - self._failed_at
            if self._failure and since < SHARED_FOR:
                return self._failure
            return self._begin("")

    def _renew_if_due(self) -> None:
        if self._now() >= self._renew_at and not self._is_paused():
            self._begin("")

    def _begin(self, claims: str) -> _Answer:
        """The fetch that is under way, or a new one; with the lock."""
        now = self._clock.monotonic()
        if known := self._under_way.get(claims):
            if now - known.began < GIVEN_UP:
                return known
            self._note(LATE)
        answer = self._under_way[claims] = _Answer(now)
        self._run(lambda: self._end(answer, claims))
        return answer

    def _end(self, answer: _Answer, claims: str) -> None:
        found = self._fetch(claims)
        with self._lock:
            if self._under_way.get(claims) is answer:
                del self._under_way[claims]
                self._note(found)
            is_good = self._token is not None and self._is_good(self._token)
        answer.came(found)
        if isinstance(found, str) and is_good:
            self._tell(found)

    def _note(self, found: Found) -> None:
        if isinstance(found, str):
            self._failed, self._failure = self._failed + 1, found
            self._failed_at = self._clock.monotonic()
            pause = PAUSES[min(self._failed, len(PAUSES)) - 1]
            self._paused_until = self._failed_at + pause
        else:
            self._failed, self._failure = 0, ""
            self._paused_until, self._got_at = 0.0, self._clock.monotonic()
            self._token, self._renew_at = found, found.refresh_on or 0.0

    def _is_good(self, token: AccessTokenInfo) -> bool:
        return token.expires_on - self._now() > GOOD_FOR

    def _is_old(self) -> bool:
        return self._clock.monotonic() - self._got_at >= NEW_FOR

    def _is_paused(self) -> bool:
        return self._clock.monotonic() < self._paused_until

    def _now(self) -> float:
        return self._clock.now().timestamp()
