"""People who are told: what happens on a stage, and what each channel got of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft6Validator

from functions.core.rounds.notices.noticing import of_key
from tests.flow.asking import EXPERIMENT
from tests.saying.refusals import WRONG, says
from tests.stage.azure import ROUTES, completed

if TYPE_CHECKING:
    from local.chat.front import Chat
    from tests.stage.azure import Stage

HOSTS = "127.0.0.1"
ALL = """
notify:
  - teams: teams-ops
  - slack: slack-ops
  - webhook: hook-ops
    signing: hook-key
"""
SLACK = """
notify: [{slack: slack-ops}]
"""
WEBHOOK = """
notify: [{webhook: hook-ops, signing: hook-key}]
"""
CARD = Draft6Validator(
    json.loads((Path(__file__).parent / "adaptive-card.schema.json").read_text("utf-8"))
)


def notified(channels: str = ALL, routes: str = ROUTES) -> str:
    """The routes of a stage, with these channels for all of them."""
    return routes.replace("routes:", f"{channels}routes:", 1)


def fail(stage: Stage, *runs: str, times: int = 0) -> None:
    """Let these end, and each (or so many) be refused for good, in words not to be posted."""
    stage.devops.server.faults.add(says(400, WRONG, times=times or len(runs)))
    for run in runs:
        stage.aml.add_run(run, experiment=EXPERIMENT, metrics={"accuracy": 0.1234})
        stage.deliver(completed(run))


def told(stage: Stage, run: str = "r1") -> list[str]:
    """What is known of the notices of a run's only continuation, and what of them waits."""
    known, waits = stage.ledger.notices.of(of_key(stage.only(run).key))
    return [one.words for one in known] + [f"{one.channel} waits" for one in waits]


def shown(card: dict[str, Any]) -> str:
    """All the text of a card, which is one by the published schema."""
    CARD.validate(card)
    runs = (run for block in card["body"] for run in block["inlines"])
    return "\n".join(run["text"] for run in runs)


def said(message: dict[str, Any]) -> str:
    """All the text of a message in Slack."""
    return "\n".join(block["text"]["text"] for block in message["blocks"])


def counts(chat: Chat) -> tuple[int, int, int]:
    """How many messages each of the three channels has."""
    return len(chat.cards), len(chat.messages), len(chat.events)
