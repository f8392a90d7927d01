"""The numbers that the core works with; the settings fill in those of the policies.

What one package alone counts with stands there.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from functions.core.terms.pipelines import Sender, is_github
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Workspace  # noqa: TC001 - msgspec reads the annotations

POST_WITHIN = 5.0  # seconds from the ask to the POST's beginning
POST_TAKES = timedelta(seconds=POST_WITHIN + 5)  # an ask's POST has left by then, or never will
CLOCK_SKEW = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(hours=1)  # at most: what is further ahead a clock that was wrong told
OTHERS_BEFORE = timedelta(days=1)  # how much earlier another's start may have been claimed
RECHECK = timedelta(hours=1)
FOLLOWED_FOR = timedelta(days=30)  # until its pipeline run ends: as long as an approval may wait
MOST_SENDS = 3  # the first and two more
NOT_FINAL_FOR = timedelta(minutes=10)
FACTS_FOR = timedelta(minutes=10)  # unless the route says otherwise: `wait_for_facts`
REFUSED_FOR = timedelta(hours=72)
LONGEST_WAIT_FACTOR = 60
IN_LINE_FOR, LONGEST_IN_LINE = timedelta(hours=2), timedelta(days=14)
BY_SETTING = "PAUSED=1"  # the detail of what waits for the app to go on


class Policy(Struct, frozen=True, kw_only=True):
    """How long things take and whether anything may start.

    `kept_for`: how long the ledger remembers what ended, counted from when it was claimed.
    `by_identity`: Azure DevOps is asked as the app's own identity, and no secret is used; GitHub
    is always asked with one, by default `github_secret`.
    `parts`: how many parts of the schedule are worked off beside the timer's rounds; 1: none.
    """

    retry_first: timedelta = timedelta(seconds=30)
    lease: timedelta = timedelta(seconds=120)
    grace: timedelta = timedelta(seconds=600)
    credential_pause: timedelta = timedelta(seconds=900)
    delivery_deadline: float = 20.0
    paused: bool = False
    tag_runs: bool = False
    secret: str = "azure-devops-pat"
    github_secret: str = "github-token"
    by_identity: bool = False
    studio: str = "https://ml.azure.com"
    kept_for: timedelta = timedelta(days=400)
    parts: int = 1

    def sender(self, organization: str, secret: str | None) -> Sender:
        """Who starts pipelines there, where a route names this secret, or none."""
        default = self.github_secret if is_github(organization) else self.secret
        return Sender(organization, secret or default)

    def used_secret(self, organization: str = "") -> str:
        """The name of the default secret there; empty where none is used."""
        named = "" if self.by_identity else self.secret
        return self.github_secret if is_github(organization) else named

    def wait(self, key: str, attempts: int, reason: Reason) -> timedelta:
        """The backoff before the next attempt: doubling from `retry_first` up to 60 times it.

        Jitter takes off up to a quarter. It is drawn from the key, so that the same row always
        waits the same while different rows spread out.
        """
        longest = self.retry_first * LONGEST_WAIT_FACTOR
        refused = reason is Reason.REFUSED
        wait = longest if refused else backoff(self.retry_first, attempts, longest)
        return wait * _jitter(f"{key}#{attempts}")

    def wait_in_line(self, key: str, waited: timedelta) -> timedelta:
        """When to look, all the same, after one that is called when its turn comes.

        Twice as long as it has waited for a place, two hours at least and two weeks at most, less
        jitter: a call that never comes costs a part of what was waited, and ten thousand in a line
        next to nothing. Nearly two hours where the app is paused: versions that call nobody
        find by it what waits.
        """
        return min(max(2 * waited, IN_LINE_FOR), LONGEST_IN_LINE) * _jitter(key)


def backoff(first: timedelta, attempts: int, longest: timedelta) -> timedelta:
    """The pause before another attempt: the first one, doubled with each, up to the longest."""
    doublings: int = 2 ** min(attempts, 20)
    return min(first * doublings, longest)


def _jitter(text: str) -> float:
    """From three quarters to one, drawn from the text."""
    return 1 - hashlib.sha256(text.encode()).digest()[0] / 255 / 4


class SweepMode(StrEnum):
    """What the sweep does about a run whose event was lost."""

    START = "start"
    REPORT = "report"
    OFF = "off"


class SweepPolicy(Struct, frozen=True, kw_only=True):
    """How far back the sweep looks, where beside the workspaces seen, and what it forgets.

    `kept_for` must be longer than `window`: what is forgotten the sweep would start again.
    """

    mode: SweepMode = SweepMode.START
    window: timedelta = timedelta(hours=26)
    workspaces: tuple[Workspace, ...] = ()
    kept_for: timedelta = timedelta(days=400)
