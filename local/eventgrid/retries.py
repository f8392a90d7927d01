"""What Event Grid makes of an endpoint's answer, and when it asks again.

https://learn.microsoft.com/azure/event-grid/delivery-and-retry
All times here are in seconds of the real service; `Pace` shortens them.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
DELIVERED = frozenset({200, 201, 202, 203, 204})
RESPONSE_LIMIT = 30.0
DEAD_LETTER_DELAY = 300.0
FAILURES_BEFORE_PROBATION = 10
LONGEST_PROBATION = 3600.0

_OUTCOMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
}
_FINAL = {True: frozenset({400, 403, 413}), False: frozenset({400, 401, 403, 413})}
_PROBATION = {
    "NotFound": 300.0,
    "SocketError": 30.0,
    "ResolutionError": 300.0,
    "Unauthorized": 300.0,
    "Forbidden": 300.0,
}
_REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 413: "PayloadTooLarge"}


@dataclass(frozen=True)
class Answer:
    """How one attempt ended: an outcome in Event Grid's words, and the status if there was one."""

    outcome: str
    status: int | None = None

    @classmethod
    def of(cls, status: int) -> Answer:
        """What a status means; those without a word of their own count as Busy."""
        good = status in DELIVERED
        return cls("Delivered" if good else _OUTCOMES.get(status, "Busy"), status)

    @property
    def delivered(self) -> bool:
        """Whether the event counts as delivered; 203 does, a redirect does not."""
        return self.outcome == "Delivered"


@dataclass(frozen=True)
class Pace:
    """How fast the local service lives.

    `time_scale` multiplies every wait. The response limit is scaled too, but never below five
    seconds unless given, because the work behind the endpoint takes its real time.
    """

    time_scale: float = 1.0
    response_limit: float | None = None

    @property
    def patience(self) -> float:
        """Seconds that an endpoint has to answer."""
        return self.response_limit or max(RESPONSE_LIMIT * self.time_scale, 5.0)


def is_final(answer: Answer, *, azure_function: bool) -> bool:
    """Whether no retry can help; an Azure endpoint's 401 is worth another try, a webhook's not."""
    return answer.status in _FINAL[azure_function]


def dead_letter_reason(answer: Answer) -> str:
    """Why an event with a final answer was given up. (Only BadRequest's spelling is published.)."""
    return f"UndeliverableDueToHttp{_REASONS.get(answer.status or 0, answer.outcome)}"


def wait_after(attempts: int, answer: Answer, *, azure_function: bool) -> float:
    """Seconds until the next attempt, after so many: the schedule, or the status's minimum."""
    planned = float(SCHEDULE[min(attempts, len(SCHEDULE)) - 1])
    return max(planned, _minimum(answer.status, azure_function=azure_function))


def _minimum(status: int | None, *, azure_function: bool) -> float:
    if status in {401, 404} and azure_function:
        return 300.0
    return {408: 120.0, 503: 30.0}.get(status or 0, 10.0)


def probation(failures: int, outcome: str) -> float:
    """Seconds for which an endpoint gets nothing, after so many failures in a row."""
    beyond = failures - FAILURES_BEFORE_PROBATION
    if beyond < 0:
        return 0.0
    return min(_PROBATION.get(outcome, 10.0) * 2.0**beyond, LONGEST_PROBATION)
