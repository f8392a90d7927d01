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

from functions.core.values import State
from tests import azurite as azurite_service
from tests.azure import Stage
from tests.soak.crew import Crew, deliveries, seeded
from tests.soak.weather import Storm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from functions.core.continuation import Continuation
    from local.cloud import Cloud

RUNS = int(os.environ.get("RUN_RELAY_SOAK_RUNS", "200"))
SEED = int(os.environ.get("RUN_RELAY_SOAK_SEED", "5"))
WORKERS = 4
FAILING = 0.2
STRIKES = (0.2, 2.0)  # seconds between two
CHECKS = 600
BETWEEN_CHECKS = 0.5
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
    return Stage(cloud, tmp_path, LEDGER_URL="", **SHORT, **table)


@pytest.fixture
def crew(stage: Stage) -> Iterator[Crew]:
    crew = Crew(stage.environ, WORKERS)
    yield crew
    crew.stop()


def await_end(stage: Stage, runs: list[str]) -> dict[str, list[Continuation]]:
    """The continuations of each run, once none is open."""
    found: dict[str, list[Continuation]] = {}
    for _ in range(CHECKS):
        for run in runs:
            if not found.get(run) or any(c.is_open for c in found[run]):
                found[run] = list(stage.of_run(run).values())
        if not any(c.is_open for known in found.values() for c in known):
            break
        time.sleep(BETWEEN_CHECKS)
    return found


def tell(*what: object) -> None:
    """Shown by `make soak`, and with a test that failed."""
    print(*what)  # noqa: T201 - for whoever is to repeat it


def test_every_run_starts_its_pipeline_exactly_once_whatever_fails(
    stage: Stage, crew: Crew
) -> None:
    tell(f"\nRUN_RELAY_SOAK_RUNS={RUNS} RUN_RELAY_SOAK_SEED={SEED}")
    random, began = seeded(SEED), time.monotonic()
    runs = [f"run-{number}" for number in range(RUNS)]
    for run in runs:
        stage.aml.add_run(run, experiment="defect-detection")
    storm = Storm(stage.cloud, FAILING, random)
    news = deliveries(runs, random)
    with crew.reconciling():
        with crew.struck(STRIKES, seeded(random.getrandbits(64))):
            crew.deliver_all(news, random)
        tell(f"delivered after {time.monotonic() - began:.0f} s")
        found = await_end(stage, runs)
    tell(f"ended after {time.monotonic() - began:.0f} s", dict(crew.told))
    sends = Counter(c.sends for known in found.values() for c in known)
    tell(f"{storm.failed} of {storm.calls} calls failed; sent so often: {dict(sends)}")
    assert_each_once(stage, found)


def assert_each_once(stage: Stage, found: dict[str, list[Continuation]]) -> None:
    queued: dict[str, list[int]] = {}
    for run in stage.devops.runs:
        queued.setdefault(run.template_parameters["run_id"], []).append(run.id)
    wrong = {
        run: (queued.get(run), known)
        for run, known in found.items()
        if [(c.state, [c.pipeline_run], c.duplicates) for c in known]
        != [(State.STARTED, queued.get(run), ())]
    }
    assert wrong == {}
    assert len(stage.devops.runs) == len(found)
