"""Rate limits: the hourly one that counts, and both kinds on demand.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from local.github.errors import LIMITS, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Limit = Literal["primary", "secondary"]

HOUR = 3600
ANONYMOUS = 60
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


@dataclass(frozen=True)
class _Pending:
    kind: Limit
    status: int
    seconds: int
    method: str


@dataclass
class _Window:
    ends: int
    used: int = 0


class Limits:
    """How many requests each caller has left in its hour. Safe for threads."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.hourly = 5000
        self._seconds = seconds
        self._windows: dict[str, _Window] = {}
        self._pending: list[_Pending] = []
        self._lock = threading.Lock()

    def limit(
        self,
        times: int = 1,
        kind: Limit = "primary",
        status: Literal[403, 429] = 403,
        seconds: int = 60,
        method: str = "*",
    ) -> None:
        """Refuse the next `times` requests as one does who is over a limit; nothing is done."""
        with self._lock:
            self._pending += [_Pending(kind, status, seconds, method)] * times

    def clear(self) -> None:
        """Limit nothing but what an hour is for."""
        with self._lock:
            self._pending.clear()
        self.hourly = 5000

    def count(self, caller: str, method: str) -> dict[str, str]:
        """The headers of this request, which counts. Raises a Refusal over a limit."""
        with self._lock:
            window = self._window(caller)
            pending = next((p for p in self._pending if p.method in {"*", method}), None)
            if pending:
                self._pending.remove(pending)
                raise self._over(pending, caller, window)
            if window.used >= self._most(caller):
                raise _primary(403, caller, self._headers(caller, window))
            window.used += 1
            return self._headers(caller, window)

    def headers(self, caller: str) -> dict[str, str]:
        """What the headers say, without a request that counts."""
        with self._lock:
            return self._headers(caller, self._window(caller))

    def _window(self, caller: str) -> _Window:
        now = self._seconds()
        known = self._windows.get(caller)
        if known is None or known.ends <= now:
            known = self._windows[caller] = _Window(int(now) + HOUR)
        return known

    def _most(self, caller: str) -> int:
        return self.hourly if caller else min(ANONYMOUS, self.hourly)

    def _headers(self, caller: str, window: _Window) -> dict[str, str]:
        most = self._most(caller)
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, most - window.used)),
            "X-RateLimit-Reset": str(window.ends),
            "X-RateLimit-Used": str(window.used),
            "X-RateLimit-Resource": "core",
        }

    def _over(self, pending: _Pending, caller: str, window: _Window) -> Refusal:
        headers = self._headers(caller, window)
        if pending.kind == "secondary":
            headers["Retry-After"] = str(pending.seconds)
            documentation = f"{LIMITS}#about-secondary-rate-limits"
            return Refusal(pending.status, _SECONDARY, documentation=documentation, headers=headers)
        reset = {"X-RateLimit-Reset": str(int(self._seconds()) + pending.seconds)}
        none_left = {"X-RateLimit-Remaining": "0", "X-RateLimit-Used": str(self._most(caller))}
        return _primary(pending.status, caller, {**headers, **none_left, **reset})


def _primary(status: int, caller: str, headers: Mapping[str, str]) -> Refusal:
    if caller:
        message = f"API rate limit exceeded for {caller}."
    else:
        message = (
            "API rate limit exceeded for 127.0.0.1. (But here's the good news: Authenticated "
            "requests get a higher rate limit. Check out the documentation for more details.)"
        )
    return Refusal(status, message, documentation=LIMITS, headers=headers)
