"""The pure parts: escaping, words, links and what the charts draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.kept.summary import Summary
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from functions.web import rows, words
from functions.web.charts.series import MOST, stretches
from functions.web.html import tag, visible
from tests.page.reader import Reader

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@given(st.text(st.characters()), st.text(st.characters()))
def test_no_text_ever_becomes_markup(inside: str, attribute: str) -> None:
    read = Reader(tag("p", inside, title=attribute))
    assert read.found == [("p", [("title", visible(attribute))])]
    assert read.text == visible(inside)


@given(st.text(st.characters()))
def test_every_text_can_be_sent(text: str) -> None:
    tag("p", text, title=text).encode()


@pytest.mark.parametrize(
    "address",
    [
        "http://dev.azure.com/x",
        "javascript:alert(1)",
        "JavaScript://x/%0aalert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://[x",
        "",
    ],
)
def test_only_an_https_address_becomes_a_link(address: str) -> None:
    assert "<a" not in str(words.link(address, "what"))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_span_is_told_by_its_two_largest_units(seconds: float, told: str) -> None:
    assert words.span(seconds) == told


def one(state: State, at: datetime, latency: float | None = None) -> Summary:
    ran = None if latency is None else at - timedelta(seconds=latency)
    begun = at if state is State.STARTED else None
    key = Key("w", str(at), Outcome.COMPLETED, "r")
    return Summary(
        key=key,
        created_at=at,
        due_at=at,
        updated_at=at,
        state=state,
        run_ended_at=ran,
        started_at=begun,
    )


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_fits_into_a_list(reason: Reason) -> None:
    listed = Summary(
        key=Key("w", "r", Outcome.FAILED, "a"), created_at=NOON, due_at=NOON, reason=reason
    )
    assert "{" not in str(words.reason(listed))


@pytest.mark.parametrize("reason", [Reason.LIMIT, Reason.PAUSED])
def test_who_waits_to_be_called_is_shown_as_waiting_and_not_as_due(reason: Reason) -> None:
    listed = Summary(
        key=Key("w", "r", Outcome.FAILED, "a"), created_at=NOON, due_at=NOON, reason=reason
    )
    shown = str(rows.table("Open", [listed], NOON))
    assert "waits for its turn" in shown
    assert "due" not in shown


@given(st.lists(st.integers(0, 4_000_000), min_size=1, max_size=50), st.sampled_from(State))
def test_the_charts_count_every_end_once(minutes: list[int], state: State) -> None:
    listed = [one(state, NOON - timedelta(minutes=m), 5) for m in minutes]
    _, drawn = stretches(listed, NOON)
    wanted = len(listed) if state in {State.STARTED, State.HELD, State.FAILED} else 0
    assert sum(sum(stretch.counts.values()) for stretch in drawn) == wanted
    assert len(drawn) <= MOST


def test_an_end_in_the_future_of_this_clock_counts_as_now() -> None:
    _, drawn = stretches([one(State.STARTED, NOON + timedelta(minutes=7), 5)], NOON)
    assert drawn[-1].counts[State.STARTED] == 1
