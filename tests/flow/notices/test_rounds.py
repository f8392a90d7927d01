"""Which rounds tell people: those of the timer, and those beside a delivery, in their bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.rounds import bounds
from functions.core.rounds.bounds import MOST_MESSAGES_BESIDE
from functions.core.rounds.watch import By
from functions.core.terms.deadline import beside
from tests.flow.notices.people import SLACK, fail, notified, told

if TYPE_CHECKING:
    from local.chat.front import Chat
    from tests.stage.azure import Stage

MANY = "".join(
    f"  - name: r{n}\n    match: {{experiment: 'defect-*'}}\n"
    f"    start: {{pipeline: 42, parameters: {{run_id: '{{{{ run.id }}}}', relay_id: r{n}}}}}\n"
    for n in range(4)
)
ROUTES = f"version: 1\ndefaults: {{organization: contoso, project: mlops}}\nroutes:\n{MANY}"


def test_an_operators_round_notices_and_leaves_the_telling_to_the_app(
    stage: Stage, chat: Chat
) -> None:
    stage.routes(notified(SLACK))
    fail(stage, "r1")
    stage.clock.forward(seconds=121)
    stage.app.reconciler.round(bounds.whole(stage.clock), By.OPERATOR)
    assert (chat.messages, told(stage)) == ([], ["slack/slack-ops waits"])
    stage.reconcile()
    assert told(stage) == ["slack/slack-ops of failed"]


def test_a_round_beside_a_delivery_sends_few(stage: Stage, chat: Chat) -> None:
    stage.routes(notified(SLACK, ROUTES))
    fail(stage, "r1", times=4)
    stage.clock.forward(seconds=121)
    stage.app.reconciler.beside(beside(stage.clock, 0))
    assert len(chat.messages) == MOST_MESSAGES_BESIDE
    stage.reconcile(seconds=1)
    assert len(chat.messages) == 4
