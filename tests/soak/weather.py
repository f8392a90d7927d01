"""A storm over the local Azure, and what passes over it besides: each fault may be retried."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from local.serving.faults import Fault
from tests.saying.refusals import says
from tests.soak.team import GITHUB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from local.cloud import Cloud

ENDLESS = 10**9
MOST_LOST = 2

BLOCKED = {"X-TFS-ServiceError": "TF400733: The request has been canceled."}
# What a request can be lost by: nothing was done, and nobody can tell.
LOST: tuple[dict[str, Any], ...] = ({"status": 500}, {"drop": "before"})
OTHERS: tuple[dict[str, Any], ...] = (
    {"status": 500, "after": True},
    {"status": 503, "after": True},
    {"drop": "after"},
    {"status": 429, "headers": {"Retry-After": "0", **BLOCKED}},
    {"status": 429, "headers": {"Retry-After": "1", **BLOCKED}},
    {"delay": 0.3},
)
START, BUILDS, READ = "*/_apis/pipelines/*/runs", "*/_apis/build/builds", "*/runs/get"
PAGES = (200, 203, 302, 403, 404, 429, 502)  # statuses of a gateway's page
PAGE: dict[str, Any] = {
    "body": "<html><title>Gateway</title><body>Your request is being scanned.</body></html>",
    "headers": {"Content-Type": "text/html"},
}
NOT_THERE = '{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such run"}'
JSON = {"Content-Type": "application/json"}


class Losses:
    """How often each request was lost: never more than twice.

    The third loss of the same request would, as promised, be held for a person.
    """

    def __init__(self) -> None:
        self._lost: Counter[tuple[str, bytes]] = Counter()

    def allow(self, path: str, body: bytes) -> bool:
        """Whether this request may be lost once more; if so it is."""
        self._lost[path, body] += 1
        return self._lost[path, body] <= MOST_LOST


class Trouble(Fault):
    """A fault that tells how often it was met, and that can pass.

    `losses` if it loses requests; `surely`: the first that it can meet it meets.
    """

    def __init__(self, losses: Losses | None = None, *, surely: bool = False, **kind: Any) -> None:
        super().__init__(**{"times": ENDLESS, **kind})
        self._given = self.times
        self._losses, self._is_due = losses, surely

    def hits(self, method: str, path: str, body: bytes = b"") -> bool:
        """Whether it meets this request."""
        often, self.probability = self.probability, 1.0 if self._is_due else self.probability
        meets = super().hits(method, path, body)
        self.probability = often
        self._is_due &= not meets
        return meets and (self._losses is None or self._losses.allow(path, body))

    @property
    def met(self) -> int:
        """How many requests it met."""
        return self._given - self.times

    def ends(self) -> None:
        """It meets no more."""
        self._given, self.times = self.met, 0


class Storm:
    """Faults of every service that fail `share` of its calls."""

    def __init__(self, cloud: Cloud, share: float, random: Random) -> None:
        self._services = (cloud.identity, cloud.vault, cloud.arm, cloud.aml, cloud.devops)
        self._of_each = 1 - (1 - share) ** (1 / len(LOST + OTHERS))
        self._troubles: list[Trouble] = []
        self.losses = Losses()
        for service in self._services:
            for trouble in self._made(random):
                service.server.faults.add(trouble)

    @property
    def calls(self) -> int:
        """How many calls there were; services do not see those that fail before their work."""
        seen = sum(len(service.server.requests) for service in self._services)
        return seen + sum(t.met for t in self._troubles if not _reaches(t))

    @property
    def failed(self) -> int:
        """How many calls were hit."""
        return sum(trouble.met for trouble in self._troubles)

    def _made(self, random: Random) -> Iterable[Trouble]:
        kinds: list[dict[str, Any]] = [{"method": "GET", **kind} for kind in LOST + OTHERS]
        kinds += [{"method": "POST", "losses": self.losses, **kind} for kind in LOST]
        kinds += [{"method": "POST", **kind} for kind in OTHERS]
        random.shuffle(kinds)
        share = self._of_each
        made = [Trouble(**_drawn(random, share), **kind) for kind in kinds]
        self._troubles += made
        return made


def passing(random: Random, losses: Losses, size: int) -> Mapping[str, list[Trouble]]:
    """What is wrong with Azure DevOps, or AML, for a while in which some `size` runs end.

    By the name of each kind. Where look-ups fail, answers are lost, so that there are some. What
    hangs keeps one who delivers for as long as the app has patience, so that it is bounded.
    """
    often = {"surely": True, **_drawn(random, 0.5)}
    seldom = {"surely": True, **_drawn(random, 0.3)}
    post: dict[str, Any] = {"method": "POST", "path": START}
    look: dict[str, Any] = {"method": "GET", "path": BUILDS}
    late: dict[str, Any] = {"drop": "after", "hang": True, "times": max(2, size // 20)}
    read: dict[str, Any] = {"method": "GET", "path": READ, "headers": JSON, **often}
    page = {"status": random.choice(PAGES), **PAGE, **post, **seldom}
    lies = Trouble(status=500, after=True, **post, **seldom)
    return {
        "400, no source": [_said(400, GITHUB, **post, **often)],
        "400, disabled": [_said(400, "The pipeline 'register' is disabled.", **post, **often)],
        "answers too late": [Trouble(**late, **post)],
        "a page instead, queued": [Trouble(after=True, **page)],
        "a page instead, not queued": [Trouble(losses, **page)],
        "look-ups throttled": [Trouble(status=429, headers={"Retry-After": "1"}, **look), lies],
        "look-ups answered 403": [_said(403, "no", **look), lies],
        "look-ups answered 404": [_said(404, "no", **look), lies],
        "look-ups answered by a page": [Trouble(status=200, **PAGE, **look), lies],
        "runs answered 403": [Trouble(status=403, body="{}", **read)],
        "runs answered 404": [Trouble(status=404, body=NOT_THERE, **read)],
    }


def _said(status: int, message: str, **kind: Any) -> Trouble:
    return Trouble(**{**asdict(says(status, message)), "times": ENDLESS, **kind})


def _drawn(random: Random, share: float) -> dict[str, Any]:
    return {"probability": share, "seed": random.getrandbits(32)}


def _reaches(fault: Fault) -> bool:
    return fault.after or fault.drop == "after" or not (fault.status or fault.drop)
