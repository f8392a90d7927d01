"""A new file names who is told: an instance of the old one takes up what the new one claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from tests.flow.notices.people import HOSTS, SLACK, WEBHOOK, counts, fail, notified
from tests.saying.refusals import WRONG, says
from tests.stage.azure import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from local.chat.front import Chat
    from local.cloud import Cloud


@pytest.fixture(name="old")
def of_an_older_file(stage: Stage, cloud: Cloud, tmp_path: Path) -> Stage:
    """It tells by a webhook; it was met long before the one of `stage`, which tells in Slack."""
    (tmp_path / "old").mkdir()
    old = Stage(cloud, tmp_path / "old", NOTIFY_HOSTS=HOSTS, LEDGER_URL=stage.environ["LEDGER_URL"])
    old.clock = stage.clock
    old.routes(notified(WEBHOOK))
    old.deploy()
    old.reconcile()
    stage.routes(notified(SLACK))
    stage.deploy()
    return old


@pytest.mark.parametrize("met", [True, False])
def test_people_are_told_by_the_file_that_claimed_it(
    stage: Stage, chat: Chat, old: Stage, *, met: bool
) -> None:
    stage.clock.forward(hours=1)
    if met:
        stage.reconcile()
    fail(stage, "r1")
    old.reconcile(seconds=121)
    assert list(stage.ledger.due(stage.clock.now(), 9)) == []
    for _ in range(2):
        old.reconcile(minutes=1)
        stage.reconcile(minutes=1)
    assert counts(chat) == (0, 1, 0)


def test_where_no_instance_of_that_file_is_left_those_of_today_are_told(
    stage: Stage, chat: Chat, old: Stage
) -> None:
    stage.clock.forward(hours=1)
    stage.reconcile()
    fail(stage, "r1")
    old.reconcile(seconds=121)
    for _ in range(3):
        old.reconcile(minutes=6)
    assert counts(chat) == (0, 0, 1)


def test_a_newer_file_tells_of_what_an_older_one_claimed_at_once(
    stage: Stage, chat: Chat, old: Stage
) -> None:
    fail(old, "r1")
    stage.reconcile(seconds=121)
    assert counts(chat) == (0, 1, 0)


def test_what_both_have_noticed_is_told_once(stage: Stage, chat: Chat, old: Stage) -> None:
    stage.clock.forward(hours=1)
    stage.reconcile()
    old.routes(f"# the same\n{notified(SLACK)}")
    old.deploy()
    fail(stage, "r1")
    stage.clock.forward(seconds=121)
    old.reconcile()
    stage.ledger.schedule(stage.only("r1"))
    for _ in range(3):
        stage.reconcile(minutes=1)
        old.reconcile(minutes=6)
    assert counts(chat) == (0, 1, 0)


def test_of_what_an_operator_opened_again_those_of_the_newer_file_are_told(
    stage: Stage, chat: Chat, old: Stage
) -> None:
    fail(old, "r1")
    old.reconcile(seconds=121)
    assert counts(chat) == (0, 0, 1)
    stage.clock.forward(hours=1)
    stage.reconcile()
    Replaying(stage.ledger, stage.clock, "ada@desk").replay(stage.only("r1").key)
    stage.devops.server.faults.add(says(400, WRONG))
    stage.reconcile(seconds=1)
    old.reconcile(seconds=121)
    assert list(stage.ledger.due(stage.clock.now(), 9)) == []
    for _ in range(2):
        old.reconcile(minutes=1)
        stage.reconcile(minutes=1)
    assert counts(chat) == (0, 1, 1)
