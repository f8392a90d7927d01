"""What the local host's functions are given is what the host's extension was seen to give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import azure.functions as func
import pytest
import requests

from local.host.serving import Host
from local.host.triggers.rewriting import rewritten
from tests.saying.retold import AS_IT_WAS, DAY, NUMBERS, TOLD, TOLD_BY_ITS_READER, TOLD_IN_BERLIN

if TYPE_CHECKING:
    from collections.abc import Mapping

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(("sent", "told"), [*TOLD.items(), *TOLD_BY_ITS_READER.items()])
def test_a_time_is_told_in_the_hosts_zone(sent: str, told: str) -> None:
    assert rewritten({"eventTime": sent}) == {"eventTime": told}


@pytest.mark.parametrize("sent", TOLD_IN_BERLIN)
def test_the_hosts_zone_may_be_another(sent: str) -> None:
    assert rewritten([sent], BERLIN) == [TOLD_IN_BERLIN[sent]]


@pytest.mark.parametrize("text", AS_IT_WAS)
def test_other_text_stays_as_it_was(text: str) -> None:
    assert rewritten(text) == text


def test_tags_are_rewritten_too_and_their_names_are_not() -> None:
    event = {"data": {"runTags": {f"{DAY}T18:41:00+02:00": [f"{DAY}T18:41:00.0Z", 1, None, True]}}}
    given = {"data": {"runTags": {f"{DAY}T18:41:00+02:00": [f"{DAY}T18:41:00Z", 1, None, True]}}}
    assert rewritten(event) == given


def through(body: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """The data that a function of the local host reads when this is delivered."""
    app, seen = func.FunctionApp(), []

    @app.event_grid_trigger(arg_name="event")
    def on_event(event: func.EventGridEvent) -> None:
        seen.append(event.get_json())

    with Host(app, settings=settings) as host:
        answer = requests.post(
            host.webhook("on_event"),
            data=body,
            headers={"aeg-event-type": "Notification"},
            timeout=30,
        )
        assert answer.status_code == 202
    (data,) = seen
    return dict(data)


@pytest.mark.parametrize(
    ("zone", "told"), [({}, TOLD), ({"LOCAL_ZONE": "Europe/Berlin"}, TOLD_IN_BERLIN)]
)
def test_a_delivery_reaches_the_function_as_the_extension_writes_it(
    zone: dict[str, str], told: Mapping[str, str]
) -> None:
    times = {f"time {n}": sent for n, sent in enumerate(told)}
    numbers = ", ".join(f'"number {n}": {sent}' for n, sent in enumerate(NUMBERS))
    data = f"{json.dumps(times)[:-1]}, {numbers}}}"
    event = {"id": "1", "subject": "s", "eventType": "t", "eventTime": f"{DAY}T18:41:00Z"}
    more = {"topic": "/x", "dataVersion": "1", "data": "HERE"}
    body = json.dumps([event | more]).replace('"HERE"', data)
    given = {f"time {n}": text for n, text in enumerate(told.values())}
    given |= {f"number {n}": value for n, value in enumerate(NUMBERS.values())}  # type: ignore[misc]
    assert through(body, zone) == given
