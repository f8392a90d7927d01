"""Events that are unusual and yet right."""

from __future__ import annotations

from contextlib import suppress

import pytest

from functions.core.events import parsing
from functions.core.terms.errors import NotARunEvent
from functions.core.texts.times import LEFT_OUT
from local.cloud import WORKSPACE
from tests.stage.azure import completed


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "yesterday", None, 7, {}]
)
def test_a_time_that_is_none_costs_no_event(time: object) -> None:
    event = parsing.parse({**completed("r1"), "eventTime": time})
    assert (event.run, event.time) == ("r1", None)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-28T20:41:00+02:00", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28T20:41:00+0200", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28T20:41:00+02", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28T18:41:00-00:00", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28T18:41:00.5", "2026-11-28T18:41:00.500000+00:00"),
        ("2026-11-28T18:41:00.123456789Z", "2026-11-28T18:41:00.123456+00:00"),
        ("2026-11-28t18:41:00z", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28 18:41:00Z", "2026-11-28T18:41:00+00:00"),
        (" 2026-11-28T18:41:00Z\n", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28T18:41Z", "2026-11-28T18:41:00+00:00"),
        ("2026-11-28T18:41:00,5Z", "2026-11-28T18:41:00.500000+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
        ("2017-01-01T01:59:60+02:00", "2016-12-31T23:59:59+00:00"),
    ],
)
def test_a_time_is_read_in_every_form_that_iso_8601_has(text: str, time: str) -> None:
    event = parsing.parse({**completed("r1"), "eventTime": text})
    assert event.time is not None
    assert event.time.isoformat() == time


@pytest.mark.parametrize("group", ["rg-münchen", "rg_(a).b", "研究"])
def test_a_resource_group_may_have_any_letters(group: str) -> None:
    topic = WORKSPACE.replace("rg-ml", group)
    assert parsing.parse({**completed("r1"), "topic": topic}).workspace.id == topic


def test_a_property_of_several_lines_is_kept_as_it_is() -> None:
    event = parsing.parse(completed("r1", runProperties={"notes": "a\n\tb\n"}))
    assert event.properties == {"notes": "a\n\tb\n"}


def nested(depth: int) -> object:
    """So many lists, each in the one before."""
    found: object = "x"
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("key", ["runTags", "runProperties"])
def test_a_tag_that_is_nested_too_deep_costs_only_itself(key: str) -> None:
    event = parsing.parse(
        completed("r1", **{key: {"odd": nested(600), "deep": nested(100), "a": "b"}})
    )
    kept = event.tags if key == "runTags" else event.properties
    assert kept is not None
    assert sorted(kept) == ["a", "deep", "odd"]
    assert kept["odd"] == LEFT_OUT


@pytest.mark.parametrize("key", ["experimentName", "runType", "experimentId"])
def test_a_text_that_is_nested_too_deep_costs_no_event(key: str) -> None:
    assert parsing.parse(completed("r1", **{key: nested(900)})).run == "r1"


@pytest.mark.parametrize("key", ["topic", "id", "subject", "eventTime", "eventType", "data"])
def test_an_envelope_that_is_nested_too_deep_raises_nothing_but_a_refusal(key: str) -> None:
    with suppress(NotARunEvent):
        parsing.parse({**completed("r1"), key: nested(900)})


def test_a_text_that_is_too_long_to_keep_is_left_out_whole() -> None:
    longest = "x" * 4096
    tags = {"kept": longest, "left out": longest + "x", "k" * 4097: "left out too"}
    kept = parsing.parse(completed("r1", runTags=tags)).tags
    assert kept == {"kept": longest, "left out": LEFT_OUT}
