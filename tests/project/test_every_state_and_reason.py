"""Every state and every reason, wherever one counts: what forgets a new one fails here.

docs/extending.md has the steps. What somebody has to decide about each is written down here once
more, so that nobody can add one without deciding.
"""

from __future__ import annotations

import json
import re
from enum import Flag, auto
from typing import TYPE_CHECKING, NamedTuple

import pytest

from component.trigger_pipeline import driving
from component.trigger_pipeline import telling as step
from functions.adapters.telling.outcomes import ENDED, TYPES
from functions.core.kept.continuation import ASKED, Step
from functions.core.operators.decisions import REPLAYABLE
from functions.core.operators.explaining import explained
from functions.core.ports.services import Level
from functions.core.starts import log_lines
from functions.core.terms.policy import Policy
from functions.core.terms.reasons import Reason, outlasts
from functions.core.terms.words import Outcome, State
from functions.web.charts.series import DRAWN
from functions.web.parts.counts import ORDER
from functions.web.words import badge
from relay.coverage.verdict import Became, OnRoute, Told
from relay.previews.checking import MISTAKES
from relay.whatif.comparing import NOT_BY_ROUTES
from tests.ledger.samples import NOON, event, opened, request
from tests.running.shipping import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "azure-devops-pat"
CSS = (ROOT / "functions" / "web" / "page.css").read_text("utf-8")
WORKBOOK = (ROOT / "infra" / "workbook.json").read_text("utf-8")
EVENTS = json.loads((ROOT / "docs" / "outcome-event.schema.json").read_text("utf-8"))["properties"]
QUERIES = sorted((ROOT / "infra" / "queries").glob("*.kql"))


class Known(NamedTuple):
    """What is decided of a state: whether an event tells it, its line, how the step ends."""

    event: bool
    level: Level
    ends: int


STATES = {
    State.OPEN: Known(event=True, level=Level.WARNING, ends=step.TIMED_OUT),
    State.STARTED: Known(event=True, level=Level.INFO, ends=step.STARTED),
    State.HELD: Known(event=True, level=Level.WARNING, ends=step.REJECTED),
    State.SKIPPED: Known(event=False, level=Level.INFO, ends=step.REJECTED),
    State.FAILED: Known(event=True, level=Level.ERROR, ends=step.REJECTED),
}


class Is(Flag):
    """What is decided of a reason."""

    PLAIN = 0
    ALERT = auto()  # while it is open with this, a person is wanted today
    LASTS = auto()  # its patience is counted in days, and goes on through other reasons
    REFUSES = auto()  # the component's step ends as refused, not as timed out
    GIVES_UP = auto()  # the component's step waits no longer: only a person can help
    NO_ROUTE = auto()  # no route decided it: with other routes it might come again
    MISTAKE = auto()  # a preview ends as a mistake of the route's author
    GATE = auto()  # a gate says it: what it saw is shown, and the request that it holds back


REASONS = {
    Reason.WORKING: Is.PLAIN,
    Reason.DEADLINE: Is.PLAIN,
    Reason.LATE: Is.PLAIN,
    Reason.PAUSED: Is.PLAIN,
    Reason.LIMIT: Is.PLAIN,
    Reason.CONCURRENCY: Is.PLAIN,
    Reason.ROUTES_UNREADABLE: Is.NO_ROUTE,
    Reason.RUN_UNREADABLE: Is.NO_ROUTE,
    Reason.RUN_NOT_FOUND: Is.NO_ROUTE,
    Reason.SECRET_UNREADABLE: Is.ALERT | Is.REFUSES | Is.NO_ROUTE,
    Reason.SECRET_EXPIRED: Is.ALERT | Is.REFUSES | Is.GIVES_UP | Is.NO_ROUTE,
    Reason.CREDENTIAL_REFUSED: Is.ALERT | Is.REFUSES | Is.GIVES_UP | Is.NO_ROUTE,
    Reason.NOT_SENT: Is.NO_ROUTE,
    Reason.THROTTLED: Is.NO_ROUTE,
    Reason.UNFORESEEN: Is.ALERT | Is.LASTS | Is.NO_ROUTE,
    Reason.FACTS_MISSING: Is.MISTAKE,
    Reason.NOT_FINAL: Is.NO_ROUTE,
    Reason.IN_DOUBT: Is.ALERT | Is.NO_ROUTE,
    Reason.INCOMPLETE: Is.PLAIN,
    Reason.REFUSED: Is.ALERT | Is.LASTS | Is.REFUSES | Is.GIVES_UP | Is.NO_ROUTE,
    Reason.UNAVAILABLE: Is.LASTS | Is.NO_ROUTE,
    Reason.LOOK_FAILED: Is.ALERT | Is.LASTS | Is.NO_ROUTE,
    Reason.GATE: Is.GATE,
    Reason.GATE_ERROR: Is.MISTAKE | Is.GATE,
    Reason.NOT_A_NUMBER: Is.GATE,
    Reason.CUT: Is.GATE,
    Reason.EXPANDS: Is.MISTAKE,
    Reason.AMBIGUOUS: Is.MISTAKE,
    Reason.DELETED: Is.NO_ROUTE,
    Reason.NOT_SERVED: Is.PLAIN,
    Reason.NOT_ROOT: Is.PLAIN,
    Reason.NOT_MATCHED: Is.PLAIN,
    Reason.OUTCOME_CHANGED: Is.PLAIN,
    Reason.SHADOW: Is.PLAIN,
    Reason.SUPERSEDED: Is.NO_ROUTE,
    Reason.JOINED: Is.LASTS,
    Reason.NOT_JOINED: Is.NO_ROUTE,
    Reason.REJECTED: Is.PLAIN,
    Reason.ROUTE_REMOVED: Is.PLAIN,
    Reason.TOO_LARGE: Is.MISTAKE,
    Reason.ANSWERED: Is.LASTS,
    Reason.FOUND: Is.PLAIN,
}

