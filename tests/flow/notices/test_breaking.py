"""What a channel answers, who dies in between, and that nobody is told a third time."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.core.operators.replaying import Replaying
from functions.core.rounds.notices import channels, sending
from functions.core.rounds.notices.noticing import Noticing, of_key
from functions.core.terms.errors import LedgerUnavailable
from local.serving.faults import Fault
from tests.flow.asking import EXPERIMENT
from tests.flow.notices.people import ALL, SLACK, WEBHOOK, counts, fail, notified, said, told
from tests.saying.refusals import says
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, completed

if TYPE_CHECKING:
    from functions.core.terms.runs import Key
    from local.chat.front import Chat

TO_SLACK = "/services/*"
TOLD = ["slack/slack-ops of failed"]
WAITS = ["slack/slack-ops waits"]


@pytest.fixture(autouse=True)
def _to_slack(stage: Stage) -> None:
    stage.routes(notified(SLACK))


def sent(chat: Chat) -> list[str]:
    """The ids by which a webhook knows what it was sent, taken or not."""
    return [r.headers["Webhook-Id"] for r in chat.server.received("POST", chat.token)]


def failed(stage: Stage, *runs: str) -> None:
    """One that failed, and its notice."""
    fail(stage, *(runs or ("r1",)))
    stage.reconcile(seconds=121)


def why(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that tell of messages."""
    return [m for m in caplog.messages if m.startswith("notice=")]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path=TO_SLACK, status=429, headers={"Retry-After": "600"}),
        Fault(path=TO_SLACK, status=503),
        Fault(path=TO_SLACK, status=404, body="no_service"),
        Fault(path=TO_SLACK, status=410, body="channel_is_archived"),
        Fault(path=TO_SLACK, status=302, headers={"Location": "https://example.org"}),
        Fault(path=TO_SLACK, status=200, body="<html>sign in</html>"),
    ],
    ids=lambda fault: str(fault.status),
)
def test_what_is_not_taken_now_is_told_later_and_once(
    stage: Stage, chat: Chat, fault: Fault
) -> None:
    asked = replace(fault, times=2)
    chat.server.faults.add(asked)
    failed(stage)
    assert (counts(chat), told(stage), asked.times) == ((0, 0, 0), WAITS, 1)
    stage.reconcile(seconds=30)
    assert asked.times == 1
    for _ in range(3):
        stage.reconcile(minutes=11)
    assert (counts(chat), told(stage), asked.times) == ((0, 1, 0), TOLD, 0)


