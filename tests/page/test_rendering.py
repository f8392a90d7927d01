"""The pure parts: escaping, words, links and what the charts draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.kept.summary import Listed, Summary
from functions.core.operators.lists.wanted import Wanted
from functions.core.operators.overview import Seen
from functions.core.terms.reasons import Reason
from functions.core.terms.runs import Key
from functions.core.terms.words import Outcome, State
from functions.core.texts.phrases import lasting
from functions.web import rows, words
from functions.web.charts.figures import charts
from functions.web.charts.series import LEAST, MOST, PARTS, stretches
from functions.web.html import tag, text, visible
from tests.page.reader import Reader

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@given(st.text(st.characters()), st.text(st.characters()))
def test_no_text_ever_becomes_markup(inside: str, attribute: str) -> None:
    read = Reader(tag("p", inside, title=attribute))
    assert read.found == [("p", [("title", visible(attribute))])]
    assert read.text == visible(inside)


@given(st.text(st.characters()))
def test_every_text_can_be_sent(told: str) -> None:
    tag("p", told, title=told).encode()


@pytest.mark.parametrize(
    "address",
    [
        "http://dev.azure.com/x",
        "http://127.0.0.1.evil.example/x",
        "http://localhost@evil.example/x",
        "javascript:alert(1)",
        "JavaScript://x/%0aalert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://[x",
        "",
    ],
)
def test_no_other_address_than_one_by_https_becomes_a_link(address: str) -> None:
    assert "<a" not in str(words.link(address, "what"))


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "localhost", "[::1]:80"])
def test_what_runs_on_this_machine_becomes_a_link(host: str) -> None:
    assert f'href="http://{host}/x"' in str(words.link(f"http://{host}/x", "what"))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (540, "9 min ago"),
        (-360, "in 6 min"),
        (3599, "59 min ago"),
        (7200, "2 h ago"),
        (100_000, "1 d ago"),
        (0, "now"),
    ],
)
def test_a_time_is_told_by_how_long_ago_it_is_and_its_title_has_the_whole(
    seconds: int, told: str
) -> None:
    at = NOON - timedelta(seconds=seconds)
    whole = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    (found,) = Reader(str(words.ago(at, NOON))).found
    assert dict(found[1])["title"] == whole
    assert Reader(str(words.ago(at, NOON))).text == told


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
    assert lasting(seconds) == told


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


def seen(*listed: Summary) -> Seen:
    return Seen(NOON, Wanted(), listed, Listed(listed, whole=True), {}, paused=False)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_fits_into_a_list(reason: Reason) -> None:
    listed = Summary(
        key=Key("w", "r", Outcome.FAILED, "a"), created_at=NOON, due_at=NOON, reason=reason
    )
    assert "{" not in words.meaning(listed)


@pytest.mark.parametrize("reason", [Reason.LIMIT, Reason.CONCURRENCY, Reason.PAUSED])
def test_who_waits_to_be_called_is_shown_as_waiting_and_not_as_due(reason: Reason) -> None:
    listed = Summary(
        key=Key("w", "r", Outcome.FAILED, "a"), created_at=NOON, due_at=NOON, reason=reason
    )
    shown = Reader(text(rows.is_open([listed], seen(listed)))).text
    assert "in its turn" in shown
    assert "due" not in shown


@given(st.lists(st.integers(0, 4_000_000), min_size=1, max_size=50), st.sampled_from(State))
def test_the_charts_count_every_end_once(minutes: list[int], state: State) -> None:
    listed = [one(state, NOON - timedelta(minutes=m), 5) for m in minutes]
    drawn = stretches(listed, NOON)
    wanted = len(listed) if state in {State.STARTED, State.HELD, State.FAILED} else 0
    assert sum(sum(stretch.counts.values()) for stretch in drawn) == wanted
    assert len(drawn) in {0, *range(LEAST, MOST + 1, PARTS)}
    lasts = [stretch.during.partition("/")[0] for stretch in drawn]
    assert lasts == sorted(lasts)


@given(st.lists(st.integers(0, 4_000_000), min_size=1, max_size=50))
def test_each_mark_leads_to_what_it_stands_for(minutes: list[int]) -> None:
    listed = [one(State.FAILED, NOON - timedelta(minutes=m)) for m in minutes]
    for stretch in stretches(listed, NOON):
        asked = Wanted.of({"during": stretch.during})
        found = [each for each in listed if asked.takes(each, NOON - timedelta(days=9999))]
        assert len(found) == stretch.total


@given(st.lists(st.sampled_from(State), min_size=1, max_size=300))
def test_no_mark_stands_out_of_its_drawing(states: list[State]) -> None:
    listed = [one(state, NOON, 5) for state in states]
    drawn = Reader(str(charts(seen(*listed)))).found
    rects = [dict(given) for name, given in drawn if name == "rect"]
    for rect in rects:
        assert float(rect["y"] or 0) >= -0.1
        assert float(rect["y"] or 0) + float(rect["height"] or 0) <= 100.1


def test_an_end_in_the_future_of_this_clock_counts_as_now() -> None:
    drawn = stretches([one(State.STARTED, NOON + timedelta(minutes=7), 5)], NOON)
    assert drawn[-1].counts[State.STARTED] == 1
