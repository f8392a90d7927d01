"""Days at random with both services in one group: each start comes once, and never two at once."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.terms.words import State
from local.cloud import GITHUB_SECRET
from local.serving.faults import Fault
from tests.flow.github.hub import DISPATCHES, START, Hub
from tests.flow.github.test_answers import OWN
from tests.flow.github.test_credentials import as_app, key_pair
from tests.flow.github.test_doubt import LIST
from tests.flow.joins.several import event
from tests.flow.services.test_both import GROUP, PIPELINE, POST_RUN, deployed, route
from tests.saying.refusals import says

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud
    from local.github.actions.dispatching import Details

STEPS, RUNS, AFTER = 60, 16, 400
FIRST = int(os.environ.get("RUN_RELAY_SEED", "0"))
SEEDS = int(os.environ.get("RUN_RELAY_SEEDS", "1"))
HIDDEN = json.dumps({"message": "blocked by policy"})
BUILDS = "*/_apis/build/builds"
KINDS = {"register": "defect-1", "build": "other-1"}


class Days:
    """What happens to an app, drawn from a seed."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub, self.random = hub, random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.moved, self.token = False, hub.cloud.github_token
        self.runs: dict[str, str] = {}
        self.deploy()

    def deploy(self) -> None:
        """A new process, of this route file or of the one where both have changed places."""
        starts = (PIPELINE, START) if self.moved else (START, PIPELINE)
        deployed(
            self.hub,
            route("register", starts[0], GROUP, experiment="defect-*"),
            route("build", starts[1], GROUP, experiment="other-*"),
        )

    def move(self) -> None:
        self.moved = not self.moved
        self.deploy()

    def end(self) -> None:
        """A run ends, and is followed."""
        if len(self.runs) < RUNS:
            run = f"r{len(self.runs)}"
            self.runs[run] = self.random.choice([*KINDS])
            experiment = KINDS[self.runs[run]]
            self.hub.aml.add_run(run, experiment=experiment)
            self.hub.deliver(event(run, experiment))

    def break_github(self) -> None:
        self.hub.hub.server.faults.add(
            self.random.choice(
                [
                    Fault("POST", DISPATCHES, drop="after"),
                    Fault("POST", DISPATCHES, drop="before"),
                    Fault("POST", DISPATCHES, status=502, after=True),
                    Fault("POST", DISPATCHES, status=403, headers=OWN, body=HIDDEN, after=True),
                    Fault("GET", LIST, status=502, times=2),
                    Fault("GET", "*/actions/runs/*", status=500, times=2),
                ]
            )
        )

    def break_devops(self) -> None:
        self.hub.devops.server.faults.add(
            self.random.choice(
                [
                    Fault("POST", POST_RUN, drop="after"),
                    Fault("POST", POST_RUN, drop="before"),
                    Fault("POST", POST_RUN, status=503, after=True),
                    says(429, path=POST_RUN, after="60"),
                    Fault("POST", POST_RUN, status=429, headers={"Retry-After": "60"}, after=True),
                    Fault("GET", BUILDS, status=500, times=2),
                ]
            )
        )

    def rotate(self) -> None:
        """Another token of another user."""
        self.hub.hub.refuse(self.token)
        self.token = f"ghp_{self.random.randrange(10**9)}"
        self.hub.hub.accept(self.token, login=f"user{self.random.randrange(3)}")
        self.hub.cloud.vault.put(GITHUB_SECRET, self.token)

    def withdraw(self) -> None:
        """The token is refused."""
        self.hub.hub.refuse(self.token)

    def give_back(self) -> None:
        """It is taken again."""
        self.hub.hub.accept(self.token)

    def finish(self) -> None:
        """What goes on comes to its end."""
        for one in self.hub.runs:
            if one.status != "completed":
                self.hub.hub.finish(one.id, self.random.choice(["success", "failure"]))
        for build in self.hub.devops.runs:
            if build.result is None:
                self.hub.devops.finish(build.id, "succeeded")

    def settle(self) -> None:
        """An operator has what was sent three times in vain sent again."""
        for c in self.all():
            if c.state is State.HELD and not self.started()[c.key.run]:
                assert Replaying(self.hub.ledger, self.hub.clock, "ada").ask_anew(c.key).done

    def round(self, minutes: int = 0) -> None:
        minutes = minutes or self.random.choice([1, 3, 16])
        self.hub.clock.forward(minutes=minutes)
        self.hub.devops.clock_skew += minutes * 60
        self.hub.app.reconciler.reconcile()

    def go_on(self) -> int:
        """How many of all that was started go on."""
        there = sum(one.status != "completed" for one in self.hub.runs)
        return there + sum(build.result is None for build in self.hub.devops.runs)

    def started(self) -> Counter[str]:
        """How often each run was followed, whoever did it."""
        there = [dict(one.inputs)["run_id"] for one in self.hub.runs]
        return Counter([*there, *(run for _, run in self.hub.started())])

    def all(self) -> list[Continuation]:
        return [self.hub.only(run) for run in self.runs]


class DaysOfAnApp(Days):
    """The same of a GitHub App, whose installation is suspended at times, and its key replaced."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.app = as_app(hub)
        super().__init__(hub, seed)

    def rotate(self) -> None:
        private, public = key_pair()
        self.app = self.hub.hub.accounts.rekey(self.app, public)
        self.hub.cloud.vault.put(GITHUB_SECRET, private)

    def withdraw(self) -> None:
        (one,) = self.hub.hub.accounts.installations(self.app)
        self.hub.hub.suspend(one)

    def give_back(self) -> None:
        (one,) = self.hub.hub.accounts.installations(self.app)
        one.suspended_at = None


@pytest.mark.parametrize("kind", [Days, DaysOfAnApp])
@pytest.mark.parametrize("details", ["told", pytest.param("ignored", marks=pytest.mark.proof)])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_each_is_started_once_and_never_two_go_on(
    cloud: Cloud, tmp_path: Path, seed: int, details: Details, kind: type[Days]
) -> None:
    days = kind(Hub(cloud, tmp_path), seed)
    days.hub.hub.details = details
    often = [days.end, days.break_github, days.break_devops, days.finish] * 3
    for _ in range(STEPS):
        seldom = [days.end, days.rotate, days.move, days.withdraw, days.give_back]
        days.random.choice([*often, *seldom])()
        days.round()
        assert days.go_on() <= 1, f"seed {seed}"
    days.give_back()
    days.hub.hub.server.faults.clear()
    days.hub.devops.server.faults.clear()
    for _ in range(AFTER):
        days.finish()
        days.settle()
        days.round(3)
        assert days.go_on() <= 1, f"seed {seed}"
        if all(c.ended for c in days.all()):
            break
    assert {c.state for c in days.all()} == {State.STARTED}, f"seed {seed}"
    assert days.started() == Counter([*days.runs]), f"seed {seed}"
    assert all(not c.duplicates for c in days.all()), f"seed {seed}"
