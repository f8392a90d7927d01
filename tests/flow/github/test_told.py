"""What the headers of an answer say, and which of them are believed."""

from __future__ import annotations

import json

import pytest
from requests.structures import CaseInsensitiveDict

from functions.adapters.github.answers import pause, run_id, verdict
from functions.adapters.github.calls import pages_of
from functions.adapters.http.transport import Answer
from functions.core.terms.reasons import Reason

OWN = {"X-GitHub-Request-Id": "C0:FFEE", "Content-Type": "application/json"}
USED_UP = {**OWN, "X-RateLimit-Remaining": "0"}


def answer(status: int, headers: dict[str, str], **body: object) -> Answer:
    return Answer(status, CaseInsensitiveDict(headers), json.dumps(body).encode())


def reason(told: Answer) -> Reason | None:
    found = verdict(told)
    return found.reason if found else None


def test_only_githubs_own_200_with_an_id_is_a_start() -> None:
    assert reason(answer(200, OWN, workflow_run_id=7)) is None
    assert reason(answer(200, {}, workflow_run_id=7)) is Reason.IN_DOUBT


def test_a_204_of_somebody_else_says_nothing_and_githubs_says_that_it_was_taken() -> None:
    assert reason(answer(204, {})) is Reason.IN_DOUBT
    assert reason(answer(204, OWN)) is Reason.ANSWERED
    assert reason(answer(204, {**OWN, "Content-Type": "text/html"})) is Reason.ANSWERED


@pytest.mark.parametrize("number", [0, -1, 2**63, True, "7", None, 7.0])
def test_an_id_that_no_ledger_can_keep_is_none(number: object) -> None:
    assert run_id(answer(200, OWN, workflow_run_id=number)) == 0


def test_a_refusal_that_says_when_to_come_again_is_a_limit() -> None:
    told = verdict(answer(403, {**OWN, "Retry-After": "90"}, message="no", documentation_url="x"))
    assert told is not None
    assert (told.reason, told.retry_after) == (Reason.THROTTLED, 90.0)


def test_a_limit_ends_by_githubs_clock() -> None:
    by = {"Date": "Thu, 01 Jan 1970 00:10:00 GMT", "X-RateLimit-Reset": "660"}
    assert pause(answer(200, {**USED_UP, **by})) == 60.0


@pytest.mark.parametrize("reset", ["", "soon", "-5", "1e9", "inf"])
def test_a_limit_without_a_time_is_none_here(reset: str) -> None:
    assert pause(answer(403, {**USED_UP, "X-RateLimit-Reset": reset})) is None


@pytest.mark.parametrize(
    ("left", "scarce"), [("2499", True), ("2500", False), ("", False), ("nan", False)]
)
def test_it_is_scarce_once_more_than_half_is_used_up(left: str, *, scarce: bool) -> None:
    told = answer(200, {**OWN, "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": left})
    assert told.is_scarce is scarce


@pytest.mark.parametrize(
    ("url", "pages"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.contoso.ghe.com", "https://contoso.ghe.com"),
        ("https://github.contoso.com/api/v3", "https://github.contoso.com"),
    ],
)
def test_people_look_where_the_server_has_its_pages(url: str, pages: str) -> None:
    assert pages_of(url) == pages
