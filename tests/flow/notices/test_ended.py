"""A step of `then` tells people how the pipeline run ended; nobody hears it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.following.after import PIPELINE, finish
from tests.flow.following.ends import started
from tests.flow.following.test_breaking import dies_in_a_round
from tests.flow.notices.people import HOSTS, counts, shown, told
from tests.stage.azure import ROUTES

if TYPE_CHECKING:
    from local.chat.front import Chat
    from local.devops.pipelines.runs import Result
    from tests.stage.azure import Stage

TELLS = """    then:
      succeeded: {tell: [{teams: teams-ops}, {slack: slack-ops}]}
      failed: {tell: [{teams: teams-ops}, {slack: slack-ops}]}
"""
NOTIFY = "notify: [{teams: teams-ops}]\nroutes:"
FILE = ROUTES.replace(PIPELINE, PIPELINE + TELLS, 1).replace("routes:", NOTIFY, 1)


def end(stage: Stage, result: Result) -> int:
    stage.routes(FILE)
    stage.deploy(NOTIFY_HOSTS=HOSTS)
    (build,) = started(stage)
    finish(stage, build, result)
    return build


def test_an_end_is_told_to_whom_the_step_names(stage: Stage, chat: Chat) -> None:
    build = end(stage, "succeeded")
    assert counts(chat) == (1, 1, 0)
    text = shown(chat.cards[0])
    assert "1 pipeline run: succeeded, route register" in text
    assert str(build) in text
    assert sorted(told(stage)) == ["slack/slack-ops of ended", "teams/teams-ops of ended"]


def test_who_is_told_that_it_ended_badly_is_not_told_again(stage: Stage, chat: Chat) -> None:
    end(stage, "failed")
    assert counts(chat) == (1, 1, 0)
    assert sorted(told(stage)) == ["slack/slack-ops of ended", "teams/teams-ops of ended_badly"]


@pytest.mark.parametrize("result", ["canceled", "partiallySucceeded"])
def test_an_end_that_no_step_names_is_told_as_ever(
    stage: Stage, chat: Chat, result: Result
) -> None:
    end(stage, result)
    assert counts(chat) == (1, 0, 0)


def test_a_step_that_only_tells_starts_nothing(stage: Stage, chat: Chat) -> None:
    end(stage, "succeeded")
    assert stage.only("r1").then == ""
    assert len(stage.devops.runs) == 1
    assert chat.cards


def test_a_file_that_changes_between_the_end_and_the_message_changes_nothing(
    stage: Stage,
) -> None:
    """The process died between the two."""
    stage.routes(FILE)
    stage.deploy(NOTIFY_HOSTS=HOSTS)
    (build,) = started(stage)
    stage.devops.finish(build, "succeeded")
    n = 0
    while not stage.only("r1").ended:
        dies_in_a_round(stage, n, minutes=2)
        n += 1
    assert told(stage) == []
    stage.routes(FILE.replace("succeeded: {tell", "canceled: {tell"))
    stage.deploy()
    for _ in range(3):
        stage.reconcile(minutes=3)
    assert sorted(told(stage)) == ["slack/slack-ops of ended", "teams/teams-ops of ended"]
