"""Many runs, told several times to several processes, while services fail and processes die.

`RUN_RELAY_SOAK_RUNS` is how many, `RUN_RELAY_SOAK_SEED` repeats what chance did: which events, in
which order, which faults and which processes; how the processes run against each other it cannot.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from local.cloud import WORKSPACE
from tests.soak.crew import Crew, seeded
from tests.soak.season import Season
from tests.soak.team import AFTER_ALL, ROUTES
from tests.soak.weather import Storm
from tests.stage import azurite as azurite_service
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud
    from tests.soak.season import Promise

USUAL = 100
RUNS = int(os.environ.get("RUN_RELAY_SOAK_RUNS", USUAL))
SEED = int(os.environ.get("RUN_RELAY_SOAK_SEED", "5"))
WORKERS = 3 if RUNS <= USUAL else 4
FAILING = 0.2
STRIKES = (0.5, 12.0)  # seconds between two; the next process costs two of a CPU
CHECKS = 600
BETWEEN_CHECKS = 0.5
CHECKS_TOLD = 20
IN_VAIN = 60  # sweeps that find nothing while nothing is open: the next ones will not either
SHORT = {
    "CLAIM_LEASE_SECONDS": "8",  # longer than a look through all builds takes, as it is in life
    "IN_DOUBT_GRACE_SECONDS": "2",
    "RETRY_FIRST_SECONDS": "0.3",
}


@pytest.fixture
def stage(cloud: Cloud, azurite: int, tmp_path: Path) -> Stage:
    table = {
        "AzureWebJobsStorage": azurite_service.connection_string(azurite),
        "LEDGER_TABLE": f"t{uuid.uuid4().hex}",
    }
    stage = Stage(cloud, tmp_path, LEDGER_URL="", SWEEP_WORKSPACES=WORKSPACE, **SHORT, **table)
    stage.routes(ROUTES)
    return stage


@pytest.fixture
def crew(stage: Stage) -> Iterator[Crew]:
    crew = Crew(stage.environ, WORKERS)
    yield crew
    crew.stop()


def await_end(season: Season) -> dict[str, Sequence[Continuation]]:
    """The continuations of each run, once none is open and all are known, or nothing moves."""
    in_vain = 0
    for check in range(CHECKS):
        are_all_found = season.seek()
        still_open = season.stage.ledger.backlog(AFTER_ALL).open
        in_vain = 0 if still_open else in_vain + 1
        if in_vain == IN_VAIN or (are_all_found and not still_open):
            break
        if check % CHECKS_TOLD == 0:
            tell(f"{still_open} are open")
        time.sleep(BETWEEN_CHECKS)
    return {run: season.of(promise.one) for run, promise in season.promised.items()}


def tell(*what: object) -> None:
    """Shown by `make soak`, and with a test that failed."""
    print(*what, flush=True)  # noqa: T201 - for whoever is to repeat it


def test_every_run_starts_its_pipeline_exactly_once_whatever_fails(
    stage: Stage, crew: Crew
) -> None:
    tell(f"\nRUN_RELAY_SOAK_RUNS={RUNS} RUN_RELAY_SOAK_SEED={SEED}")
    random, began = seeded(SEED), time.monotonic()
    crew.workers[0].fire("reconcile")  # the ledger is there before what the sweep is to find
    storm = Storm(stage.cloud, FAILING, random)
    season = Season(stage, crew, storm.losses, random, RUNS)
    with season.team.later:
        with crew.struck(STRIKES, seeded(random.getrandbits(64))):
            season.live(lambda chapter: tell(f"{time.monotonic() - began:5.0f} s: {chapter}"))
        tell(f"delivered after {time.monotonic() - began:.0f} s")
        found = await_end(season)
    tell(f"ended after {time.monotonic() - began:.0f} s", dict(crew.told))
    sends = Counter(c.sends for known in found.values() for c in known)
    tell(f"{storm.failed} of {storm.calls} calls failed; sent so often: {dict(sends)}")
    for kind, met in sorted(season.met.items()):
        tell(f"{met:7} {kind}")
    assert_as_promised(season, found)
    assert RUNS < USUAL or [kind for kind, met in season.met.items() if not met] == []


def assert_as_promised(season: Season, found: Mapping[str, Sequence[Continuation]]) -> None:
    """Each is started once, held since it was deleted, or left alone; and nothing else is."""
    queued: dict[str, list[int]] = {}
    for build in season.stage.devops.runs:
        queued.setdefault(build.template_parameters["run_id"], []).append(build.id)
    wrong = {
        run: (promise.becomes, queued.get(run), found[run])
        for run, promise in season.promised.items()
        if not is_kept(promise, queued.get(run, []), found[run])
    }
    assert wrong == {}
    assert queued.keys() <= season.promised.keys()


def is_kept(promise: Promise, queued: list[int], found: Sequence[Continuation]) -> bool:
    became = [(c.state, c.reason, c.duplicates) for c in found]
    if promise.becomes != "started":
        held = [(State.HELD, Reason.DELETED, ())] if promise.becomes == "deleted" else []
        return not queued and became == held
    runs = [c.pipeline_run for c in found if c.state is State.STARTED and not c.duplicates]
    return len(found) == len(queued) == 1 and runs == queued
