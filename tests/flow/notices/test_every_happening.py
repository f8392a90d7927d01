"""Each thing that people are told has words, a row in the runbook, and a place in the schemas."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from functions.adapters.notices import webhook
from functions.adapters.notices.wording import words
from functions.core.kept.notice import Message, Notice
from functions.core.routes.file.schema import schema
from functions.core.terms.runs import Key
from functions.core.terms.words import Happening, Outcome
from tests.running.shipping import ROOT

DOCS = Path(ROOT) / "docs"
EVENT = Draft202012Validator(json.loads((DOCS / "notice-event.schema.json").read_text("utf-8")))
RUNBOOK = (DOCS / "operations.md").read_text("utf-8")
AT = datetime(2026, 11, 30, tzinfo=UTC)
KEY = Key("/subscriptions/s/resourcegroups/g/w", "plum_1", Outcome.COMPLETED, "deploy")


@pytest.mark.parametrize("about", Happening)
def test_it_has_words_a_row_in_the_runbook_and_a_place_in_the_schemas(about: Happening) -> None:
    key = None if about is Happening.CREDENTIAL else KEY
    one = Notice(
        channel="webhook/h",
        about=about,
        of="1",
        at=AT,
        since=AT,
        key=key,
        reason="gate",
        secret="s",
    )
    message = Message(id="m", at=AT, about=about, notices=(one,))
    said = words(message, "https://ml.azure.com")
    plain = about in {Happening.HELD, Happening.FAILED}  # whose title is their word
    assert (said.title == f"{about.capitalize()}, route deploy") is plain
    assert said.means
    assert said.do
    EVENT.validate(json.loads(webhook.body(message, said, "run-relay")))
    assert f"| `about: {about}` | " in RUNBOOK
    channels = schema()["properties"]["notify"]["items"]["properties"]
    is_named = about is not Happening.ENDED  # of which a step of `then` tells
    assert (str(about) in channels["about"]["items"]["enum"]) is is_named


def test_a_test_message_is_an_event_too() -> None:
    message = Message(id="m", at=AT)
    EVENT.validate(json.loads(webhook.body(message, words(message, ""), "run-relay")))
