"""The same where runs are joined: each join starts once with the right ones, and none is lost.

People are told of what ends badly, at least once and at most twice.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from functions import threads
from functions.core.rounds.notices.channels import MOST_SENDS
from functions.core.rounds.notices.noticing import of_key
from functions.core.rounds.notices.sending import PERHAPS
from functions.core.routes.joins.members import members
from functions.core.terms.reasons import Reason
from functions.core.terms.words import Ending, Happening, State
from local.chat.front import Chat
from tests.flow.notices.people import HOSTS
from tests.soak.batches import JOINS, PARAMETERS, PIPELINES, SIZE, Batches, routes
from tests.soak.test_groups import MOST_IN_TABLE, RUNS, SEED, SEEDS
from tests.soak.test_seeds import stage as stage  # noqa: PLC0414 - a fixture
from tests.soak.test_soak import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.kept.continuation import Continuation
    from tests.stage.azure import Stage


@pytest.fixture
def chat(stage: Stage) -> Iterator[Chat]:
    with Chat() as running:
        stage.cloud.vault.put("hook-ops", running.hook)
        stage.cloud.vault.put("hook-key", running.signing)
        yield running


@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS))
def test_each_join_starts_once_with_the_right_runs_and_none_is_lost(
    stage: Stage, chat: Chat, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "RESUMED_AT_ONCE", 1)  # one after the other, as the seed has it
    for pipeline, name in PIPELINES.items():
        given = dict.fromkeys(PARAMETERS, "-")
        stage.devops.add_pipeline("contoso", "mlops", pipeline, name, parameters=given)
    stage.routes(routes())
    stage.deploy(NOTIFY_HOSTS=HOSTS)
    most = RUNS if stage.environ["LEDGER_URL"] else min(RUNS // 2, MOST_IN_TABLE)
    history = Batches(stage, seed, most)
    history.live(60 * RUNS)
    history.until_all_is_told()
    processes = history.processes
    builds = Counter(run.template_parameters["run_id"] for run in stage.devops.runs)
    tell(f"RUN_RELAY_SEED={seed} RUN_RELAY_SEED_RUNS={RUNS}: {len(history.runs)} runs,")
    tell(f"{len(history.batches)} batches, {len(builds)} started, {len(history.let)} let go;")
    tell(f"{processes.died} died, {processes.stood_still} stood still")
    assert_started_once(history, builds)
    for build in stage.devops.runs:
        if build.pipeline_id in JOINS:
            assert_right_runs(history, build.template_parameters)
    assert_each_run_is_told_of(history)
    assert_told(history, chat)


def assert_started_once(history: Batches, builds: Counter[str]) -> None:
    """But for what gave way to a later one of its route, which nothing was started for."""
    names = history.names()
    became = {name: c for name in names if (c := history.of(name))}
    gone = {name for name, c in became.items() if c.reason is Reason.SUPERSEDED}
    assert {history.batches[name] for name in gone} <= {"newest"}
    assert builds == Counter(dict.fromkeys(names - gone, 1))
    assert {(c.state, c.duplicates) for name, c in became.items() if name not in gone} == {
        (State.STARTED, ())
    }
    latest = [name for name in became if history.batches.get(name) == "newest"]
    assert not latest or any(builds[name] for name in latest)


def assert_right_runs(history: Batches, given: dict[str, Any]) -> None:
    """What was sent are the members, each is one of the batch, and who is not there came late."""
    batch = given["run_id"]
    kind = history.batches[batch]
    of_batch = {run: one for run, one in history.runs.items() if one.batch == batch}
    well = {run for run, one in of_batch.items() if one.status == "Completed"}
    runs, failed = {*json.loads(given["runs"])}, {*json.loads(given["failed"])}
    assert runs <= well
    assert failed <= of_batch.keys() - well
    assert len(runs) + len(failed) + int(given["missing"]) == SIZE[kind]
    joint = history.of(batch)
    assert joint is not None
    assert {member.run for member in members(joint.event)} == runs | failed
    assert [run for run in runs | failed if history.member(run).reason is not Reason.JOINED] == []
    if kind == "all" and batch not in history.let:
        assert (runs, failed) == (well, set())
    elif given["missing"] == "0" and kind != "all":
        assert runs | failed == of_batch.keys()


def assert_each_run_is_told_of(history: Batches) -> None:
    """As one that was joined, or as one that was not and why: a member that is gone gave way."""
    for run, one in history.runs.items():
        if one.kind == "alone":
            continue
        c, joint = history.member(run), history.of(one.batch)
        assert joint is not None
        is_there = run in {member.run for member in members(joint.event)}
        assert c.state is State.SKIPPED
        assert c.reason in ({Reason.JOINED} if is_there else {Reason.JOINED, Reason.NOT_JOINED})
        if c.reason is Reason.JOINED and not is_there:  # it had failed, and was tried again
            assert (one.kind, one.status == "Completed") == ("all", False)


def assert_told(history: Batches, chat: Chat) -> None:
    """Each message has gone out twice at most, and each end that was bad stands in one."""
    posts = Counter(r.headers["Webhook-Id"] for r in chat.server.received("POST", chat.token))
    assert chat.forged == []
    assert max(posts.values(), default=0) <= MOST_SENDS
    told = [(event["data"]["about"], one) for event in chat.events for one in _named(event)]
    each = Counter((about, one["continuation"], one["at"]) for about, one in told)
    assert max(each.values(), default=0) <= 1
    bad = [c for name in history.names() if (c := history.of(name)) and _ended_badly(c)]
    perhaps = 0
    for c in bad:
        known, waits = history.stage.ledger.notices.of(of_key(c.key))
        (one,) = [one for one in known if one.about is Happening.ENDED_BADLY]
        assert (one.why in {"", PERHAPS}, waits) == (True, []), one
        perhaps += one.why == PERHAPS
    counts = [e["data"]["count"] for e in chat.events if e["data"]["about"] == "ended_badly"]
    assert len(bad) - perhaps <= sum(counts) <= len(bad)


def _named(event: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = event["data"]["notices"]
    return found


def _ended_badly(c: Continuation) -> bool:
    return c.ended is not None and c.ended.how is not Ending.SUCCEEDED
