"""A time that the host tells anew is the same time, and known as one that may have been."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from functions.core.texts.times import may_be_retold, parse_time, told_in_utc
from local.host.triggers.rewriting import rewritten
from tests.saying.retold import AS_IT_WAS, DAY, TOLD, TOLD_BY_ITS_READER, TOLD_IN_BERLIN

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Kathmandu")]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("sent", [*TOLD, *TOLD_BY_ITS_READER, *TOLD_IN_BERLIN, *AS_IT_WAS])
def test_it_is_one_text_whether_or_not_a_host_told_it(sent: str, zone: ZoneInfo) -> None:
    assert told_in_utc(rewritten(sent, zone)) == told_in_utc(sent)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (f"{DAY}T20:41:00+02:00", f"{DAY}T18:41:00+00:00"),
        (f"{DAY}T18:41:00.500Z", f"{DAY}T18:41:00.5+00:00"),
        (f"{DAY}T24:00:00Z", "2026-11-29T00:00:00+00:00"),
        ("/Date(1732818060000)/", "2024-11-28T18:21:00+00:00"),
        (f"{DAY} 18:41:00Z", f"{DAY} 18:41:00Z"),
    ],
)
def test_what_the_host_takes_for_a_time_is_told_in_utc(sent: str, told: str) -> None:
    assert told_in_utc(sent) == told


@pytest.mark.parametrize(("sent", "told"), [*TOLD.items(), *TOLD_BY_ITS_READER.items()])
def test_whatever_the_host_tells_anew_may_be_told_anew(sent: str, told: str) -> None:
    assert may_be_retold(sent)
    assert may_be_retold(told)
    assert may_be_retold(json.dumps({"of": [sent]}))


@pytest.mark.parametrize("text", ["", DAY, "NaN", "1.10", "2026-11", "defect-detection", "[1, 2]"])
def test_most_text_is_what_the_run_has(text: str) -> None:
    assert not may_be_retold(text)


@pytest.mark.parametrize("sent", [s for s in TOLD if s[:4] not in {"0001", "9999"}])
def test_an_event_happened_when_it_did_whether_or_not_a_host_told_it(sent: str) -> None:
    assert parse_time(sent) == parse_time(TOLD[sent]) is not None