def test_an_answer_that_never_comes_is_asked_for_once_more_and_never_a_third_time(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.server.faults.add(Fault(path=TO_SLACK, drop="after", times=9))
    failed(stage)
    assert told(stage) == WAITS
    for _ in range(5):
        stage.reconcile(hours=2)
    assert len(chat.messages) == 2
    assert told(stage) == ["slack/slack-ops of failed: perhaps told: no answer came, twice"]
    assert any("perhaps told" in line for line in why(caplog))


def test_a_message_that_is_refused_as_it_is_keeps_no_other_waiting(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.server.faults.add(Fault(path=TO_SLACK, status=400, body="invalid_payload"))
    failed(stage)
    failed(stage, "r2")
    refused = "slack/slack-ops of failed: not told: slack answered 400: invalid_payload"
    assert (told(stage), told(stage, "r2"), counts(chat)) == ([refused], TOLD, (0, 1, 0))
    assert any(line.startswith('notice="given up"') for line in why(caplog))


def test_who_mends_the_secret_within_three_days_misses_nothing(stage: Stage, chat: Chat) -> None:
    stage.cloud.vault.delete("slack-ops")
    failed(stage)
    stage.reconcile(hours=20)
    stage.cloud.vault.put("slack-ops", "https://hooks.example.org/services/T/B/x")
    stage.reconcile(hours=20)
    stage.cloud.vault.put("slack-ops", chat.slack.replace("http:", "ftp:"))
    stage.reconcile(hours=20)
    assert (told(stage), chat.server.requests) == (WAITS, [])
    stage.cloud.vault.put("slack-ops", chat.slack)
    stage.reconcile(hours=2)
    assert (told(stage), counts(chat)) == (TOLD, (0, 1, 0))


def test_after_three_days_it_is_given_up_with_the_reason(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    stage.cloud.vault.put("slack-ops", "https://hooks.example.org/services/T/B/x")
    failed(stage)
    stage.reconcile(hours=71)
    assert told(stage) == WAITS
    stage.reconcile(hours=2)
    (known,) = told(stage)
    assert "not told within three days: the address in secret slack-ops is at" in known
    assert any(line.startswith('notice="given up"') for line in why(caplog))
    stage.cloud.vault.put("slack-ops", chat.slack)
    stage.reconcile(hours=2)
    assert chat.server.requests == []


def test_nobody_who_reads_the_log_or_the_ledger_can_post(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    stage.routes(notified())
    caplog.set_level(logging.DEBUG)
    chat.server.faults.add(Fault(status=404, times=3, body=chat.slack))
    failed(stage)
    chat.server.faults.add(Fault(drop="after", times=3))
    stage.reconcile(hours=1)
    stage.reconcile(hours=2)
    assert counts(chat) == (2, 2, 1)
    secrets = (chat.token, chat.signing.removeprefix("whsec_"))
    file = stage.read.ledger_file
    assert file
    for secret in secrets:
        assert secret not in caplog.text
        assert secret.encode() not in file.read_bytes()


def test_a_round_that_died_before_the_schedule_was_left_tells_it_once(
    stage: Stage, chat: Chat
) -> None:
    fail(stage, "r1")
    Noticing(stage.ports).take_up(stage.only("r1"))
    stage.reconcile(seconds=121)
    Noticing(stage.ports).take_up(stage.only("r1"))  # one that stood still since
    stage.reconcile(minutes=5)
    assert (counts(chat), told(stage)) == ((0, 1, 0), TOLD)


def test_what_failed_again_while_a_round_stood_still_over_it_is_told_too(
    stage: Stage, chat: Chat
) -> None:
    """An operator replayed it between the notice of the first time and the schedule's row."""
    fail(stage, "r1", times=2)
    stage.build(ledger=Replayed(stage))
    stage.reconcile(seconds=121)
    stage.deploy()
    for _ in range(2):
        stage.reconcile(minutes=2)
    assert (counts(chat), told(stage)) == ((0, 2, 0), TOLD * 2)


def test_who_dies_after_the_post_has_it_told_once_more_by_the_same_id(
    stage: Stage, chat: Chat
) -> None:
    stage.routes(notified(WEBHOOK))
    fail(stage, "r1", "r2")
    stage.deploy()
    stage.build(ledger=Dying(stage.ports.ledger))
    stage.reconcile(seconds=121)
    stage.deploy()
    stage.reconcile(seconds=60)
    assert len(sent(chat)) == 1
    fail(stage, "r3")
    stage.reconcile(minutes=5)
    first, again, other = sent(chat)
    assert first == again != other
    assert [event["data"]["count"] for event in chat.events] == [2, 1]
    assert told(stage) == ["webhook/hook-ops of failed"]


def test_of_two_processes_one_sends(stage: Stage, chat: Chat) -> None:
    failed(stage, "r1")
    name = channels.name("slack/slack-ops")
    row = stage.ledger.shared(name)
    lease = stage.clock.now() + timedelta(minutes=9)
    stage.ledger.share(row, {**row.value, "lease": lease.isoformat()})
    failed(stage, "r2")
    assert (len(chat.messages), told(stage, "r2")) == (1, WAITS)
    stage.reconcile(minutes=9)
    assert (len(chat.messages), told(stage, "r2")) == (2, TOLD)


def test_what_a_round_resumes_is_started_before_anybody_is_told(stage: Stage, chat: Chat) -> None:
    fail(stage, "r1")
    stage.devops.server.faults.add(says(429))
    stage.aml.add_run("r2", experiment=EXPERIMENT)
    stage.deliver(completed("r2"))
    assert stage.only("r2").is_open
    stage.reconcile(seconds=121)
    (start,) = stage.devops.server.received("POST", "/runs")
    (message,) = chat.server.received("POST", chat.token)
    assert start.at < message.at


def test_while_the_route_file_cannot_be_read_it_is_kept_for_whoever_it_will_name(
    stage: Stage, chat: Chat
) -> None:
    fail(stage, "r1")
    stage.routes("broken: [")
    stage.reconcile(seconds=121)
    assert told(stage) == [" waits"]
    stage.routes(notified(SLACK))
    stage.reconcile(minutes=1)
    stage.reconcile(minutes=1)
    assert (counts(chat), told(stage)) == ((0, 1, 0), TOLD)


def test_a_channel_that_is_named_no_more_is_told_nothing(stage: Stage, chat: Chat) -> None:
    chat.server.faults.add(Fault(path=TO_SLACK, status=503))
    failed(stage)
    stage.routes(notified(ALL.replace("slack-ops", "slack-new")))
    stage.reconcile(hours=1)
    assert told(stage) == WAITS  # for another process, perhaps, whose file is newer
    stage.reconcile(hours=24)
    gone = "slack/slack-ops of failed: not told: the route file names it no more"
    assert (told(stage), counts(chat)) == ([gone], (0, 0, 0))


def test_so_it_is_where_more_wait_for_it_than_a_round_looks_at(
    stage: Stage, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not listed by its name, which no round knows any more."""
    chat.server.faults.add(Fault(path=TO_SLACK, status=503))
    failed(stage, "r1", "r2", "r3")
    monkeypatch.setattr(sending, "MOST_WAITING", 2)
    stage.routes(notified(ALL.replace("slack-ops", "slack-new")))
    stage.reconcile(hours=25)
    stage.reconcile(minutes=1)
    gone = "slack/slack-ops of failed: not told: the route file names it no more"
    assert [told(stage, run) for run in ("r1", "r2", "r3")] == [[gone]] * 3


def test_what_was_there_before_a_channel_was_named_is_not_told(stage: Stage, chat: Chat) -> None:
    stage.routes(ROUTES)
    failed(stage)
    stage.routes(notified(SLACK))
    stage.reconcile(minutes=5)
    failed(stage, "r2")
    assert len(chat.messages) == 1
    assert "r2" in said(chat.messages[0])
    assert told(stage) == []


class Replayed(Wrapped):
    """A ledger whose process stands still before it takes the first off the schedule."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ledger)
        self._stage, self._others = stage, [stage.app]

    def retire(self, key: Key, known: str = "") -> None:
        if self._others:
            other, stage = self._others.pop(), self._stage
            assert Replaying(stage.ledger, stage.clock, "ada").replay(key).done
            other.reconciler.reconcile()
        self.real.retire(key, known)


class Dying:
    """A ledger that is gone as soon as something is to be said of a message."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    @property
    def notices(self) -> Dying:
        return Dying(self._real.notices)  # type: ignore[attr-defined]

    def settle(self, *_: object) -> None:
        raise LedgerUnavailable("the process has died")


def test_the_subject_of_a_notice_is_its_continuations(stage: Stage) -> None:
    failed(stage, "r1", "r2")
    subjects = {of_key(stage.only(run).key) for run in ("r1", "r2")}
    assert len(subjects) == 2


@pytest.mark.parametrize("what", ["lease", "held_until"])
def test_what_a_clock_wrote_that_was_ahead_keeps_nobody_from_being_told(
    stage: Stage, chat: Chat, what: str
) -> None:
    later = (stage.clock.now() + timedelta(days=30)).isoformat()
    row = stage.ledger.shared(channels.name("slack/slack-ops"))
    stage.ledger.share(row, {what: later, "failed": 1, "why": "no answer"})
    failed(stage)
    assert (told(stage), counts(chat)) == (TOLD, (0, 1, 0))
