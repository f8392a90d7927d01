"""An event's text, and its data in each form that CloudEvents and publishers have for it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.events import parsing, payloads
from functions.core.terms.errors import NotARunEvent
from functions.core.terms.words import Outcome
from tests.stage.azure import as_cloud_event, changed, completed, in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable


def in_base64(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def with_text(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "data": json.dumps(event["data"])}


@pytest.mark.parametrize(
    "spell",
    [
        json.dumps,
        lambda event: json.dumps(event).encode(),
        with_text,
        lambda event: with_text(as_cloud_event(event)),
        in_bytes,
        lambda event: in_bytes(event, "utf-8-sig"),
        lambda event: in_bytes(event, "utf-16"),
        lambda event: {**in_bytes(event), "datacontenttype": "application/json; charset=utf-8"},
        lambda event: {**in_bytes(event), "datacontenttype": "application/octet-stream"},
        lambda event: {**in_bytes(event), "data": None},
        lambda event: json.dumps(in_bytes(event)),
    ],
)
def test_every_form_of_the_data_tells_the_same(spell: Callable[[dict[str, Any]], object]) -> None:
    event = parsing.parse(spell(changed("r1", "Failed", runTags={"Ä": "ö"})))
    assert (event.run, event.outcome) == ("r1", Outcome.FAILED)
    assert (event.experiment, event.tags) == ("defect-detection", {"Ä": "ö"})


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"data": "{"}, "its data is no JSON: Expecting"),
        ({"data": ""}, "its data is no JSON"),
        ({"data": "[" * 200_000}, "its data is (nested too deeply|no JSON)"),
        ({"data": '"text"'}, "no JSON object but of the type str"),
        ({"data": [1]}, "no JSON object but of the type list"),
        ({"data": 7}, "no JSON object but of the type int"),
        ({"data_base64": "e30"}, "its data is no base64: Incorrect padding"),
        ({"data_base64": "e3 0="}, "its data is no base64"),
        ({"data_base64": "ä"}, "its data is no base64"),
        ({"data_base64": 7}, "its data is no base64"),
        ({"data_base64": {}}, "its data is no base64"),
        ({"data_base64": base64.b64encode(b"\xff\xfe{").decode()}, "its data is no JSON"),
        ({"data_base64": in_base64([])}, "no JSON object but of the type list"),
    ],
)
@pytest.mark.parametrize("event", [completed("r1"), changed("r1", "Completed")])
def test_data_that_cannot_be_read_is_refused_with_why(
    event: dict[str, Any], told: dict[str, Any], why: str
) -> None:
    without = as_cloud_event(event)
    del without["data"]
    with pytest.raises(NotARunEvent, match=why) as refused:
        parsing.parse({**without, **told})
    assert isinstance(refused.value, parsing.Unread)
    assert refused.value.event_type == event["eventType"]


def test_data_of_an_event_that_nobody_wants_is_not_looked_at() -> None:
    other = {**completed("r1"), "eventType": "Microsoft.Storage.BlobCreated", "data": "{"}
    with pytest.raises(NotARunEvent, match="not a run event"):
        parsing.parse(other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the event is no JSON"),
        ("{'id'", "the event is no JSON"),
        ("x" * (payloads.LONGEST + 1), "the event is longer than 4194304 characters"),
        ('{"a":' * 100_000, "the event is (nested too deeply|no JSON)"),
        ("null", "not a run event"),
        ("[]", "not a run event"),
        ("7", "not a run event"),
        (b"\xff", "the event is no JSON"),
    ],
)
def test_a_text_that_is_no_event_is_refused_with_why(text: object, why: str) -> None:
    with pytest.raises(NotARunEvent, match=why):
        parsing.parse(text)


def test_a_key_that_is_there_twice_counts_as_it_was_said_last() -> None:
    text = json.dumps(completed("r1"))
    twice = text.replace('"runId": "r1"', '"runId": "r0", "runId": "r1"')
    assert twice != text
    assert parsing.parse(twice).run == "r1"


def test_a_number_of_any_length_costs_no_event() -> None:
    text = json.dumps(completed("r1", runTags={"n": "LONG"})).replace('"LONG"', "9" * 4000)
    longer = json.dumps(completed("r1", runTags={"n": "LONG"})).replace('"LONG"', "9" * 5000)
    assert parsing.parse(text).tags == {"n": "9" * 4000}
    assert parsing.parse(longer).run == "r1"


@pytest.mark.parametrize("name", ["eventType", "topic", "eventTime"])
def test_an_extension_of_a_cloud_event_stands_for_nothing_else(name: str) -> None:
    told = parsing.parse({**as_cloud_event(completed("r1")), name.lower(): "other"})
    assert told == parsing.parse(as_cloud_event(completed("r1")))


@given(st.text() | st.binary())
def test_no_text_raises_anything_but_a_refusal(text: str | bytes) -> None:
    with pytest.raises(NotARunEvent):
        parsing.parse(text)


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_no_data_in_base64_raises_anything_but_a_refusal(text: str) -> None:
    event = as_cloud_event(changed("r1", "Completed"))
    del event["data"]
    with pytest.raises(NotARunEvent):
        parsing.parse({**event, "data_base64": text})
