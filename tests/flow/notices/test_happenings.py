"""Of what people are told, once, and what each channel gets of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from local.cloud import SECRET
from tests.flow.asking import EXPERIMENT
from tests.flow.following.ends import started
from tests.flow.notices.people import ALL, SLACK, counts, fail, notified, said, shown, told
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from local.chat.front import Chat
    from tests.stage.azure import Stage

GATED = ROUTES.replace("    start:", "    when: run.metrics.accuracy >= 0.9\n    start:", 1)
PATIENT = ROUTES.replace(
    "    start:", "    when: run.metrics.auc > 0.5\n    wait_for_facts: 0s\n    start:", 1
)


def test_a_failure_is_told_once_by_a_card_a_message_and_an_event(stage: Stage, chat: Chat) -> None:
    fail(stage, "r1")
    assert counts(chat) == (0, 0, 0)
    stage.reconcile(seconds=121)
    stage.reconcile(minutes=5)
    assert counts(chat) == (1, 1, 1)
    card, message, event = shown(chat.cards[0]), said(chat.messages[0]), chat.events[0]
    for text in (card, message, event["data"]["title"]):
        assert "Failed, route register" in text
    for text in (card, message):
        assert "r1" in text
        assert EXPERIMENT in text
        assert "Azure DevOps rejected the request" in text
        assert "bin/relay replay register/r1/Completed" in text
    assert event["type"] == "RunRelay.Notice.failed"
    assert event["subject"] == "register"
    (notice,) = event["data"]["notices"]
    assert (notice["run"], notice["continuation"]) == ("r1", "register/r1/Completed")
    assert notice["run_url"].startswith("https://ml.azure.com/runs/r1?wsid=")
    channels = ("slack/slack-ops", "teams/teams-ops", "webhook/hook-ops")
    assert sorted(told(stage)) == [f"{channel} of failed" for channel in channels]


def test_what_is_held_is_told_and_a_gates_no_only_to_who_asks(stage: Stage, chat: Chat) -> None:
    stage.routes(notified(ALL + "  - slack: slack-gate\n    about: [gate]\n", GATED))
    stage.cloud.vault.put("slack-gate", chat.slack)
    stage.aml.add_run("r1", experiment=EXPERIMENT, metrics={"accuracy": 0.1234})
    stage.deliver(completed("r1"))
    stage.reconcile(seconds=121)
    assert counts(chat) == (0, 1, 0)
    assert "Held by the gate, route register" in said(chat.messages[0])
    assert "run.metrics.accuracy = 0.1234" in said(chat.messages[0])
    stage.routes(notified(SLACK, PATIENT))
    stage.aml.add_run("r2", experiment=EXPERIMENT, metrics={"accuracy": 0.1234})
    stage.deliver(completed("r2"))
    stage.reconcile(seconds=121)
    assert counts(chat) == (0, 2, 0)
    assert "Held, route register" in said(chat.messages[1])
    assert "0.1234" not in said(chat.messages[1])


def test_a_pipeline_run_that_ends_badly_is_told_and_one_that_succeeds_is_not(
    stage: Stage, chat: Chat
) -> None:
    bad, good = started(stage, "r1", "r2")
    stage.devops.finish(bad, "failed")
    stage.devops.finish(good)
    stage.reconcile(minutes=2)
    stage.reconcile(minutes=10)
    assert counts(chat) == (1, 1, 1)
    assert "1 pipeline run: failed, route register" in shown(chat.cards[0])
    (notice,) = chat.events[0]["data"]["notices"]
    assert (notice["run"], notice["pipeline_run"], notice["ended"]) == ("r1", bad, "failed")
    assert notice["pipeline_run_url"].endswith(f"buildId={bad}")


def test_a_secret_that_ends_soon_is_told_once_and_again_when_it_has_ended(
    stage: Stage, chat: Chat
) -> None:
    stage.clock.stand()
    ends = stage.clock.now() + timedelta(days=15)
    stage.cloud.vault.put(SECRET, stage.cloud.pat, ends)
    for days, expected in ((0, 0), (2, 1), (1, 1), (14, 2), (1, 2)):
        stage.clock.forward(days=days)
        stage.app.sweep.sweep()
        stage.reconcile()
        assert counts(chat) == (expected,) * 3
    assert SECRET in shown(chat.cards[0])
    assert chat.events[0]["data"]["notices"][0]["ends"].startswith(f"{ends:%Y-%m-%d}")


def test_a_route_may_name_others_or_nobody(stage: Stage, chat: Chat) -> None:
    own = "    notify: [{teams: teams-ops, about: [failed]}]\n"
    stage.routes(notified(ALL, ROUTES.replace("    start:", f"{own}    start:", 1)))
    fail(stage, "r1")
    stage.reconcile(seconds=121)
    assert counts(chat) == (1, 0, 0)
    stage.routes(notified(ALL, ROUTES.replace("    start:", "    notify: []\n    start:", 1)))
    fail(stage, "r2")
    stage.reconcile(seconds=121)
    assert counts(chat) == (1, 0, 0)


def test_forty_of_one_route_and_cause_are_one_message(stage: Stage, chat: Chat) -> None:
    fail(stage, *(f"r{n}" for n in range(40)))
    stage.reconcile(seconds=121)
    stage.reconcile(minutes=5)
    assert counts(chat) == (1, 1, 1)
    assert chat.events[0]["data"]["count"] == 40
    assert "40 failed, route register" in shown(chat.cards[0])
    assert "and 30 more" in said(chat.messages[0])
