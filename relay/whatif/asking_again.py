"""Asks of all news what the routes would make of it, within a bound, and says how far it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from functions.core.terms.deadline import Deadline
from functions.core.terms.errors import Retryable
from relay.forecasts.forecast import Forecast
from relay.whatif import sequels
from relay.whatif.comparing import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.ports.services import Ports
    from functions.core.routes.definition import Routes
    from functions.core.terms.policy import Policy
    from functions.core.terms.runs import RunEvent
    from relay.forecasts.forecast import News
    from relay.whatif.comparing import Compared
    from relay.whatif.past import Happened

READ_AT_ONCE = 8
WHOLE_SECONDS = 900.0
SAID_EVERY = 2.0  # seconds between lines of progress


class AskedAgain(NamedTuple):
    """News, and on each route what became of it beside what would. `unread`: why none is told."""

    event: RunEvent
    news: News | None
    routes: Sequence[Compared] = ()
    unread: Retryable | None = None


class AskingAgain:
    """Takes the news of the past up again; nothing is started or written."""

    def __init__(
        self, ports: Ports, policy: Policy, routes: Routes, say: Callable[[str], None]
    ) -> None:
        self._ports, self._policy, self._routes = ports, policy, routes
        self._say = say

    def of(self, past: Sequence[Happened]) -> list[AskedAgain]:
        """Each in its order, as far as the time allows: what is left out is missing at the end."""
        deadline = Deadline(self._ports.clock, WHOLE_SECONDS)
        done: list[AskedAgain] = []
        said_at = self._ports.clock.monotonic()

        def one(happened: Happened) -> AskedAgain | None:
            return None if deadline.has_passed else self._one(happened)

        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            for replayed in pool.map(one, past):
                if replayed is None:
                    break
                done.append(replayed)
                if self._ports.clock.monotonic() - said_at >= SAID_EVERY:
                    self._say(f"{len(done)} of {len(past)} looked at")
                    said_at = self._ports.clock.monotonic()
        return done

    def _one(self, happened: Happened) -> AskedAgain:
        try:
            news = happened.read(self._ports)
        except Retryable as error:
            return AskedAgain(happened.event, None, unread=error)
        forecast = Forecast(self._ports, self._policy, news)
        past = {name for name, c in happened.known.items() if c.ignore_gate}
        known = happened.known.values()
        is_untrue = any(c.is_doubted for c in known)  # the run ended otherwise: that is other news
        prospects = [
            forecast.of(route, ignore_gate=route.name in past)
            for route in (() if is_untrue else sequels.meant(happened, self._routes))
        ]
        return AskedAgain(happened.event, news, compared(known, prospects, news))
