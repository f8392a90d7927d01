"""A run that should have come and did not: people and the log are told, once, and when it comes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.core.rounds.expecting.row import name_of
from functions.core.rounds.notices.noticing import Noticing
from functions.core.terms.errors import LedgerUnavailable
from functions.core.terms.reasons import Reason
from tests.flow.asking import EXPERIMENT
from tests.flow.notices.people import WEBHOOK, notified
from tests.saying.wrapped import Wrapped
from tests.stage.azure import ROUTES, Stage, changed, completed

if TYPE_CHECKING:
    from datetime import datetime

    from local.chat.front import Chat

GRACE = timedelta(minutes=5)


def expecting(what: str) -> str:
    return notified(WEBHOOK, ROUTES.replace("    start:", f"    expect: {{{what}}}\n    start:", 1))


def by(stage: Stage, **later: float) -> tuple[str, datetime]:
    """What expects a run by a full minute so much later, and when that is."""
    at = (stage.clock.now() + timedelta(**later)).replace(second=0, microsecond=0)
    return f"by: '{at:%H:%M} UTC'", at


def until(stage: Stage, at: datetime) -> None:
    """One round then."""
    stage.reconcile(seconds=max(0.0, (at - stage.clock.now()).total_seconds()))


def end(stage: Stage, run: str, ago: timedelta = timedelta(0)) -> None:
    """One of the route ends, and its event comes."""
    stage.aml.add_run(run, experiment=EXPERIMENT, metrics={"accuracy": 0.95})
    at = stage.clock.now() - ago
    stage.deliver({**completed(run), "eventTime": at.isoformat()})


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if line.startswith("expect=")]


def heard(chat: Chat) -> list[str]:
    return [event["data"]["about"] for event in chat.events]


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_run_that_does_not_come_is_told_once_and_once_more_when_it_comes(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    until(stage, due + timedelta(minutes=4))
    assert (said(caplog), heard(chat)) == ([], [])
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert said(caplog) == [f"expect=overdue route=register due={due:%Y-%m-%dT%H:%M:%SZ}"]
    assert [r.levelname for r in caplog.records if r.message.startswith("expect=")] == ["ERROR"]
    (event,) = chat.events
    assert event["type"] == "RunRelay.Notice.overdue"
    assert event["subject"] == event["data"]["route"] == "register"
    assert event["data"]["title"] == "No run came in time, route register"
    assert event["data"]["notices"][0]["at"] == due.isoformat()
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert heard(chat) == ["overdue"]
    end(stage, "r1")
    stage.reconcile(minutes=6)
    stage.reconcile(minutes=6)
    assert heard(chat) == ["overdue", "came"]
    assert len(said(caplog)) == 2
    assert f"expect=came route=register due={due:%Y-%m-%dT%H:%M:%SZ} ended=" in said(caplog)[1]


def test_nobody_is_told_of_one_that_comes_in_time(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    end(stage, "r1")
    stage.reconcile()
    until(stage, due + GRACE)
    stage.reconcile(hours=12)
    assert (said(caplog), heard(chat)) == ([], [])
    stage.reconcile(hours=12)  # and for the next day there is none
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


@pytest.mark.parametrize("state", ["held", "started", "open"])
def test_one_counts_however_it_goes_on(stage: Stage, chat: Chat, state: str) -> None:
    what, due = by(stage, hours=2)
    gate = {"held": "run.metrics.accuracy > 2.0", "open": "run.metrics.later > 2.0"}.get(state)
    routes = expecting(what)
    if gate:
        routes = routes.replace("    start:", f"    when: {gate}\n    start:", 1)
        routes = routes.replace("    start:", "    wait_for_facts: 7d\n    start:", 1)
    stage.routes(routes)
    end(stage, "r1")
    assert stage.only("r1").state == state
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert "overdue" not in heard(chat)


def test_one_of_another_route_does_not_count(stage: Stage, chat: Chat) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    stage.aml.add_run("r1", experiment=EXPERIMENT, status="FAILED")
    stage.deliver(changed("r1", "Failed"))
    stage.aml.add_run("r2", experiment="other")
    stage.deliver(completed("r2", experimentName="other"))
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_within_a_time_goes_by_the_run_before(stage: Stage, chat: Chat) -> None:
    stage.routes(expecting("within: 26h"))
    stage.reconcile()
    stage.reconcile(hours=20)
    end(stage, "r1")
    for _ in range(25):
        stage.reconcile(hours=1)
    assert heard(chat) == []
    stage.reconcile(hours=1, minutes=6)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_within_a_time_goes_by_a_run_from_before_the_route_said_so(
    stage: Stage, chat: Chat
) -> None:
    stage.reconcile()
    end(stage, "r1")
    stage.routes(expecting("within: 26h"))
    stage.reconcile(hours=25)
    stage.reconcile(minutes=50)
    assert heard(chat) == []
    stage.reconcile(minutes=16)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_a_run_that_ended_before_the_app_was_there_counts(stage: Stage, chat: Chat) -> None:
    """A route begins to expect one shortly before the time: what ended in the night is known."""
    end(stage, "r1")
    stage.clock.forward(hours=3)
    what, due = by(stage, minutes=10)
    stage.routes(expecting(what))
    stage.reconcile()
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == []


def test_after_a_restart_nobody_is_told_again(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    until(stage, due + GRACE)
    for _ in range(3):
        stage.build()
        stage.reconcile(minutes=1)
    assert (heard(chat), len(said(caplog))) == (["overdue"], 1)


def test_what_changed_in_the_route_file_begins_anew(stage: Stage, chat: Chat) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    later, then = by(stage, hours=5)
    stage.routes(expecting(later))
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == []
    until(stage, then + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


class Cut(Wrapped):
    """A ledger that takes rows of what is expected, but for one after so many."""

    def __init__(self, real: Any, after: int) -> None:
        super().__init__(real)
        self.left = after

    def share(self, row: Any, value: Any) -> Any:
        if row.name == name_of("register"):
            self.left -= 1
            if self.left == -1:
                raise LedgerUnavailable("cut")
        return self.real.share(row, value)


@pytest.mark.parametrize("after", [0, 1])
def test_who_is_cut_before_it_is_noted_tells_nobody_twice(
    stage: Stage, chat: Chat, caplog: pytest.LogCaptureFixture, after: int
) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    stage.build(ledger=Cut(stage.ledger, after))
    until(stage, due + GRACE)
    assert "expect=unavailable route=register detail=" in said(caplog)[-1]
    stage.reconcile(minutes=6)
    stage.reconcile(minutes=6)
    assert heard(chat) == ["overdue"]
    assert [line.split()[0] for line in said(caplog)].count("expect=overdue") == after + 1


def test_two_processes_that_look_at_once_tell_it_once(stage: Stage, chat: Chat) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    stage.clock.forward(seconds=(due + GRACE - stage.clock.now()).total_seconds())
    first = Noticing.notice

    def other_looks(self: Noticing, one: Any) -> None:
        Noticing.notice = first  # type: ignore[method-assign]
        other = stage.app.reconciler
        stage.build()
        stage.app.reconciler.reconcile()
        stage.app.reconciler = other
        first(self, one)

    Noticing.notice = other_looks  # type: ignore[method-assign]
    stage.reconcile()
    stage.reconcile(minutes=6)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_rounds_in_which_nothing_is_due_ask_the_ledger_for_nothing_of_it(stage: Stage) -> None:
    what, _ = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()

    class Counted(Wrapped):
        asked = 0

        def shared(self, name: str) -> Any:
            self.asked += name.startswith("expect/")
            return self.real.shared(name)

    counted = Counted(stage.ledger)
    stage.build(ledger=counted)
    for _ in range(50):
        stage.reconcile(minutes=1)
    assert counted.asked == 1


def test_one_that_was_told_to_be_completed_and_is_not_is_none_that_came(
    stage: Stage, chat: Chat
) -> None:
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    stage.aml.add_run("r1", experiment=EXPERIMENT, status="Failed")
    stage.deliver({**completed("r1"), "eventTime": stage.clock.now().isoformat()})
    assert stage.of_run("r1")["register"].reason is Reason.OUTCOME_CHANGED
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]


def test_one_that_is_not_completed_is_none_that_came_where_lists_are_behind(
    stage: Stage, chat: Chat
) -> None:
    """Its event comes as the round looks that tells of none."""
    what, due = by(stage, hours=2)
    stage.routes(expecting(what))
    stage.reconcile()
    stage.clock.forward(seconds=(due + GRACE - stage.clock.now()).total_seconds() - 1)
    stage.aml.add_run("r1", experiment=EXPERIMENT, status="Failed")
    stage.deliver({**completed("r1"), "eventTime": stage.clock.now().isoformat()})
    stage.reconcile(seconds=1)
    for _ in range(3):
        stage.reconcile(minutes=6)
    assert heard(chat) == ["overdue"]


def test_an_older_file_beside_a_newer_one_does_not_begin_it_anew(stage: Stage, chat: Chat) -> None:
    """Its next look comes between the newer one's first and the time that this one awaits."""
    earlier, _ = by(stage, hours=9)
    what, due = by(stage, minutes=67)
    stage.routes(expecting(earlier))
    stage.reconcile()
    older = stage.app
    stage.routes(expecting(what))
    stage.deploy()
    until(stage, due - timedelta(minutes=8))
    newer = stage.app
    stage.app = older
    stage.routes(expecting(earlier))
    until(stage, due - timedelta(minutes=4))
    stage.app = newer
    stage.routes(expecting(what))
    until(stage, due + GRACE)
    stage.reconcile(minutes=1)
    assert heard(chat) == ["overdue"]
