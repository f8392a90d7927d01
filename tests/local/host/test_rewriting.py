"""What the local host's functions are given is what the host's extension was seen to give."""

from __future__ import annotations

import pytest

from local.host.triggers.rewriting import rewritten

DAY = "2026-11-28"


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        (f"{DAY}T20:41:00+02:00", f"{DAY}T18:41:00+00:00"),
        (f"{DAY}T20:41:00+0200", f"{DAY}T18:41:00+00:00"),
        (f"{DAY}T20:41:00+02", f"{DAY}T18:41:00+00:00"),
        (f"{DAY}T13:11:00.50-05:30", f"{DAY}T18:41:00.5+00:00"),
        (f"{DAY}T18:41:00-00:00", f"{DAY}T18:41:00+00:00"),
        (f"{DAY}T18:41:00.000Z", f"{DAY}T18:41:00Z"),
        (f"{DAY}T18:41:00.500Z", f"{DAY}T18:41:00.5Z"),
        (f"{DAY}T18:41:00.500", f"{DAY}T18:41:00.5"),
        (f"{DAY}T18:41:00z", f"{DAY}T18:41:00Z"),
        (f"{DAY}T24:00:00Z", "2026-11-29T00:00:00Z"),
        (f"{DAY}T18:41:00+25:00", "2026-11-27T17:41:00+00:00"),
        ("0001-01-01T00:00:00+02:00", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59-02:00", "9999-12-31T23:59:59.9999999+00:00"),
        ("/Date(1732818060000)/", "2024-11-28T18:21:00Z"),
    ],
)
def test_a_time_is_told_in_the_hosts_zone(sent: str, given: str) -> None:
    assert rewritten({"eventTime": sent}) == {"eventTime": given}


@pytest.mark.parametrize(
    "text",
    [
        f"{DAY}T18:41:00.1234567Z",
        f"{DAY}T18:41:00.12345678Z",
        f"{DAY}t18:41:00Z",
        f"{DAY} 18:41:00Z",
        f"{DAY}T18:41Z",
        DAY,
        f"{DAY}T18:41:00,5Z",
        f"{DAY}T23:59:60Z",
        "2026-02-30T18:41:00Z",
        f"{DAY}T18:41:00+01:00[Europe/Berlin]",
        f" {DAY}T18:41:00Z ",
        "/Date(999999999999999)/",
        "defect-detection",
    ],
)
def test_other_text_stays_as_it_was(text: str) -> None:
    assert rewritten(text) == text


def test_tags_are_rewritten_too_and_their_names_are_not() -> None:
    event = {"data": {"runTags": {f"{DAY}T18:41:00+02:00": [f"{DAY}T18:41:00.0Z", 1, None, True]}}}
    given = {"data": {"runTags": {f"{DAY}T18:41:00+02:00": [f"{DAY}T18:41:00Z", 1, None, True]}}}
    assert rewritten(event) == given


@pytest.mark.parametrize(
    ("sent", "given"),
    [(1.10, 1.1), (float("nan"), "NaN"), (1e400, "Infinity"), (-1e400, "-Infinity"), (7, 7)],
)
def test_numbers_are_nets(sent: float, given: object) -> None:
    assert rewritten([sent]) == [given]
