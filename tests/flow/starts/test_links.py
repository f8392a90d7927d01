"""TAG_RUNS=1: the AML run and the build name each other, and the start never waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.rounds.bounds import MOST_AT_ONCE
from functions.core.terms.deadline import Deadline
from functions.core.terms.words import State
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.saying.refusals import WRONG, says
from tests.stage.azure import completed

if TYPE_CHECKING:
    from tests.stage.azure import Stage


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.deploy(TAG_RUNS="1")
    stage.aml.add_run("r1", experiment=EXPERIMENT)
    return stage


def tags(stage: Stage) -> dict[str, str]:
    """The run's tags that are links."""
    workspace, deadline = stage.only("r1").event.workspace, Deadline(stage.clock, 20)
    found = stage.ports.runs.read(workspace, "r1", deadline).tags
    return {name: text for name, text in found.items() if name.startswith("relay.")}


def retire(stage: Stage) -> None:
    """Let the lease end, and the reconciler tidy up."""
    stage.reconcile(seconds=121)


def test_run_and_build_name_each_other(stage: Stage) -> None:
    stage.deliver(completed("r1"))
    retire(stage)
    (build,) = stage.devops.runs
    url = stage.only("r1").url
    assert tags(stage) == {"relay.register.pipeline_run": str(build.id), "relay.register.url": url}
    assert build.tags == ("r1",)


def test_they_are_written_once(stage: Stage) -> None:
    stage.deliver(completed("r1"))
    retire(stage)
    retire(stage)
    assert len(stage.aml.server.received("POST", "/runs/set-tag")) == 2
    assert len(stage.devops.server.received("POST", "/tags")) == 1


def test_nothing_is_tagged_before_the_start_is_settled(stage: Stage) -> None:
    stage.deliver(completed("r1"))
    assert stage.only("r1").state is State.STARTED
    assert stage.aml.server.received("POST", "/runs/set-tag") == []


def test_what_did_not_start_is_not_tagged(stage: Stage) -> None:
    stage.devops.server.faults.add(says(400, WRONG))
    stage.deliver(completed("r1"))
    retire(stage)
    assert tags(stage) == {}


@pytest.mark.parametrize("path", ["*/runs/set-tag", "*/tags"])
def test_a_tag_that_is_refused_is_told_and_costs_nothing_else(
    stage: Stage, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    for server in (stage.aml.server, stage.devops.server):
        server.faults.add(Fault(method="POST", path=path, status=403, times=9))
    stage.deliver(completed("r1"))
    retire(stage)
    (line,) = [m for m in caplog.messages if m.startswith("link=")]
    assert line.startswith('link="not written" route=register run=r1 detail=')
    assert stage.only("r1").state is State.STARTED
    assert stage.ledger.backlog(stage.clock.now()).open == 0


def test_without_the_setting_nothing_is_tagged(stage: Stage) -> None:
    stage.deploy(TAG_RUNS="0")
    stage.deliver(completed("r1"))
    retire(stage)
    assert tags(stage) == {}
    assert stage.devops.runs[0].tags == ()


def test_an_organization_that_is_left_alone_gets_its_links_afterwards(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.deliver(completed("r1"))
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.devops.throttle(1, retry_after=600, method="POST")
    stage.deliver(completed("r2"))
    retire(stage)
    assert stage.devops.server.received("POST", "/tags") == []
    stage.reconcile(minutes=10)
    assert [build.tags for build in stage.devops.runs if build.tags] == [("r1",)]
    assert not [message for message in caplog.messages if message.startswith("link=")]


def test_links_take_turns_with_what_is_to_be_started(stage: Stage) -> None:
    for n in range(MOST_AT_ONCE + 10):
        stage.aml.add_run(f"m{n}", experiment=EXPERIMENT)
        stage.deliver(completed(f"m{n}"))
    retire(stage)
    assert sum(bool(build.tags) for build in stage.devops.runs) == MOST_AT_ONCE
    retire(stage)
    assert all(build.tags for build in stage.devops.runs)
