"""Who looks at a continuation sees who was told of it, and why somebody was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.operators.lists import people
from functions.web import data
from functions.web.detail import detail
from local.serving.faults import Fault
from relay.forecasts import telling
from tests.flow.notices.people import SLACK, fail, notified
from tests.stage.azure import completed

if TYPE_CHECKING:
    from local.chat.front import Chat
    from tests.stage.azure import Stage


def test_page_and_command_say_who_was_told_and_why_not_yet(stage: Stage, chat: Chat) -> None:
    chat.server.faults.add(Fault(path="/services/*", status=404, body="no_service"))
    fail(stage, "r1")
    stage.reconcile(seconds=121)
    c, whole = stage.only("r1"), stage.app.overview.one("register/r1/Completed")
    told = people.told(stage.ledger, c)
    lines = list(telling.lines(c, stage.clock.now(), stage.read, (), told))
    page = detail(whole)
    for text in ("\n".join(lines), page, data.one(whole)):
        assert "teams/teams-ops of failed, 2" in text
        assert "slack/slack-ops of failed: it waits: slack answered 404: no_service" in text
    assert sum(line.startswith("  told     ") for line in lines) == 3
    assert "People told" in page


def test_of_what_nobody_is_told_nothing_is_read_or_said(stage: Stage) -> None:
    stage.routes(notified(SLACK))
    stage.aml.add_run("r1", experiment="defect-detection")
    stage.deliver(completed("r1"))
    assert people.told(Untouched(), stage.only("r1")) == ()  # type: ignore[arg-type]
    assert "People told" not in detail(stage.app.overview.one("register/r1/Completed"))


class Untouched:
    """A ledger that nobody asks."""
