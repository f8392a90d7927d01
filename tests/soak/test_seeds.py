"""Many seeds, each days of a team's life: every wanted run leads to its pipeline exactly once.

`make seeds` takes RUN_RELAY_SEEDS seeds (20) of RUN_RELAY_SEED_RUNS runs (500) over both ledgers;
RUN_RELAY_SEED is the first of them. One seed is one history: it can be repeated.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from functions import threads
from functions.adapters.ahead import Beside
from functions.core.terms.reasons import Reason
from functions.core.terms.words import State
from tests.soak.test_soak import tell
from tests.soak.world import LIMIT, OF, World
from tests.stage import azurite as azurite_service
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from functions.core.kept.continuation import Continuation
    from local.cloud import Cloud

FIRST = int(os.environ.get("RUN_RELAY_SEED", "1"))
SEEDS = int(os.environ.get("RUN_RELAY_SEEDS", "1"))
RUNS = int(os.environ.get("RUN_RELAY_SEED_RUNS", "40"))


@pytest.fixture(params=["sqlite", "table"])
def stage(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Stage:
    if request.param == "sqlite":
        return Stage(cloud, tmp_path)
    connection = azurite_service.connection_string(request.getfixturevalue("azurite"))
    table = {"AzureWebJobsStorage": connection, "LEDGER_TABLE": f"t{uuid.uuid4().hex}"}
    return Stage(cloud, tmp_path, LEDGER_URL="", **table)


def is_right(c: Continuation, world: World) -> bool:
    """Whether it is what became of it: a run that was deleted is held, unless it was too late.

    What was started has its own pipeline run, and the end of that one.
    """
    is_gone = c.key.run in world.deleted and c.reason is Reason.DELETED
    stopped = c.reason is Reason.GATE and not world.may_start(c.key.run)
    if c.state is not State.STARTED:
        return c.state is State.HELD and (is_gone or stopped)
    build = world.desk.of(c)
    if build is None or c.ended is None:
        return False
    return c.pipeline_run == build.id and c.ended.how == build.result


def at_once(_: Beside, call: Callable[[], object]) -> Callable[[], object]:
    """What is begun is done on the spot, so that faults are met in the order of the seed."""
    done: list[object] = []
    try:
        done.append(call())
    except Exception as error:  # noqa: BLE001 - it is raised where it is asked for
        failed = error

    def result() -> object:
        if not done:
            raise failed
        return done[0]

    return result


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_every_wanted_run_leads_to_its_pipeline_exactly_once(
    stage: Stage, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", 1)  # one after the other, as the seed has it
    monkeypatch.setattr(Beside, "begin", at_once)
    world = World(stage, seed, RUNS)
    with world.team.later:
        world.live()
    builds = [b for b in stage.devops.runs if not world.desk.is_by_hand(b)]
    queued = Counter((b.template_parameters["run_id"], b.pipeline_id) for b in builds)
    lived = (one for one in world.lived.values() if one.wanted and world.may_start(one.run))
    every = Counter((one.run, OF[one.experiment]) for one in lived)
    wanted = Counter(one for one in every if one[0] not in world.deleted)
    found = stage.ledger.recent(stage.clock.now().replace(year=2000), 100 * RUNS)
    tell(f"RUN_RELAY_SEED={seed} RUN_RELAY_SEED_RUNS={RUNS}: {len(queued)} pipeline runs,")
    tell(f"{world.processes.died} processes died, sends: {dict(Counter(c.sends for c in found))}")
    tell(f"{len(world.desk.let)} let past the gate, {world.desk.corrected} builds corrected")
    odd = [(c.key.run, c.state, c.reason, c.detail) for c in found if not is_right(c, world)]
    assert (odd, queued - every, wanted - queued) == ([], Counter(), Counter())
    assert all(c.duplicates == () for c in found)
    hours = Counter(f"{r.queue_time:%d %H}" for r in stage.devops.runs if r.pipeline_id == 44)
    assert max(hours.values(), default=0) <= LIMIT