_ASKED = Step(NOON, ASKED, "run.metrics.auc = 0.9")  # in an earlier attempt

each_state = pytest.mark.parametrize("state", State)
each_reason = pytest.mark.parametrize("reason", Reason)


def test_of_each_it_is_decided_what_comes_of_it() -> None:
    assert STATES.keys() == {*State}
    assert REASONS.keys() == {*Reason}


@each_state
def test_the_line_of_a_state_is_as_loud_as_is_decided(state: State) -> None:
    assert log_lines.level(opened(state=state, reason=Reason.LIMIT)) is STATES[state].level


@each_state
def test_the_step_of_a_pipeline_job_ends_with_a_code_for_it(state: State) -> None:
    assert step.exit_code(opened(state=state, reason=Reason.LIMIT)) == STATES[state].ends


def test_outcome_events_tell_the_states_that_they_are_to_tell_and_the_schema_has_all() -> None:
    told = [state for state in State if STATES[state].event]
    data = EVENTS["data"]["properties"]
    assert {*TYPES} == {*told}
    assert sorted(data["state"]["enum"]) == sorted(told)
    assert sorted(EVENTS["type"]["enum"]) == sorted([*TYPES.values(), ENDED])
    assert data["outcome"]["enum"] == [*map(str, Outcome)]


@each_state
def test_the_page_has_a_shape_and_two_colours_for_it(state: State) -> None:
    of_another = State("of another version")
    assert re.findall(r' d="(.*?)"', badge(state)) != re.findall(r' d="(.*?)"', badge(of_another))
    assert f".badge.{state} " in CSS
    assert len(re.findall(rf"--{state}:", CSS)) == 2  # by day and by night
    assert (f".plot .{state} " in CSS) is (state in DRAWN)
    assert state in ORDER


@each_state
def test_the_workbook_has_a_colour_for_it(state: State) -> None:
    assert f'"seriesName": "{"parked" if state is State.OPEN else state}"' in WORKBOOK


@each_state
def test_why_and_coverage_know_it(state: State) -> None:
    became = Became(state)
    told = Told(event(), (OnRoute(route="a", outcome="Completed", became=became),))
    assert told.became is became


@each_reason
@each_state
def test_who_is_held_or_failed_is_told_how_to_try_again(state: State, reason: Reason) -> None:
    for asked in (None, NOON):
        do = explained(
            opened(state=state, reason=reason, asked_at=asked), NOON, Policy(secret=SECRET)
        ).do
        if state is not State.OPEN:
            assert ("bin/relay replay" in do) is (state in REPLAYABLE)


@each_reason
def test_where_no_secret_is_used_none_is_spoken_of(reason: Reason) -> None:
    told = explained(opened(reason=reason, request=request()), NOON, Policy(by_identity=True))
    assert "secret" not in " ".join(told)


@each_reason
def test_what_is_open_calls_a_person_where_that_is_decided(reason: Reason) -> None:
    loud = log_lines.level(opened(reason=reason)) is Level.ERROR
    assert loud is (Is.ALERT in REASONS[reason])


@each_reason
def test_patience_is_counted_as_is_decided(reason: Reason) -> None:
    assert outlasts(reason, Reason.THROTTLED) is (Is.LASTS in REASONS[reason])


@each_reason
def test_the_step_waits_and_ends_as_is_decided(reason: Reason) -> None:
    ends = step.exit_code(opened(reason=reason))
    assert ends == (step.REFUSED if Is.REFUSES in REASONS[reason] else step.TIMED_OUT)
    assert (reason in driving.FOR_A_PERSON) is (Is.GIVES_UP in REASONS[reason])


@each_reason
def test_predictions_take_it_as_is_decided(reason: Reason) -> None:
    assert (reason in NOT_BY_ROUTES) is (Is.NO_ROUTE in REASONS[reason])
    assert (reason in MISTAKES) is (Is.MISTAKE in REASONS[reason])


@each_reason
def test_what_a_gate_saw_is_kept_where_it_decided(reason: Reason) -> None:
    step = Step(NOON, State.HELD, f"{reason} run.metrics.auc = 0.4")
    saw = opened(state=State.HELD, reason=reason, history=(_ASKED, step)).gate_asked.saw
    assert (saw != _ASKED.detail) is (Is.GATE in REASONS[reason])


@pytest.mark.parametrize("query", QUERIES, ids=lambda file: file.stem)
def test_a_saved_query_asks_for_no_word_that_nobody_writes(query: Path) -> None:
    text = query.read_text("utf-8")
    compared = re.findall(r"\b(continuation|reason) (?:==|!=|in) ((?:\(.*?\))|\S+)", text)
    words = {w for _, some in compared for w in re.findall(r'"(\w+)"', some)}
    assert words <= {*State, *Reason, "parked"}
